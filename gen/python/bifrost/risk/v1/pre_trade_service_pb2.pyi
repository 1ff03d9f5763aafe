from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.risk.v1 import check_pb2 as _check_pb2
from bifrost.type.v1 import order_terms_pb2 as _order_terms_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckOrderRequest(_message.Message):
    __slots__ = ("account_id", "instrument", "terms")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    instrument: _value_pb2.InstrumentRef
    terms: _order_terms_pb2.OrderTerms
    def __init__(self, account_id: _Optional[str] = ..., instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., terms: _Optional[_Union[_order_terms_pb2.OrderTerms, _Mapping]] = ...) -> None: ...

class CheckOrderResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _check_pb2.CheckResult
    def __init__(self, result: _Optional[_Union[_check_pb2.CheckResult, _Mapping]] = ...) -> None: ...

class ReserveOrderRequest(_message.Message):
    __slots__ = ("account_id", "order_id", "request_id", "instrument_id", "terms", "terms_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order_id: str
    request_id: str
    instrument_id: str
    terms: _order_terms_pb2.OrderTerms
    terms_version: int
    def __init__(self, account_id: _Optional[str] = ..., order_id: _Optional[str] = ..., request_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., terms: _Optional[_Union[_order_terms_pb2.OrderTerms, _Mapping]] = ..., terms_version: _Optional[int] = ...) -> None: ...

class ReserveOrderResponse(_message.Message):
    __slots__ = ("reserved", "result", "reserved_cash", "reserved_quantity", "worst_price")
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_CASH_FIELD_NUMBER: _ClassVar[int]
    RESERVED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    WORST_PRICE_FIELD_NUMBER: _ClassVar[int]
    reserved: bool
    result: _check_pb2.CheckResult
    reserved_cash: str
    reserved_quantity: str
    worst_price: str
    def __init__(self, reserved: _Optional[bool] = ..., result: _Optional[_Union[_check_pb2.CheckResult, _Mapping]] = ..., reserved_cash: _Optional[str] = ..., reserved_quantity: _Optional[str] = ..., worst_price: _Optional[str] = ...) -> None: ...

class ReserveOrdersRequest(_message.Message):
    __slots__ = ("account_id", "reservations")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATIONS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    reservations: _containers.RepeatedCompositeFieldContainer[ReserveOrderRequest]
    def __init__(self, account_id: _Optional[str] = ..., reservations: _Optional[_Iterable[_Union[ReserveOrderRequest, _Mapping]]] = ...) -> None: ...

class ReserveOrdersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ReserveOrderResponse]
    def __init__(self, results: _Optional[_Iterable[_Union[ReserveOrderResponse, _Mapping]]] = ...) -> None: ...

class ReleaseReservationRequest(_message.Message):
    __slots__ = ("account_id", "order_id", "terms_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order_id: str
    terms_version: int
    def __init__(self, account_id: _Optional[str] = ..., order_id: _Optional[str] = ..., terms_version: _Optional[int] = ...) -> None: ...

class ReleaseReservationResponse(_message.Message):
    __slots__ = ("kept",)
    KEPT_FIELD_NUMBER: _ClassVar[int]
    kept: bool
    def __init__(self, kept: _Optional[bool] = ...) -> None: ...

class GetBuyingPowerRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetBuyingPowerResponse(_message.Message):
    __slots__ = ("currency", "cash", "reserved", "available")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    currency: str
    cash: str
    reserved: str
    available: str
    def __init__(self, currency: _Optional[str] = ..., cash: _Optional[str] = ..., reserved: _Optional[str] = ..., available: _Optional[str] = ...) -> None: ...
