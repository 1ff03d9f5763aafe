import datetime

from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StorageLayout(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STORAGE_LAYOUT_UNSPECIFIED: _ClassVar[StorageLayout]
    STORAGE_LAYOUT_PARTITIONS: _ClassVar[StorageLayout]
    STORAGE_LAYOUT_HYPERTABLE: _ClassVar[StorageLayout]
STORAGE_LAYOUT_UNSPECIFIED: StorageLayout
STORAGE_LAYOUT_PARTITIONS: StorageLayout
STORAGE_LAYOUT_HYPERTABLE: StorageLayout

class ListBarsRequest(_message.Message):
    __slots__ = ("instrument", "interval", "start_time", "end_time", "adjustment", "page_size", "page_token", "as_of", "hours")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    adjustment: _bar_pb2.Adjustment
    page_size: int
    page_token: str
    as_of: _timestamp_pb2.Timestamp
    hours: _bar_pb2.TradingHours
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., adjustment: _Optional[_Union[_bar_pb2.Adjustment, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hours: _Optional[_Union[_bar_pb2.TradingHours, str]] = ...) -> None: ...

class ListBarsResponse(_message.Message):
    __slots__ = ("instrument_id", "bars", "next_page_token", "made_from")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MADE_FROM_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    bars: _bar_pb2.BarColumns
    next_page_token: str
    made_from: _bar_pb2.BarInterval
    def __init__(self, instrument_id: _Optional[str] = ..., bars: _Optional[_Union[_bar_pb2.BarColumns, _Mapping]] = ..., next_page_token: _Optional[str] = ..., made_from: _Optional[_Union[_bar_pb2.BarInterval, str]] = ...) -> None: ...

class GetStorageRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStorageResponse(_message.Message):
    __slots__ = ("layout", "description")
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    layout: StorageLayout
    description: str
    def __init__(self, layout: _Optional[_Union[StorageLayout, str]] = ..., description: _Optional[str] = ...) -> None: ...
