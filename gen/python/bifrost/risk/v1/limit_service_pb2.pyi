from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.risk.v1 import limits_pb2 as _limits_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KillSwitchAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KILL_SWITCH_ACTION_UNSPECIFIED: _ClassVar[KillSwitchAction]
    KILL_SWITCH_ACTION_ENGAGE: _ClassVar[KillSwitchAction]
    KILL_SWITCH_ACTION_RELEASE: _ClassVar[KillSwitchAction]
KILL_SWITCH_ACTION_UNSPECIFIED: KillSwitchAction
KILL_SWITCH_ACTION_ENGAGE: KillSwitchAction
KILL_SWITCH_ACTION_RELEASE: KillSwitchAction

class GetLimitsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetLimitsResponse(_message.Message):
    __slots__ = ("limits",)
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    limits: _limits_pb2.Limits
    def __init__(self, limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ...) -> None: ...

class UpdateLimitsRequest(_message.Message):
    __slots__ = ("account_id", "limits", "update_mask", "etag")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    limits: _limits_pb2.Limits
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, account_id: _Optional[str] = ..., limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateLimitsResponse(_message.Message):
    __slots__ = ("limits",)
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    limits: _limits_pb2.Limits
    def __init__(self, limits: _Optional[_Union[_limits_pb2.Limits, _Mapping]] = ...) -> None: ...

class SetKillSwitchRequest(_message.Message):
    __slots__ = ("account_id", "all_accounts", "action", "reason")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    all_accounts: bool
    action: KillSwitchAction
    reason: str
    def __init__(self, account_id: _Optional[str] = ..., all_accounts: _Optional[bool] = ..., action: _Optional[_Union[KillSwitchAction, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetKillSwitchResponse(_message.Message):
    __slots__ = ("kill_switch",)
    KILL_SWITCH_FIELD_NUMBER: _ClassVar[int]
    kill_switch: _limits_pb2.KillSwitch
    def __init__(self, kill_switch: _Optional[_Union[_limits_pb2.KillSwitch, _Mapping]] = ...) -> None: ...

class ListKillSwitchesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListKillSwitchesResponse(_message.Message):
    __slots__ = ("kill_switches",)
    KILL_SWITCHES_FIELD_NUMBER: _ClassVar[int]
    kill_switches: _containers.RepeatedCompositeFieldContainer[_limits_pb2.KillSwitch]
    def __init__(self, kill_switches: _Optional[_Iterable[_Union[_limits_pb2.KillSwitch, _Mapping]]] = ...) -> None: ...
