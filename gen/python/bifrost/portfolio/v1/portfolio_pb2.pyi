import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_TYPE_UNSPECIFIED: _ClassVar[AccountType]
    ACCOUNT_TYPE_CASH: _ClassVar[AccountType]
ACCOUNT_TYPE_UNSPECIFIED: AccountType
ACCOUNT_TYPE_CASH: AccountType

class Portfolio(_message.Message):
    __slots__ = ("portfolio_id", "owner_user_id", "name", "create_time")
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    portfolio_id: str
    owner_user_id: str
    name: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, portfolio_id: _Optional[str] = ..., owner_user_id: _Optional[str] = ..., name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("account_id", "portfolio_id", "owner_user_id", "name", "currency", "venue", "type", "create_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    portfolio_id: str
    owner_user_id: str
    name: str
    currency: str
    venue: str
    type: AccountType
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., owner_user_id: _Optional[str] = ..., name: _Optional[str] = ..., currency: _Optional[str] = ..., venue: _Optional[str] = ..., type: _Optional[_Union[AccountType, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("account_id", "instrument_id", "symbol", "quantity", "cost", "average_cost", "realized_pnl", "unrealized_pnl", "mark_price", "mark_stale", "currency", "lots")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_COST_FIELD_NUMBER: _ClassVar[int]
    REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    MARK_PRICE_FIELD_NUMBER: _ClassVar[int]
    MARK_STALE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    instrument_id: str
    symbol: str
    quantity: str
    cost: str
    average_cost: str
    realized_pnl: str
    unrealized_pnl: str
    mark_price: str
    mark_stale: bool
    currency: str
    lots: _containers.RepeatedCompositeFieldContainer[Lot]
    def __init__(self, account_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., symbol: _Optional[str] = ..., quantity: _Optional[str] = ..., cost: _Optional[str] = ..., average_cost: _Optional[str] = ..., realized_pnl: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., mark_price: _Optional[str] = ..., mark_stale: _Optional[bool] = ..., currency: _Optional[str] = ..., lots: _Optional[_Iterable[_Union[Lot, _Mapping]]] = ...) -> None: ...

class Lot(_message.Message):
    __slots__ = ("fill_id", "quantity", "cost", "open_time")
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    fill_id: str
    quantity: str
    cost: str
    open_time: _timestamp_pb2.Timestamp
    def __init__(self, fill_id: _Optional[str] = ..., quantity: _Optional[str] = ..., cost: _Optional[str] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("account_id", "currency", "cash", "market_value", "equity", "realized_pnl", "unrealized_pnl", "fees", "mark_stale", "order_log_sequence")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    MARKET_VALUE_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    REALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    MARK_STALE_FIELD_NUMBER: _ClassVar[int]
    ORDER_LOG_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    currency: str
    cash: str
    market_value: str
    equity: str
    realized_pnl: str
    unrealized_pnl: str
    fees: str
    mark_stale: bool
    order_log_sequence: int
    def __init__(self, account_id: _Optional[str] = ..., currency: _Optional[str] = ..., cash: _Optional[str] = ..., market_value: _Optional[str] = ..., equity: _Optional[str] = ..., realized_pnl: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., fees: _Optional[str] = ..., mark_stale: _Optional[bool] = ..., order_log_sequence: _Optional[int] = ...) -> None: ...
