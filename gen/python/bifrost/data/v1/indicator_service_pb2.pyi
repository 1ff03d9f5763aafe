import datetime

from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import indicator_pb2 as _indicator_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListIndicatorsRequest(_message.Message):
    __slots__ = ("group", "page_size", "page_token")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    group: str
    page_size: int
    page_token: str
    def __init__(self, group: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIndicatorsResponse(_message.Message):
    __slots__ = ("indicators", "next_page_token")
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.Indicator]
    next_page_token: str
    def __init__(self, indicators: _Optional[_Iterable[_Union[_indicator_pb2.Indicator, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ComputeIndicatorsRequest(_message.Message):
    __slots__ = ("instrument", "interval", "start_time", "end_time", "adjustment", "indicators", "page_size", "page_token", "as_of", "hours")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    adjustment: _bar_pb2.Adjustment
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.IndicatorSpec]
    page_size: int
    page_token: str
    as_of: _timestamp_pb2.Timestamp
    hours: _bar_pb2.TradingHours
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., adjustment: _Optional[_Union[_bar_pb2.Adjustment, str]] = ..., indicators: _Optional[_Iterable[_Union[_indicator_pb2.IndicatorSpec, _Mapping]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hours: _Optional[_Union[_bar_pb2.TradingHours, str]] = ...) -> None: ...

class ComputeIndicatorsResponse(_message.Message):
    __slots__ = ("instrument_id", "open_time_ns", "indicators", "next_page_token")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    open_time_ns: _containers.RepeatedScalarFieldContainer[int]
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.IndicatorColumns]
    next_page_token: str
    def __init__(self, instrument_id: _Optional[str] = ..., open_time_ns: _Optional[_Iterable[int]] = ..., indicators: _Optional[_Iterable[_Union[_indicator_pb2.IndicatorColumns, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamIndicatorsRequest(_message.Message):
    __slots__ = ("instrument", "interval", "start_time", "end_time", "adjustment", "indicators", "as_of", "hours")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    adjustment: _bar_pb2.Adjustment
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.IndicatorSpec]
    as_of: _timestamp_pb2.Timestamp
    hours: _bar_pb2.TradingHours
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., adjustment: _Optional[_Union[_bar_pb2.Adjustment, str]] = ..., indicators: _Optional[_Iterable[_Union[_indicator_pb2.IndicatorSpec, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hours: _Optional[_Union[_bar_pb2.TradingHours, str]] = ...) -> None: ...

class StreamIndicatorsResponse(_message.Message):
    __slots__ = ("instrument_id", "open_time_ns", "indicators")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    open_time_ns: _containers.RepeatedScalarFieldContainer[int]
    indicators: _containers.RepeatedCompositeFieldContainer[_indicator_pb2.IndicatorColumns]
    def __init__(self, instrument_id: _Optional[str] = ..., open_time_ns: _Optional[_Iterable[int]] = ..., indicators: _Optional[_Iterable[_Union[_indicator_pb2.IndicatorColumns, _Mapping]]] = ...) -> None: ...
