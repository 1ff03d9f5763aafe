from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_CAUGHT_UP: _ClassVar[ErrorReason]
    ERROR_REASON_RESERVATION_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_LIMIT_INVALID: _ClassVar[ErrorReason]

class Rule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_UNSPECIFIED: _ClassVar[Rule]
    RULE_INSTRUMENT_TRADABLE: _ClassVar[Rule]
    RULE_ORDER_QUANTITY: _ClassVar[Rule]
    RULE_ORDER_NOTIONAL: _ClassVar[Rule]
    RULE_PRICE_COLLAR: _ClassVar[Rule]
    RULE_POSITION: _ClassVar[Rule]
    RULE_BUYING_POWER: _ClassVar[Rule]
    RULE_ORDER_RATE: _ClassVar[Rule]
    RULE_DUPLICATE_ORDER: _ClassVar[Rule]
    RULE_KILL_SWITCH: _ClassVar[Rule]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_NOT_CAUGHT_UP: ErrorReason
ERROR_REASON_RESERVATION_NOT_FOUND: ErrorReason
ERROR_REASON_LIMIT_INVALID: ErrorReason
RULE_UNSPECIFIED: Rule
RULE_INSTRUMENT_TRADABLE: Rule
RULE_ORDER_QUANTITY: Rule
RULE_ORDER_NOTIONAL: Rule
RULE_PRICE_COLLAR: Rule
RULE_POSITION: Rule
RULE_BUYING_POWER: Rule
RULE_ORDER_RATE: Rule
RULE_DUPLICATE_ORDER: Rule
RULE_KILL_SWITCH: Rule
