import datetime

from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import ingestion_pb2 as _ingestion_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScheduleTime(_message.Message):
    __slots__ = ("minutes_after_close", "local_time")
    MINUTES_AFTER_CLOSE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TIME_FIELD_NUMBER: _ClassVar[int]
    minutes_after_close: int
    local_time: str
    def __init__(self, minutes_after_close: _Optional[int] = ..., local_time: _Optional[str] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("schedule_id", "source", "symbols", "interval", "calendar", "time", "paused", "create_time", "next_due_time", "last_ingestion_id", "kind", "error_message")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    source: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    interval: _bar_pb2.BarInterval
    calendar: str
    time: ScheduleTime
    paused: bool
    create_time: _timestamp_pb2.Timestamp
    next_due_time: _timestamp_pb2.Timestamp
    last_ingestion_id: str
    kind: _ingestion_pb2.IngestionKind
    error_message: str
    def __init__(self, schedule_id: _Optional[str] = ..., source: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., calendar: _Optional[str] = ..., time: _Optional[_Union[ScheduleTime, _Mapping]] = ..., paused: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_ingestion_id: _Optional[str] = ..., kind: _Optional[_Union[_ingestion_pb2.IngestionKind, str]] = ..., error_message: _Optional[str] = ...) -> None: ...
