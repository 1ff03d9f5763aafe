"""Between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bifrost.identity.v1 import token_service_pb2, user_pb2
from services.identity.domain.role import Role
from services.identity.domain.user import User
from services.runtime.clock import to_timestamp

_ROLES = {
    user_pb2.ROLE_VIEWER: Role.VIEWER,
    user_pb2.ROLE_TRADER: Role.TRADER,
    user_pb2.ROLE_RISK: Role.RISK,
    user_pb2.ROLE_COMPLIANCE: Role.COMPLIANCE,
    user_pb2.ROLE_ADMIN: Role.ADMIN,
}
_ROLE_NUMBERS = {role: number for number, role in _ROLES.items()}


def roles_of(numbers: Iterable[user_pb2.Role]) -> frozenset[Role]:
    """The roles of a message whose rules were kept."""
    return frozenset(_ROLES[number] for number in numbers)


def user_message(user: User) -> user_pb2.User:
    """The user as it leaves; roles in the order of the enum."""
    return user_pb2.User(
        user_id=user.user_id,
        user_name=user.user_name,
        display_name=user.display_name,
        roles=sorted(_ROLE_NUMBERS[role] for role in user.roles),
        disabled=user.disabled,
        create_time=to_timestamp(user.create_time_ns),
        etag=user.etag,
    )


def jwks_message(jwks: Mapping[str, Sequence[Mapping[str, str]]]) -> token_service_pb2.GetJwksResponse:
    """A JWKS as the contract's message."""
    keys = [
        token_service_pb2.Jwk(
            kty=key["kty"],
            crv=key["crv"],
            kid=key["kid"],
            use=key["use"],
            alg=key["alg"],
            x=key["x"],
            y=key["y"],
        )
        for key in jwks["keys"]
    ]
    return token_service_pb2.GetJwksResponse(keys=keys)
