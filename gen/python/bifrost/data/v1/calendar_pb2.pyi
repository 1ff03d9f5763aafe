import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarketState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARKET_STATE_UNSPECIFIED: _ClassVar[MarketState]
    MARKET_STATE_CLOSED: _ClassVar[MarketState]
    MARKET_STATE_OPEN: _ClassVar[MarketState]
    MARKET_STATE_BREAK: _ClassVar[MarketState]
MARKET_STATE_UNSPECIFIED: MarketState
MARKET_STATE_CLOSED: MarketState
MARKET_STATE_OPEN: MarketState
MARKET_STATE_BREAK: MarketState

class Calendar(_message.Message):
    __slots__ = ("mic", "name", "time_zone", "aliases")
    MIC_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    mic: str
    name: str
    time_zone: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mic: _Optional[str] = ..., name: _Optional[str] = ..., time_zone: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_date", "open_time", "close_time", "break_start_time", "break_end_time", "early_close", "late_open")
    SESSION_DATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    BREAK_START_TIME_FIELD_NUMBER: _ClassVar[int]
    BREAK_END_TIME_FIELD_NUMBER: _ClassVar[int]
    EARLY_CLOSE_FIELD_NUMBER: _ClassVar[int]
    LATE_OPEN_FIELD_NUMBER: _ClassVar[int]
    session_date: str
    open_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    break_start_time: _timestamp_pb2.Timestamp
    break_end_time: _timestamp_pb2.Timestamp
    early_close: bool
    late_open: bool
    def __init__(self, session_date: _Optional[str] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., break_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., break_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., early_close: _Optional[bool] = ..., late_open: _Optional[bool] = ...) -> None: ...
