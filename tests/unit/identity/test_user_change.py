"""Changes of a user: versions, etags and the guard of the last administrator."""

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.password_policy import password_fault
from services.identity.domain.role import Role
from services.identity.domain.user import (
    User,
    UserChange,
    change_user,
    ends_administration,
    is_etag_accepted,
)

ROLES = st.frozensets(st.sampled_from(Role), min_size=1)
USERS = st.builds(
    User,
    user_id=st.just("u1"),
    user_name=st.just("ada"),
    display_name=st.sampled_from(["", "Ada"]),
    roles=ROLES,
    disabled=st.booleans(),
    version=st.integers(1, 9),
    create_time_ns=st.just(0),
)
CHANGES = st.builds(
    UserChange,
    display_name=st.sampled_from([None, "", "Ada"]),
    roles=st.none() | ROLES,
    disabled=st.none() | st.booleans(),
)


@given(USERS, CHANGES)
def test_a_change_is_made_once(user: User, change: UserChange) -> None:
    changed = change_user(user, change)
    for name in ("display_name", "roles", "disabled"):
        wanted = getattr(change, name)
        assert getattr(changed, name) == (getattr(user, name) if wanted is None else wanted)
    assert changed.version - user.version == (0 if changed is user else 1)
    assert change_user(changed, change) is changed
    assert is_etag_accepted(user, changed, user.etag)
    # the same request again, on what it has made
    assert is_etag_accepted(changed, change_user(changed, change), user.etag)


@given(USERS, CHANGES)
def test_other_etags_are_stale(user: User, change: UserChange) -> None:
    changed = change_user(user, change)
    for version in (user.version + 1, user.version - 2):
        assert not is_etag_accepted(user, changed, str(version))
    if changed is not user:
        assert not is_etag_accepted(user, changed, str(user.version - 1))
    assert not is_etag_accepted(user, changed, "")


@given(USERS, CHANGES)
def test_administration_ends_with_the_role_or_with_being_enabled(user: User, change: UserChange) -> None:
    changed = change_user(user, change)
    was = Role.ADMIN in user.roles and not user.disabled
    stays = Role.ADMIN in changed.roles and not changed.disabled
    assert ends_administration(user, changed) == (was and not stays)


def test_passwords_are_long() -> None:
    assert password_fault("twelve chars") is None
    assert password_fault("eleven char") is not None
    assert password_fault("é" * 128) is None
    assert password_fault("é" * 129) is not None
