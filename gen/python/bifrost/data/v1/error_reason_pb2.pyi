from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_SYMBOL_AMBIGUOUS: _ClassVar[ErrorReason]
    ERROR_REASON_RANGE_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_BARS_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_INGESTION_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_SOURCE_UNKNOWN: _ClassVar[ErrorReason]
    ERROR_REASON_INGESTION_ENDED: _ClassVar[ErrorReason]
    ERROR_REASON_FEED_UNAVAILABLE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_SYMBOL_AMBIGUOUS: ErrorReason
ERROR_REASON_RANGE_INVALID: ErrorReason
ERROR_REASON_BARS_NOT_FOUND: ErrorReason
ERROR_REASON_INGESTION_NOT_FOUND: ErrorReason
ERROR_REASON_SOURCE_UNKNOWN: ErrorReason
ERROR_REASON_INGESTION_ENDED: ErrorReason
ERROR_REASON_FEED_UNAVAILABLE: ErrorReason
