from google.protobuf.internal import extension_dict as _extension_dict
from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RateClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RATE_CLASS_UNSPECIFIED: _ClassVar[RateClass]
    RATE_CLASS_READ: _ClassVar[RateClass]
    RATE_CLASS_WRITE: _ClassVar[RateClass]
    RATE_CLASS_BULK: _ClassVar[RateClass]
    RATE_CLASS_LOGIN: _ClassVar[RateClass]
    RATE_CLASS_STREAM: _ClassVar[RateClass]

class Idempotency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_UNSPECIFIED: _ClassVar[Idempotency]
    IDEMPOTENCY_NO_SIDE_EFFECTS: _ClassVar[Idempotency]
    IDEMPOTENCY_IDEMPOTENT: _ClassVar[Idempotency]
RATE_CLASS_UNSPECIFIED: RateClass
RATE_CLASS_READ: RateClass
RATE_CLASS_WRITE: RateClass
RATE_CLASS_BULK: RateClass
RATE_CLASS_LOGIN: RateClass
RATE_CLASS_STREAM: RateClass
IDEMPOTENCY_UNSPECIFIED: Idempotency
IDEMPOTENCY_NO_SIDE_EFFECTS: Idempotency
IDEMPOTENCY_IDEMPOTENT: Idempotency
POLICY_FIELD_NUMBER: _ClassVar[int]
policy: _extension_dict._ExtensionFieldDescriptor[_descriptor_pb2.MethodOptions, Policy]

class Policy(_message.Message):
    __slots__ = ("public", "scopes", "owner_field", "rate_class", "audited", "idempotency", "callers")
    PUBLIC_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_FIELD_NUMBER: _ClassVar[int]
    RATE_CLASS_FIELD_NUMBER: _ClassVar[int]
    AUDITED_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    public: bool
    scopes: _containers.RepeatedScalarFieldContainer[str]
    owner_field: str
    rate_class: RateClass
    audited: bool
    idempotency: Idempotency
    callers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, public: _Optional[bool] = ..., scopes: _Optional[_Iterable[str]] = ..., owner_field: _Optional[str] = ..., rate_class: _Optional[_Union[RateClass, str]] = ..., audited: _Optional[bool] = ..., idempotency: _Optional[_Union[Idempotency, str]] = ..., callers: _Optional[_Iterable[str]] = ...) -> None: ...
