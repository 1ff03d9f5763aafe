from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_ENDED: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_BUSY: _ClassVar[ErrorReason]
    ERROR_REASON_ACCOUNT_RECONCILING: _ClassVar[ErrorReason]
    ERROR_REASON_PRICE_OFF_TICK: _ClassVar[ErrorReason]
    ERROR_REASON_QUANTITY_OFF_LOT: _ClassVar[ErrorReason]
    ERROR_REASON_RISK_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_REPLACE_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_QUANTITY_FILLED: _ClassVar[ErrorReason]
    ERROR_REASON_TERMS_FIXED: _ClassVar[ErrorReason]
    ERROR_REASON_VENUE_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_CANCEL_REFUSED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_ORDER_NOT_FOUND: ErrorReason
ERROR_REASON_ORDER_ENDED: ErrorReason
ERROR_REASON_ORDER_BUSY: ErrorReason
ERROR_REASON_ACCOUNT_RECONCILING: ErrorReason
ERROR_REASON_PRICE_OFF_TICK: ErrorReason
ERROR_REASON_QUANTITY_OFF_LOT: ErrorReason
ERROR_REASON_RISK_UNAVAILABLE: ErrorReason
ERROR_REASON_REPLACE_REFUSED: ErrorReason
ERROR_REASON_QUANTITY_FILLED: ErrorReason
ERROR_REASON_TERMS_FIXED: ErrorReason
ERROR_REASON_VENUE_UNAVAILABLE: ErrorReason
ERROR_REASON_CANCEL_REFUSED: ErrorReason
