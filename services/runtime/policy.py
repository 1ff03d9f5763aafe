"""Rights from the contract: the policy option of a method, read once and checked at every call."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor

from bifrost.auth.v1 import policy_pb2
from services.runtime.auth import Principal
from services.runtime.errors import ApiError, permission_denied


class ContractError(RuntimeError):
    """A contract that cannot be served as it stands; stops the server from starting."""


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """The policy of one method, in the form the server checks."""

    path: str
    """As on the wire: "/bifrost.execution.v1.OrderService/SubmitOrder"."""
    public: bool
    scopes: tuple[str, ...]
    scope_set: frozenset[str]
    callers: frozenset[str]
    owner_field: str
    repeatable: bool
    """A repeated call has the effect of one, so machinery may retry it."""


def service_descriptor(contract: str) -> ServiceDescriptor:
    """The descriptor of a contract service; ContractError when its generated module was never imported."""
    try:
        return descriptor_pool.Default().FindServiceByName(contract)
    except KeyError:
        raise ContractError(f"no generated code of the contract {contract} is loaded") from None


def read_policy(method: MethodDescriptor) -> MethodPolicy:
    """The policy option of a method; ContractError names the method when it has none or an impossible one."""
    options = method.GetOptions()
    if not options.HasExtension(policy_pb2.policy):
        raise ContractError(f"method {method.full_name} has no option (bifrost.auth.v1.policy)")
    policy = options.Extensions[policy_pb2.policy]
    if policy.public and (policy.scopes or policy.owner_field or policy.callers):
        raise ContractError(f"method {method.full_name} is public and asks for rights at once")
    if policy.owner_field:
        _check_owner_field(method, policy.owner_field)
    return MethodPolicy(
        path=f"/{method.containing_service.full_name}/{method.name}",
        public=policy.public,
        scopes=tuple(policy.scopes),
        scope_set=frozenset(policy.scopes),
        callers=frozenset(policy.callers),
        owner_field=policy.owner_field,
        repeatable=policy.idempotency != policy_pb2.IDEMPOTENCY_UNSPECIFIED,
    )


def _check_owner_field(method: MethodDescriptor, path: str) -> None:
    message = method.input_type
    wrong = ContractError(f"owner_field {path} of {method.full_name} is no single string of {message.name}")
    *parents, leaf = path.split(".")
    for name in parents:
        field = message.fields_by_name.get(name)
        if field is None or field.message_type is None or field.is_repeated:
            raise wrong
        message = field.message_type
    field = message.fields_by_name.get(leaf)
    if field is None or field.type != FieldDescriptor.TYPE_STRING or field.is_repeated:
        raise wrong


def authorise(policy: MethodPolicy, principal: Principal) -> None:
    """Raise ApiError PERMISSION_DENIED unless the principal may call the method at all.

    Internal methods take only the services they name. Scopes are asked of the user, also when a service calls
    for one; a service on its own behalf is a trusted peer.
    """
    if policy.callers and principal.service_name not in policy.callers:
        raise permission_denied(
            "CALLER_NOT_ALLOWED",
            f"{policy.path} is for services of the mesh only ({', '.join(sorted(policy.callers))})",
            method=policy.path,
        )
    holder = principal.actor or principal
    if holder.kind != "service" and not policy.scope_set <= holder.scopes:
        missing = next(scope for scope in policy.scopes if scope not in holder.scopes)
        raise ApiError(
            grpc.StatusCode.PERMISSION_DENIED,
            "SCOPE_MISSING",
            f"{policy.path} asks for the scope {missing}, which your roles do not give",
            metadata={"scope": missing, "method": policy.path},
        )
