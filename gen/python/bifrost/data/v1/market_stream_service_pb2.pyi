from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import indicator_pb2 as _indicator_pb2
from bifrost.data.v1 import quote_pb2 as _quote_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SourceChangeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_CHANGE_REASON_UNSPECIFIED: _ClassVar[SourceChangeReason]
    SOURCE_CHANGE_REASON_LOST: _ClassVar[SourceChangeReason]
    SOURCE_CHANGE_REASON_PREFERRED: _ClassVar[SourceChangeReason]

class LiveMarketState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIVE_MARKET_STATE_UNSPECIFIED: _ClassVar[LiveMarketState]
    LIVE_MARKET_STATE_CLOSED: _ClassVar[LiveMarketState]
    LIVE_MARKET_STATE_OPEN: _ClassVar[LiveMarketState]
    LIVE_MARKET_STATE_BREAK: _ClassVar[LiveMarketState]
    LIVE_MARKET_STATE_HALTED: _ClassVar[LiveMarketState]
SOURCE_CHANGE_REASON_UNSPECIFIED: SourceChangeReason
SOURCE_CHANGE_REASON_LOST: SourceChangeReason
SOURCE_CHANGE_REASON_PREFERRED: SourceChangeReason
LIVE_MARKET_STATE_UNSPECIFIED: LiveMarketState
LIVE_MARKET_STATE_CLOSED: LiveMarketState
LIVE_MARKET_STATE_OPEN: LiveMarketState
LIVE_MARKET_STATE_BREAK: LiveMarketState
LIVE_MARKET_STATE_HALTED: LiveMarketState

class GetQuoteRequest(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ...) -> None: ...

class GetQuoteResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.Quote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.Quote, _Mapping]] = ...) -> None: ...

class StreamQuotesRequest(_message.Message):
    __slots__ = ("instrument_ids", "symbols", "resume_after")
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    RESUME_AFTER_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    resume_after: _stream_pb2.StreamPosition
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ..., resume_after: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ...) -> None: ...

class StreamQuotesResponse(_message.Message):
    __slots__ = ("header", "subscription_id", "snapshot", "update", "replay_end", "heartbeat", "source_change")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    subscription_id: str
    snapshot: QuoteBatch
    update: QuoteBatch
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    source_change: SourceChange
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., subscription_id: _Optional[str] = ..., snapshot: _Optional[_Union[QuoteBatch, _Mapping]] = ..., update: _Optional[_Union[QuoteBatch, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., source_change: _Optional[_Union[SourceChange, _Mapping]] = ...) -> None: ...

class QuoteBatch(_message.Message):
    __slots__ = ("quotes",)
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    def __init__(self, quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ...) -> None: ...

class StreamTradesRequest(_message.Message):
    __slots__ = ("instrument_ids", "symbols")
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamTradesResponse(_message.Message):
    __slots__ = ("header", "subscription_id", "trades", "heartbeat", "source_change")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    subscription_id: str
    trades: TradeBatch
    heartbeat: _stream_pb2.Heartbeat
    source_change: SourceChange
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., subscription_id: _Optional[str] = ..., trades: _Optional[_Union[TradeBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., source_change: _Optional[_Union[SourceChange, _Mapping]] = ...) -> None: ...

class TradeBatch(_message.Message):
    __slots__ = ("trades",)
    TRADES_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Trade]
    def __init__(self, trades: _Optional[_Iterable[_Union[_quote_pb2.Trade, _Mapping]]] = ...) -> None: ...

class StreamBarsRequest(_message.Message):
    __slots__ = ("instrument_ids", "symbols", "interval")
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    interval: _bar_pb2.BarInterval
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ...) -> None: ...

class StreamBarsResponse(_message.Message):
    __slots__ = ("header", "subscription_id", "bars", "heartbeat", "snapshot", "replay_end", "source_change")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    subscription_id: str
    bars: BarBatch
    heartbeat: _stream_pb2.Heartbeat
    snapshot: BarBatch
    replay_end: _stream_pb2.ReplayEnd
    source_change: SourceChange
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., subscription_id: _Optional[str] = ..., bars: _Optional[_Union[BarBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., snapshot: _Optional[_Union[BarBatch, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., source_change: _Optional[_Union[SourceChange, _Mapping]] = ...) -> None: ...

class BarBatch(_message.Message):
    __slots__ = ("bars",)
    BARS_FIELD_NUMBER: _ClassVar[int]
    bars: _containers.RepeatedCompositeFieldContainer[_bar_pb2.Bar]
    def __init__(self, bars: _Optional[_Iterable[_Union[_bar_pb2.Bar, _Mapping]]] = ...) -> None: ...

class SourceChange(_message.Message):
    __slots__ = ("source", "previous_source", "reason")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    source: str
    previous_source: str
    reason: SourceChangeReason
    def __init__(self, source: _Optional[str] = ..., previous_source: _Optional[str] = ..., reason: _Optional[_Union[SourceChangeReason, str]] = ...) -> None: ...

class UpdateSubscriptionRequest(_message.Message):
    __slots__ = ("subscription_id", "add_instrument_ids", "add_symbols", "drop_instrument_ids", "drop_symbols")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    ADD_INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ADD_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    DROP_INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    DROP_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    add_instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    add_symbols: _containers.RepeatedScalarFieldContainer[str]
    drop_instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    drop_symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subscription_id: _Optional[str] = ..., add_instrument_ids: _Optional[_Iterable[str]] = ..., add_symbols: _Optional[_Iterable[str]] = ..., drop_instrument_ids: _Optional[_Iterable[str]] = ..., drop_symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateSubscriptionResponse(_message.Message):
    __slots__ = ("instrument_ids",)
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamMarketStatusRequest(_message.Message):
    __slots__ = ("mics",)
    MICS_FIELD_NUMBER: _ClassVar[int]
    mics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mics: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamMarketStatusResponse(_message.Message):
    __slots__ = ("header", "snapshot", "update", "replay_end", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    snapshot: LiveMarketStatusBatch
    update: LiveMarketStatusBatch
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., snapshot: _Optional[_Union[LiveMarketStatusBatch, _Mapping]] = ..., update: _Optional[_Union[LiveMarketStatusBatch, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...

class LiveMarketStatusBatch(_message.Message):
    __slots__ = ("statuses",)
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    statuses: _containers.RepeatedCompositeFieldContainer[LiveMarketStatus]
    def __init__(self, statuses: _Optional[_Iterable[_Union[LiveMarketStatus, _Mapping]]] = ...) -> None: ...

class LiveMarketStatus(_message.Message):
    __slots__ = ("mic", "state", "from_source", "stale", "halted_instrument_ids", "event_time_ns")
    MIC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FROM_SOURCE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    HALTED_INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    mic: str
    state: LiveMarketState
    from_source: bool
    stale: bool
    halted_instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    event_time_ns: int
    def __init__(self, mic: _Optional[str] = ..., state: _Optional[_Union[LiveMarketState, str]] = ..., from_source: _Optional[bool] = ..., stale: _Optional[bool] = ..., halted_instrument_ids: _Optional[_Iterable[str]] = ..., event_time_ns: _Optional[int] = ...) -> None: ...

class StreamLiveIndicatorsRequest(_message.Message):
    __slots__ = ("instrument_ids", "symbols", "interval", "indicators", "adjustment")
    INSTRUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    instrument_ids: _containers.RepeatedScalarFieldContainer[str]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    interval: _bar_pb2.BarInterval
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.IndicatorSpec]
    adjustment: _bar_pb2.Adjustment
    def __init__(self, instrument_ids: _Optional[_Iterable[str]] = ..., symbols: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., indicators: _Optional[_Iterable[_Union[_indicator_pb2.IndicatorSpec, _Mapping]]] = ..., adjustment: _Optional[_Union[_bar_pb2.Adjustment, str]] = ...) -> None: ...

class StreamLiveIndicatorsResponse(_message.Message):
    __slots__ = ("header", "snapshot", "update", "replay_end", "heartbeat", "source_change")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    snapshot: LiveIndicatorBatch
    update: LiveIndicatorBatch
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    source_change: SourceChange
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., snapshot: _Optional[_Union[LiveIndicatorBatch, _Mapping]] = ..., update: _Optional[_Union[LiveIndicatorBatch, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., source_change: _Optional[_Union[SourceChange, _Mapping]] = ...) -> None: ...

class LiveIndicatorBatch(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[LiveIndicatorValues]
    def __init__(self, values: _Optional[_Iterable[_Union[LiveIndicatorValues, _Mapping]]] = ...) -> None: ...

class LiveIndicatorValues(_message.Message):
    __slots__ = ("instrument_id", "open_time_ns", "closed", "indicators")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    open_time_ns: int
    closed: bool
    indicators: _containers.RepeatedCompositeFieldContainer[LiveIndicator]
    def __init__(self, instrument_id: _Optional[str] = ..., open_time_ns: _Optional[int] = ..., closed: _Optional[bool] = ..., indicators: _Optional[_Iterable[_Union[LiveIndicator, _Mapping]]] = ...) -> None: ...

class LiveIndicator(_message.Message):
    __slots__ = ("label", "values", "repaints")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REPAINTS_FIELD_NUMBER: _ClassVar[int]
    label: str
    values: _containers.RepeatedScalarFieldContainer[float]
    repaints: bool
    def __init__(self, label: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ..., repaints: _Optional[bool] = ...) -> None: ...
