from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_ENDED: _ClassVar[ErrorReason]
    ERROR_REASON_ORDER_ID_FENCED: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SESSION: _ClassVar[ErrorReason]
    ERROR_REASON_NO_BARS: _ClassVar[ErrorReason]
    ERROR_REASON_SESSION_RUNNING: _ClassVar[ErrorReason]
    ERROR_REASON_QUANTITY_FILLED: _ClassVar[ErrorReason]
    ERROR_REASON_READER_TOO_SLOW: _ClassVar[ErrorReason]
    ERROR_REASON_SPLIT_IN_WINDOW: _ClassVar[ErrorReason]

class RejectReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REJECT_REASON_UNSPECIFIED: _ClassVar[RejectReason]
    REJECT_REASON_UNKNOWN_INSTRUMENT: _ClassVar[RejectReason]
    REJECT_REASON_OFF_TICK: _ClassVar[RejectReason]
    REJECT_REASON_LOT_SIZE: _ClassVar[RejectReason]
    REJECT_REASON_MARKET_CLOSED: _ClassVar[RejectReason]
    REJECT_REASON_NO_LIQUIDITY: _ClassVar[RejectReason]
    REJECT_REASON_PRICE_BAND: _ClassVar[RejectReason]
    REJECT_REASON_ORDER_ID_FENCED: _ClassVar[RejectReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_ORDER_NOT_FOUND: ErrorReason
ERROR_REASON_ORDER_ENDED: ErrorReason
ERROR_REASON_ORDER_ID_FENCED: ErrorReason
ERROR_REASON_NO_SESSION: ErrorReason
ERROR_REASON_NO_BARS: ErrorReason
ERROR_REASON_SESSION_RUNNING: ErrorReason
ERROR_REASON_QUANTITY_FILLED: ErrorReason
ERROR_REASON_READER_TOO_SLOW: ErrorReason
ERROR_REASON_SPLIT_IN_WINDOW: ErrorReason
REJECT_REASON_UNSPECIFIED: RejectReason
REJECT_REASON_UNKNOWN_INSTRUMENT: RejectReason
REJECT_REASON_OFF_TICK: RejectReason
REJECT_REASON_LOT_SIZE: RejectReason
REJECT_REASON_MARKET_CLOSED: RejectReason
REJECT_REASON_NO_LIQUIDITY: RejectReason
REJECT_REASON_PRICE_BAND: RejectReason
REJECT_REASON_ORDER_ID_FENCED: RejectReason
