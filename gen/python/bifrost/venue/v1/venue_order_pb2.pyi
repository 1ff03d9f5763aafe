import datetime

from bifrost.type.v1 import order_terms_pb2 as _order_terms_pb2
from bifrost.venue.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VenueOrderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VENUE_ORDER_STATE_UNSPECIFIED: _ClassVar[VenueOrderState]
    VENUE_ORDER_STATE_WORKING: _ClassVar[VenueOrderState]
    VENUE_ORDER_STATE_FILLED: _ClassVar[VenueOrderState]
    VENUE_ORDER_STATE_CANCELLED: _ClassVar[VenueOrderState]
    VENUE_ORDER_STATE_REJECTED: _ClassVar[VenueOrderState]
    VENUE_ORDER_STATE_EXPIRED: _ClassVar[VenueOrderState]

class LiquidityFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_FLAG_UNSPECIFIED: _ClassVar[LiquidityFlag]
    LIQUIDITY_FLAG_MAKER: _ClassVar[LiquidityFlag]
    LIQUIDITY_FLAG_TAKER: _ClassVar[LiquidityFlag]

class ExecutionReportType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_REPORT_TYPE_UNSPECIFIED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_ACCEPTED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_REJECTED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_FILL: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_CANCELLED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_REPLACED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_EXPIRED: _ClassVar[ExecutionReportType]
    EXECUTION_REPORT_TYPE_TRIGGERED: _ClassVar[ExecutionReportType]
VENUE_ORDER_STATE_UNSPECIFIED: VenueOrderState
VENUE_ORDER_STATE_WORKING: VenueOrderState
VENUE_ORDER_STATE_FILLED: VenueOrderState
VENUE_ORDER_STATE_CANCELLED: VenueOrderState
VENUE_ORDER_STATE_REJECTED: VenueOrderState
VENUE_ORDER_STATE_EXPIRED: VenueOrderState
LIQUIDITY_FLAG_UNSPECIFIED: LiquidityFlag
LIQUIDITY_FLAG_MAKER: LiquidityFlag
LIQUIDITY_FLAG_TAKER: LiquidityFlag
EXECUTION_REPORT_TYPE_UNSPECIFIED: ExecutionReportType
EXECUTION_REPORT_TYPE_ACCEPTED: ExecutionReportType
EXECUTION_REPORT_TYPE_REJECTED: ExecutionReportType
EXECUTION_REPORT_TYPE_FILL: ExecutionReportType
EXECUTION_REPORT_TYPE_CANCELLED: ExecutionReportType
EXECUTION_REPORT_TYPE_REPLACED: ExecutionReportType
EXECUTION_REPORT_TYPE_EXPIRED: ExecutionReportType
EXECUTION_REPORT_TYPE_TRIGGERED: ExecutionReportType

class VenueOrder(_message.Message):
    __slots__ = ("venue_order_id", "client_order_id", "account_id", "instrument_id", "terms", "state", "filled_quantity", "reject_reason", "message", "terms_version", "accept_time", "update_time")
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FILLED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    venue_order_id: str
    client_order_id: str
    account_id: str
    instrument_id: str
    terms: _order_terms_pb2.OrderTerms
    state: VenueOrderState
    filled_quantity: str
    reject_reason: _error_reason_pb2.RejectReason
    message: str
    terms_version: int
    accept_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, venue_order_id: _Optional[str] = ..., client_order_id: _Optional[str] = ..., account_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., terms: _Optional[_Union[_order_terms_pb2.OrderTerms, _Mapping]] = ..., state: _Optional[_Union[VenueOrderState, str]] = ..., filled_quantity: _Optional[str] = ..., reject_reason: _Optional[_Union[_error_reason_pb2.RejectReason, str]] = ..., message: _Optional[str] = ..., terms_version: _Optional[int] = ..., accept_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Execution(_message.Message):
    __slots__ = ("execution_id", "venue_order_id", "client_order_id", "account_id", "instrument_id", "side", "quantity", "price", "fee", "currency", "liquidity", "synthetic_counterparty", "event_time")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    SYNTHETIC_COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    venue_order_id: str
    client_order_id: str
    account_id: str
    instrument_id: str
    side: _order_terms_pb2.Side
    quantity: str
    price: str
    fee: str
    currency: str
    liquidity: LiquidityFlag
    synthetic_counterparty: bool
    event_time: _timestamp_pb2.Timestamp
    def __init__(self, execution_id: _Optional[str] = ..., venue_order_id: _Optional[str] = ..., client_order_id: _Optional[str] = ..., account_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., side: _Optional[_Union[_order_terms_pb2.Side, str]] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., fee: _Optional[str] = ..., currency: _Optional[str] = ..., liquidity: _Optional[_Union[LiquidityFlag, str]] = ..., synthetic_counterparty: _Optional[bool] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExecutionReport(_message.Message):
    __slots__ = ("type", "order", "execution")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    type: ExecutionReportType
    order: VenueOrder
    execution: Execution
    def __init__(self, type: _Optional[_Union[ExecutionReportType, str]] = ..., order: _Optional[_Union[VenueOrder, _Mapping]] = ..., execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...
