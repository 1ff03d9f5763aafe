from bifrost.risk.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_PASS: _ClassVar[Verdict]
    VERDICT_FAIL: _ClassVar[Verdict]
    VERDICT_UNDECIDED: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
VERDICT_PASS: Verdict
VERDICT_FAIL: Verdict
VERDICT_UNDECIDED: Verdict

class RuleResult(_message.Message):
    __slots__ = ("rule", "verdict", "value", "limit", "headroom", "unit", "message")
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    HEADROOM_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    rule: _error_reason_pb2.Rule
    verdict: Verdict
    value: str
    limit: str
    headroom: str
    unit: str
    message: str
    def __init__(self, rule: _Optional[_Union[_error_reason_pb2.Rule, str]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., value: _Optional[str] = ..., limit: _Optional[str] = ..., headroom: _Optional[str] = ..., unit: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CheckResult(_message.Message):
    __slots__ = ("passed", "rules", "reference_price", "reference_price_age_ms")
    PASSED_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_PRICE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_PRICE_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    passed: bool
    rules: _containers.RepeatedCompositeFieldContainer[RuleResult]
    reference_price: str
    reference_price_age_ms: int
    def __init__(self, passed: _Optional[bool] = ..., rules: _Optional[_Iterable[_Union[RuleResult, _Mapping]]] = ..., reference_price: _Optional[str] = ..., reference_price_age_ms: _Optional[int] = ...) -> None: ...
