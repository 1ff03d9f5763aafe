"""Roles and the scopes they give."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A set of scopes a person holds; the value is the role's name in tokens and in storage."""

    VIEWER = "viewer"
    TRADER = "trader"
    RISK = "risk"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


_VIEWER: Final = frozenset({"market:read", "orders:read", "portfolio:read", "risk:read"})
_TRADER: Final = _VIEWER | {"orders:write", "portfolio:write"}
_RISK: Final = _VIEWER | {"risk:write", "accounts:any"}
_COMPLIANCE: Final = _VIEWER | {"accounts:any", "audit:read"}
_OPERATION: Final = frozenset(
    {"identity:read", "identity:write", "data:write", "venue:write", "backup:write"}
)
_SCOPES: Final[dict[Role, frozenset[str]]] = {
    Role.VIEWER: _VIEWER,
    Role.TRADER: _TRADER,
    Role.RISK: _RISK,
    Role.COMPLIANCE: _COMPLIANCE,
    Role.ADMIN: _TRADER | _RISK | _COMPLIANCE | _OPERATION,
}


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """All scopes that any of the roles gives."""
    return frozenset().union(*(_SCOPES[role] for role in roles))
