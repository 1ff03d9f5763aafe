import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssetClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSET_CLASS_UNSPECIFIED: _ClassVar[AssetClass]
    ASSET_CLASS_EQUITY: _ClassVar[AssetClass]
    ASSET_CLASS_ETF: _ClassVar[AssetClass]
    ASSET_CLASS_INDEX: _ClassVar[AssetClass]
    ASSET_CLASS_FX: _ClassVar[AssetClass]
    ASSET_CLASS_CRYPTO: _ClassVar[AssetClass]
    ASSET_CLASS_FUTURE: _ClassVar[AssetClass]
    ASSET_CLASS_OPTION: _ClassVar[AssetClass]

class InstrumentStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTRUMENT_STATUS_UNSPECIFIED: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_ACTIVE: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_HALTED: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_DELISTED: _ClassVar[InstrumentStatus]

class OptionRight(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPTION_RIGHT_UNSPECIFIED: _ClassVar[OptionRight]
    OPTION_RIGHT_CALL: _ClassVar[OptionRight]
    OPTION_RIGHT_PUT: _ClassVar[OptionRight]

class ExerciseStyle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXERCISE_STYLE_UNSPECIFIED: _ClassVar[ExerciseStyle]
    EXERCISE_STYLE_AMERICAN: _ClassVar[ExerciseStyle]
    EXERCISE_STYLE_EUROPEAN: _ClassVar[ExerciseStyle]
ASSET_CLASS_UNSPECIFIED: AssetClass
ASSET_CLASS_EQUITY: AssetClass
ASSET_CLASS_ETF: AssetClass
ASSET_CLASS_INDEX: AssetClass
ASSET_CLASS_FX: AssetClass
ASSET_CLASS_CRYPTO: AssetClass
ASSET_CLASS_FUTURE: AssetClass
ASSET_CLASS_OPTION: AssetClass
INSTRUMENT_STATUS_UNSPECIFIED: InstrumentStatus
INSTRUMENT_STATUS_ACTIVE: InstrumentStatus
INSTRUMENT_STATUS_HALTED: InstrumentStatus
INSTRUMENT_STATUS_DELISTED: InstrumentStatus
OPTION_RIGHT_UNSPECIFIED: OptionRight
OPTION_RIGHT_CALL: OptionRight
OPTION_RIGHT_PUT: OptionRight
EXERCISE_STYLE_UNSPECIFIED: ExerciseStyle
EXERCISE_STYLE_AMERICAN: ExerciseStyle
EXERCISE_STYLE_EUROPEAN: ExerciseStyle

class Instrument(_message.Message):
    __slots__ = ("instrument_id", "symbol", "mic", "name", "asset_class", "currency", "tick_size", "lot_size", "status", "listing_date", "delisting_date", "isin", "figi", "tick_bands", "option", "future", "etag")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ASSET_CLASS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LISTING_DATE_FIELD_NUMBER: _ClassVar[int]
    DELISTING_DATE_FIELD_NUMBER: _ClassVar[int]
    ISIN_FIELD_NUMBER: _ClassVar[int]
    FIGI_FIELD_NUMBER: _ClassVar[int]
    TICK_BANDS_FIELD_NUMBER: _ClassVar[int]
    OPTION_FIELD_NUMBER: _ClassVar[int]
    FUTURE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    symbol: str
    mic: str
    name: str
    asset_class: AssetClass
    currency: str
    tick_size: str
    lot_size: str
    status: InstrumentStatus
    listing_date: str
    delisting_date: str
    isin: str
    figi: str
    tick_bands: _containers.RepeatedCompositeFieldContainer[TickBand]
    option: OptionTerms
    future: FutureTerms
    etag: str
    def __init__(self, instrument_id: _Optional[str] = ..., symbol: _Optional[str] = ..., mic: _Optional[str] = ..., name: _Optional[str] = ..., asset_class: _Optional[_Union[AssetClass, str]] = ..., currency: _Optional[str] = ..., tick_size: _Optional[str] = ..., lot_size: _Optional[str] = ..., status: _Optional[_Union[InstrumentStatus, str]] = ..., listing_date: _Optional[str] = ..., delisting_date: _Optional[str] = ..., isin: _Optional[str] = ..., figi: _Optional[str] = ..., tick_bands: _Optional[_Iterable[_Union[TickBand, _Mapping]]] = ..., option: _Optional[_Union[OptionTerms, _Mapping]] = ..., future: _Optional[_Union[FutureTerms, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class TickBand(_message.Message):
    __slots__ = ("from_price", "tick_size")
    FROM_PRICE_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    from_price: str
    tick_size: str
    def __init__(self, from_price: _Optional[str] = ..., tick_size: _Optional[str] = ...) -> None: ...

class OptionTerms(_message.Message):
    __slots__ = ("underlying_id", "expiry_date", "strike", "right", "multiplier", "style")
    UNDERLYING_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    underlying_id: str
    expiry_date: str
    strike: str
    right: OptionRight
    multiplier: str
    style: ExerciseStyle
    def __init__(self, underlying_id: _Optional[str] = ..., expiry_date: _Optional[str] = ..., strike: _Optional[str] = ..., right: _Optional[_Union[OptionRight, str]] = ..., multiplier: _Optional[str] = ..., style: _Optional[_Union[ExerciseStyle, str]] = ...) -> None: ...

class FutureTerms(_message.Message):
    __slots__ = ("underlying_id", "expiry_date", "multiplier")
    UNDERLYING_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    underlying_id: str
    expiry_date: str
    multiplier: str
    def __init__(self, underlying_id: _Optional[str] = ..., expiry_date: _Optional[str] = ..., multiplier: _Optional[str] = ...) -> None: ...

class SymbolPeriod(_message.Message):
    __slots__ = ("symbol", "mic", "from_date", "to_date")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    mic: str
    from_date: str
    to_date: str
    def __init__(self, symbol: _Optional[str] = ..., mic: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ...) -> None: ...

class Split(_message.Message):
    __slots__ = ("ex_date", "new_shares", "old_shares", "source", "record_time")
    EX_DATE_FIELD_NUMBER: _ClassVar[int]
    NEW_SHARES_FIELD_NUMBER: _ClassVar[int]
    OLD_SHARES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    ex_date: str
    new_shares: int
    old_shares: int
    source: str
    record_time: _timestamp_pb2.Timestamp
    def __init__(self, ex_date: _Optional[str] = ..., new_shares: _Optional[int] = ..., old_shares: _Optional[int] = ..., source: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Dividend(_message.Message):
    __slots__ = ("ex_date", "amount", "currency", "source", "record_time")
    EX_DATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    ex_date: str
    amount: str
    currency: str
    source: str
    record_time: _timestamp_pb2.Timestamp
    def __init__(self, ex_date: _Optional[str] = ..., amount: _Optional[str] = ..., currency: _Optional[str] = ..., source: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
