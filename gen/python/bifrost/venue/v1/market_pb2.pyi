from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarketUpdate(_message.Message):
    __slots__ = ("quotes", "trades")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[VenueQuote]
    trades: _containers.RepeatedCompositeFieldContainer[VenueTrade]
    def __init__(self, quotes: _Optional[_Iterable[_Union[VenueQuote, _Mapping]]] = ..., trades: _Optional[_Iterable[_Union[VenueTrade, _Mapping]]] = ...) -> None: ...

class VenueQuote(_message.Message):
    __slots__ = ("instrument_id", "bid", "bid_size", "ask", "ask_size", "last", "event_time_ns", "open", "halted")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    event_time_ns: int
    open: bool
    halted: bool
    def __init__(self, instrument_id: _Optional[str] = ..., bid: _Optional[float] = ..., bid_size: _Optional[float] = ..., ask: _Optional[float] = ..., ask_size: _Optional[float] = ..., last: _Optional[float] = ..., event_time_ns: _Optional[int] = ..., open: _Optional[bool] = ..., halted: _Optional[bool] = ...) -> None: ...

class VenueTrade(_message.Message):
    __slots__ = ("instrument_id", "price", "size", "event_time_ns", "trade_number", "user", "session_day", "session_end")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    TRADE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SESSION_DAY_FIELD_NUMBER: _ClassVar[int]
    SESSION_END_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    price: float
    size: float
    event_time_ns: int
    trade_number: int
    user: bool
    session_day: int
    session_end: bool
    def __init__(self, instrument_id: _Optional[str] = ..., price: _Optional[float] = ..., size: _Optional[float] = ..., event_time_ns: _Optional[int] = ..., trade_number: _Optional[int] = ..., user: _Optional[bool] = ..., session_day: _Optional[int] = ..., session_end: _Optional[bool] = ...) -> None: ...

class Book(_message.Message):
    __slots__ = ("instrument_id", "bids", "asks", "event_time_ns")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    bids: _containers.RepeatedCompositeFieldContainer[BookLevel]
    asks: _containers.RepeatedCompositeFieldContainer[BookLevel]
    event_time_ns: int
    def __init__(self, instrument_id: _Optional[str] = ..., bids: _Optional[_Iterable[_Union[BookLevel, _Mapping]]] = ..., asks: _Optional[_Iterable[_Union[BookLevel, _Mapping]]] = ..., event_time_ns: _Optional[int] = ...) -> None: ...

class BookLevel(_message.Message):
    __slots__ = ("price", "size", "synthetic_size", "orders")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_SIZE_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    price: float
    size: float
    synthetic_size: float
    orders: int
    def __init__(self, price: _Optional[float] = ..., size: _Optional[float] = ..., synthetic_size: _Optional[float] = ..., orders: _Optional[int] = ...) -> None: ...
