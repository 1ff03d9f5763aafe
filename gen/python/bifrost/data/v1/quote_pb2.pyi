from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Quote(_message.Message):
    __slots__ = ("instrument_id", "bid", "bid_size", "ask", "ask_size", "last", "event_time_ns", "receive_time_ns", "stale", "age_ms", "synthetic", "conflated", "source", "halted")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    CONFLATED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    event_time_ns: int
    receive_time_ns: int
    stale: bool
    age_ms: int
    synthetic: bool
    conflated: int
    source: str
    halted: bool
    def __init__(self, instrument_id: _Optional[str] = ..., bid: _Optional[float] = ..., bid_size: _Optional[float] = ..., ask: _Optional[float] = ..., ask_size: _Optional[float] = ..., last: _Optional[float] = ..., event_time_ns: _Optional[int] = ..., receive_time_ns: _Optional[int] = ..., stale: _Optional[bool] = ..., age_ms: _Optional[int] = ..., synthetic: _Optional[bool] = ..., conflated: _Optional[int] = ..., source: _Optional[str] = ..., halted: _Optional[bool] = ...) -> None: ...

class Trade(_message.Message):
    __slots__ = ("instrument_id", "price", "size", "event_time_ns", "trade_number", "synthetic", "user")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    TRADE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    price: float
    size: float
    event_time_ns: int
    trade_number: int
    synthetic: bool
    user: bool
    def __init__(self, instrument_id: _Optional[str] = ..., price: _Optional[float] = ..., size: _Optional[float] = ..., event_time_ns: _Optional[int] = ..., trade_number: _Optional[int] = ..., synthetic: _Optional[bool] = ..., user: _Optional[bool] = ...) -> None: ...
