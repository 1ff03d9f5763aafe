"""A person who may log in, and how an administrator may change one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.identity.domain.role import Role


@dataclass(frozen=True, slots=True)
class User:
    """A user as others may see it; the password's hash is kept apart."""

    user_id: str
    user_name: str
    display_name: str
    roles: frozenset[Role]
    disabled: bool
    version: int
    """1 for a new user, one more with every change."""
    create_time_ns: int
    """Nanoseconds since the epoch, UTC."""

    @property
    def etag(self) -> str:
        """What a change must name to be made on this state of the user and no other."""
        return str(self.version)

    @property
    def is_enabled_admin(self) -> bool:
        """Whether this user can administer at present."""
        return not self.disabled and Role.ADMIN in self.roles


@dataclass(frozen=True, slots=True)
class UserChange:
    """New values; None leaves a value as it is."""

    display_name: str | None = None
    roles: frozenset[Role] | None = None
    disabled: bool | None = None


def change_user(user: User, change: UserChange) -> User:
    """The user after the change; the very same object when nothing differs."""
    changed = replace(
        user,
        display_name=user.display_name if change.display_name is None else change.display_name,
        roles=user.roles if change.roles is None else change.roles,
        disabled=user.disabled if change.disabled is None else change.disabled,
    )
    return user if changed == user else replace(changed, version=user.version + 1)


def is_etag_accepted(user: User, changed: User, etag: str) -> bool:
    """Whether a change that names `etag` may be answered with `changed`.

    Beside the present etag the one before it is taken when there is nothing left to change: then this is the
    last change again, whose answer was lost.
    """
    if etag == user.etag:
        return True
    return changed == user and etag == str(user.version - 1)


def ends_administration(before: User, after: User) -> bool:
    """Whether the change takes an enabled administrator away."""
    return before.is_enabled_admin and not after.is_enabled_admin
