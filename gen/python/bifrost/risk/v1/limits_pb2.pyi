import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Limits(_message.Message):
    __slots__ = ("account_id", "max_order_quantity", "max_order_notional", "price_collar", "max_position_quantity", "max_orders_per_second", "duplicate_window_ms", "max_price_age_ms", "etag")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_ORDER_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    MAX_ORDER_NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    PRICE_COLLAR_FIELD_NUMBER: _ClassVar[int]
    MAX_POSITION_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    MAX_ORDERS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    max_order_quantity: str
    max_order_notional: str
    price_collar: str
    max_position_quantity: str
    max_orders_per_second: int
    duplicate_window_ms: int
    max_price_age_ms: int
    etag: str
    def __init__(self, account_id: _Optional[str] = ..., max_order_quantity: _Optional[str] = ..., max_order_notional: _Optional[str] = ..., price_collar: _Optional[str] = ..., max_position_quantity: _Optional[str] = ..., max_orders_per_second: _Optional[int] = ..., duplicate_window_ms: _Optional[int] = ..., max_price_age_ms: _Optional[int] = ..., etag: _Optional[str] = ...) -> None: ...

class KillSwitch(_message.Message):
    __slots__ = ("account_id", "engaged", "reason", "user_id", "update_time")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ENGAGED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    engaged: bool
    reason: str
    user_id: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, account_id: _Optional[str] = ..., engaged: _Optional[bool] = ..., reason: _Optional[str] = ..., user_id: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
