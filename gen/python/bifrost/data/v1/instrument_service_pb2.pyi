import datetime

from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import instrument_pb2 as _instrument_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MatchReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATCH_REASON_UNSPECIFIED: _ClassVar[MatchReason]
    MATCH_REASON_SYMBOL_EXACT: _ClassVar[MatchReason]
    MATCH_REASON_SYMBOL_PREFIX: _ClassVar[MatchReason]
    MATCH_REASON_SYMBOL_SIMILAR: _ClassVar[MatchReason]
    MATCH_REASON_NAME_SIMILAR: _ClassVar[MatchReason]
    MATCH_REASON_IDENTIFIER: _ClassVar[MatchReason]
    MATCH_REASON_FORMER_SYMBOL: _ClassVar[MatchReason]
    MATCH_REASON_UNDERLYING: _ClassVar[MatchReason]
MATCH_REASON_UNSPECIFIED: MatchReason
MATCH_REASON_SYMBOL_EXACT: MatchReason
MATCH_REASON_SYMBOL_PREFIX: MatchReason
MATCH_REASON_SYMBOL_SIMILAR: MatchReason
MATCH_REASON_NAME_SIMILAR: MatchReason
MATCH_REASON_IDENTIFIER: MatchReason
MATCH_REASON_FORMER_SYMBOL: MatchReason
MATCH_REASON_UNDERLYING: MatchReason

class GetInstrumentRequest(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ...) -> None: ...

class GetInstrumentResponse(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ...) -> None: ...

class ListInstrumentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "symbol_prefix")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_PREFIX_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    symbol_prefix: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., symbol_prefix: _Optional[str] = ...) -> None: ...

class ListInstrumentsResponse(_message.Message):
    __slots__ = ("instruments", "next_page_token")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    next_page_token: str
    def __init__(self, instruments: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SearchInstrumentsRequest(_message.Message):
    __slots__ = ("query", "limit", "mic", "asset_class", "status")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    ASSET_CLASS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    query: str
    limit: int
    mic: str
    asset_class: _instrument_pb2.AssetClass
    status: _instrument_pb2.InstrumentStatus
    def __init__(self, query: _Optional[str] = ..., limit: _Optional[int] = ..., mic: _Optional[str] = ..., asset_class: _Optional[_Union[_instrument_pb2.AssetClass, str]] = ..., status: _Optional[_Union[_instrument_pb2.InstrumentStatus, str]] = ...) -> None: ...

class SearchInstrumentsResponse(_message.Message):
    __slots__ = ("matches",)
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[InstrumentMatch]
    def __init__(self, matches: _Optional[_Iterable[_Union[InstrumentMatch, _Mapping]]] = ...) -> None: ...

class InstrumentMatch(_message.Message):
    __slots__ = ("instrument", "score", "reason")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    score: float
    reason: MatchReason
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ..., score: _Optional[float] = ..., reason: _Optional[_Union[MatchReason, str]] = ...) -> None: ...

class ListSplitsRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSplitsResponse(_message.Message):
    __slots__ = ("splits",)
    SPLITS_FIELD_NUMBER: _ClassVar[int]
    splits: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Split]
    def __init__(self, splits: _Optional[_Iterable[_Union[_instrument_pb2.Split, _Mapping]]] = ...) -> None: ...

class ListDividendsRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListDividendsResponse(_message.Message):
    __slots__ = ("dividends",)
    DIVIDENDS_FIELD_NUMBER: _ClassVar[int]
    dividends: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Dividend]
    def __init__(self, dividends: _Optional[_Iterable[_Union[_instrument_pb2.Dividend, _Mapping]]] = ...) -> None: ...

class InstrumentSpec(_message.Message):
    __slots__ = ("symbol", "mic", "name", "asset_class", "currency", "listing_date", "delisting_date", "status", "tick_size", "tick_bands", "lot_size", "isin", "figi", "option", "future", "former_symbols")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ASSET_CLASS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LISTING_DATE_FIELD_NUMBER: _ClassVar[int]
    DELISTING_DATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    TICK_BANDS_FIELD_NUMBER: _ClassVar[int]
    LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    ISIN_FIELD_NUMBER: _ClassVar[int]
    FIGI_FIELD_NUMBER: _ClassVar[int]
    OPTION_FIELD_NUMBER: _ClassVar[int]
    FUTURE_FIELD_NUMBER: _ClassVar[int]
    FORMER_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    mic: str
    name: str
    asset_class: _instrument_pb2.AssetClass
    currency: str
    listing_date: str
    delisting_date: str
    status: _instrument_pb2.InstrumentStatus
    tick_size: str
    tick_bands: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.TickBand]
    lot_size: str
    isin: str
    figi: str
    option: OptionSpec
    future: FutureSpec
    former_symbols: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.SymbolPeriod]
    def __init__(self, symbol: _Optional[str] = ..., mic: _Optional[str] = ..., name: _Optional[str] = ..., asset_class: _Optional[_Union[_instrument_pb2.AssetClass, str]] = ..., currency: _Optional[str] = ..., listing_date: _Optional[str] = ..., delisting_date: _Optional[str] = ..., status: _Optional[_Union[_instrument_pb2.InstrumentStatus, str]] = ..., tick_size: _Optional[str] = ..., tick_bands: _Optional[_Iterable[_Union[_instrument_pb2.TickBand, _Mapping]]] = ..., lot_size: _Optional[str] = ..., isin: _Optional[str] = ..., figi: _Optional[str] = ..., option: _Optional[_Union[OptionSpec, _Mapping]] = ..., future: _Optional[_Union[FutureSpec, _Mapping]] = ..., former_symbols: _Optional[_Iterable[_Union[_instrument_pb2.SymbolPeriod, _Mapping]]] = ...) -> None: ...

class OptionSpec(_message.Message):
    __slots__ = ("underlying", "expiry_date", "strike", "right", "multiplier", "style")
    UNDERLYING_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    underlying: _value_pb2.InstrumentRef
    expiry_date: str
    strike: str
    right: _instrument_pb2.OptionRight
    multiplier: str
    style: _instrument_pb2.ExerciseStyle
    def __init__(self, underlying: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., expiry_date: _Optional[str] = ..., strike: _Optional[str] = ..., right: _Optional[_Union[_instrument_pb2.OptionRight, str]] = ..., multiplier: _Optional[str] = ..., style: _Optional[_Union[_instrument_pb2.ExerciseStyle, str]] = ...) -> None: ...

class FutureSpec(_message.Message):
    __slots__ = ("underlying", "expiry_date", "multiplier")
    UNDERLYING_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    underlying: _value_pb2.InstrumentRef
    expiry_date: str
    multiplier: str
    def __init__(self, underlying: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., expiry_date: _Optional[str] = ..., multiplier: _Optional[str] = ...) -> None: ...

class CreateInstrumentRequest(_message.Message):
    __slots__ = ("request_id", "instrument")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument: InstrumentSpec
    def __init__(self, request_id: _Optional[str] = ..., instrument: _Optional[_Union[InstrumentSpec, _Mapping]] = ...) -> None: ...

class CreateInstrumentResponse(_message.Message):
    __slots__ = ("instrument", "duplicate")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    duplicate: bool
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ImportInstrumentsRequest(_message.Message):
    __slots__ = ("request_id", "instruments")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instruments: _containers.RepeatedCompositeFieldContainer[InstrumentSpec]
    def __init__(self, request_id: _Optional[str] = ..., instruments: _Optional[_Iterable[_Union[InstrumentSpec, _Mapping]]] = ...) -> None: ...

class ImportInstrumentsResponse(_message.Message):
    __slots__ = ("instrument_ids", "created", "duplicate")
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    created: int
    duplicate: bool
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ..., created: _Optional[int] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class UpdateInstrumentRequest(_message.Message):
    __slots__ = ("request_id", "instrument_id", "instrument", "update_mask", "etag")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument_id: str
    instrument: InstrumentChange
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, request_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., instrument: _Optional[_Union[InstrumentChange, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InstrumentChange(_message.Message):
    __slots__ = ("name", "isin", "figi", "tick_size", "tick_bands", "lot_size", "status", "delisting_date")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ISIN_FIELD_NUMBER: _ClassVar[int]
    FIGI_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    TICK_BANDS_FIELD_NUMBER: _ClassVar[int]
    LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DELISTING_DATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    isin: str
    figi: str
    tick_size: str
    tick_bands: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.TickBand]
    lot_size: str
    status: _instrument_pb2.InstrumentStatus
    delisting_date: str
    def __init__(self, name: _Optional[str] = ..., isin: _Optional[str] = ..., figi: _Optional[str] = ..., tick_size: _Optional[str] = ..., tick_bands: _Optional[_Iterable[_Union[_instrument_pb2.TickBand, _Mapping]]] = ..., lot_size: _Optional[str] = ..., status: _Optional[_Union[_instrument_pb2.InstrumentStatus, str]] = ..., delisting_date: _Optional[str] = ...) -> None: ...

class UpdateInstrumentResponse(_message.Message):
    __slots__ = ("instrument", "duplicate")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    duplicate: bool
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ChangeSymbolRequest(_message.Message):
    __slots__ = ("request_id", "instrument_id", "symbol", "mic", "effective_date", "etag")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument_id: str
    symbol: str
    mic: str
    effective_date: str
    etag: str
    def __init__(self, request_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., symbol: _Optional[str] = ..., mic: _Optional[str] = ..., effective_date: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ChangeSymbolResponse(_message.Message):
    __slots__ = ("instrument", "duplicate")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    duplicate: bool
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListSymbolChangesRequest(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ...) -> None: ...

class ListSymbolChangesResponse(_message.Message):
    __slots__ = ("instrument_id", "periods")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    periods: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.SymbolPeriod]
    def __init__(self, instrument_id: _Optional[str] = ..., periods: _Optional[_Iterable[_Union[_instrument_pb2.SymbolPeriod, _Mapping]]] = ...) -> None: ...

class ListOptionChainRequest(_message.Message):
    __slots__ = ("underlying", "expiry_from", "expiry_to", "right", "page_size", "page_token")
    UNDERLYING_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FROM_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TO_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    underlying: _value_pb2.InstrumentRef
    expiry_from: str
    expiry_to: str
    right: _instrument_pb2.OptionRight
    page_size: int
    page_token: str
    def __init__(self, underlying: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., expiry_from: _Optional[str] = ..., expiry_to: _Optional[str] = ..., right: _Optional[_Union[_instrument_pb2.OptionRight, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOptionChainResponse(_message.Message):
    __slots__ = ("options", "next_page_token")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    next_page_token: str
    def __init__(self, options: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
