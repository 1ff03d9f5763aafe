"""UserService: every RPC and every documented error, over a socket and a real PostgreSQL."""

import asyncio
from typing import Any

import grpc
import pytest

from bifrost.identity.v1 import user_pb2, user_service_pb2
from services.runtime.clock import from_timestamp
from tests.contract.identity.identity_harness import (
    ADMIN_PASSWORD,
    PASSWORD,
    RunningIdentity,
    bearer,
    failure_of,
)


def create_request(**fields: Any) -> user_service_pb2.CreateUserRequest:
    values: dict[str, Any] = {
        "request_id": "r1",
        "user_name": "ada",
        "display_name": "Ada",
        "password": PASSWORD,
        "roles": [user_pb2.ROLE_VIEWER, user_pb2.ROLE_TRADER],
        **fields,
    }
    return user_service_pb2.CreateUserRequest(**values)


async def me(identity: RunningIdentity, headers: list[tuple[str, str]]) -> user_pb2.User:
    request = user_service_pb2.GetUserRequest(user_id="me")
    return (await identity.users.GetUser(request, metadata=headers)).user


async def test_create_user_and_its_repeats(identity: RunningIdentity) -> None:
    headers = await identity.admin()
    made = await identity.users.CreateUser(create_request(), metadata=headers)
    user = made.user
    assert not made.duplicate
    assert (user.user_name, user.display_name, user.disabled) == ("ada", "Ada", False)
    assert list(user.roles) == [user_pb2.ROLE_VIEWER, user_pb2.ROLE_TRADER]
    assert from_timestamp(user.create_time) == identity.clock.now_ns()
    assert user.etag
    changed = await identity.update(user, display_name="Ada Lovelace")
    reordered = create_request(roles=[user_pb2.ROLE_TRADER, user_pb2.ROLE_VIEWER])
    for request in (create_request(), reordered):
        again = await identity.users.CreateUser(request, metadata=headers)
        assert again.duplicate
        assert again.user == changed
    for other in ({"display_name": "Eve"}, {"password": PASSWORD + "!"}, {"user_name": "eve"}):
        reused = await failure_of(identity.users.CreateUser(create_request(**other), metadata=headers))
        assert (reused.code, reused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    await identity.login("ada")


async def test_twins_in_flight_make_one_user(identity: RunningIdentity) -> None:
    headers = await identity.admin()
    request = create_request(request_id="twin", user_name="twin")
    answers = await asyncio.gather(*(identity.users.CreateUser(request, metadata=headers) for _ in range(5)))
    assert sorted(answer.duplicate for answer in answers) == [False, True, True, True, True]
    assert len({answer.user.user_id for answer in answers}) == 1


async def test_a_taken_name_does_not_consume_the_request_id(identity: RunningIdentity) -> None:
    headers = await identity.admin()
    request = create_request(request_id="taken", user_name="admin")
    for _ in range(2):
        taken = await failure_of(identity.users.CreateUser(request, metadata=headers))
        assert (taken.code, taken.reason) == (grpc.StatusCode.ALREADY_EXISTS, "USER_NAME_TAKEN")
        assert taken.metadata == {"user_name": "admin"}
    request.user_name = "not-taken"
    assert not (await identity.users.CreateUser(request, metadata=headers)).duplicate


@pytest.mark.parametrize(
    "fields",
    [
        {"user_name": "Ada"},
        {"user_name": "a"},
        {"user_name": "-ada"},
        {"password": "eleven char"},
        {"password": "é" * 129},
        {"roles": []},
        {"roles": [0]},
        {"roles": [9]},
        {"roles": [1, 1]},
        {"request_id": ""},
    ],
)
async def test_fields_that_break_their_rules(identity: RunningIdentity, fields: dict[str, Any]) -> None:
    call = identity.users.CreateUser(create_request(**fields), metadata=await identity.admin())
    failure = await failure_of(call)
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert PASSWORD not in str(failure)


async def test_only_administrators_administer(identity: RunningIdentity) -> None:
    everybody_else = (
        user_pb2.ROLE_VIEWER,
        user_pb2.ROLE_TRADER,
        user_pb2.ROLE_RISK,
        user_pb2.ROLE_COMPLIANCE,
    )
    user = await identity.create(*everybody_else)
    headers = bearer(await identity.login(user.user_name))
    update = user_service_pb2.UpdateUserRequest(user_id=user.user_id, user=user, etag=user.etag)
    update.update_mask.paths.append("roles")
    for call, scope in (
        (identity.users.CreateUser(create_request(request_id="x"), metadata=headers), "identity:write"),
        (identity.users.UpdateUser(update, metadata=headers), "identity:write"),
        (identity.users.ListUsers(user_service_pb2.ListUsersRequest(), metadata=headers), "identity:read"),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
        assert failure.metadata["scope"] == scope


async def test_get_user(identity: RunningIdentity) -> None:
    user, other = await identity.create(), await identity.create()
    headers = bearer(await identity.login(user.user_name))
    assert await me(identity, headers) == user

    async def get(user_id: str, metadata: list[tuple[str, str]]) -> user_pb2.User:
        request = user_service_pb2.GetUserRequest(user_id=user_id)
        return (await identity.users.GetUser(request, metadata=metadata)).user

    assert await get(user.user_id, headers) == user
    assert await get(other.user_id, await identity.admin()) == other
    for user_id, metadata in (
        (other.user_id, headers),
        ("nobody", headers),
        ("nobody", await identity.admin()),
    ):
        missing = await failure_of(get(user_id, metadata))
        assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")
    missing = await failure_of(identity.users.GetUser(user_service_pb2.GetUserRequest(user_id="me")))
    assert missing.reason == "TOKEN_MISSING"


async def test_list_users_pages_by_name(identity: RunningIdentity) -> None:
    for _ in range(3):
        await identity.create()
    headers = await identity.admin()
    whole = await identity.users.ListUsers(user_service_pb2.ListUsersRequest(), metadata=headers)
    names = [user.user_name for user in whole.users]
    assert names == sorted(names)
    assert {"admin", f"user-{identity.made}"} <= set(names)
    assert whole.next_page_token == ""
    paged: list[str] = []
    request = user_service_pb2.ListUsersRequest(page_size=2)
    while True:
        page = await identity.users.ListUsers(request, metadata=headers)
        assert len(page.users) <= 2
        paged += [user.user_name for user in page.users]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert paged == names
    request.page_token = "nonsense"
    failure = await failure_of(identity.users.ListUsers(request, metadata=headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_update_changes_what_the_mask_names_and_nothing_else(identity: RunningIdentity) -> None:
    user = await identity.create(user_pb2.ROLE_VIEWER, display_name="before")
    changed = await identity.update(
        user, "roles", roles=[user_pb2.ROLE_RISK], display_name="not this", disabled=True
    )
    assert (changed.display_name, changed.disabled) == ("before", False)
    assert list(changed.roles) == [user_pb2.ROLE_RISK]
    assert changed.etag != user.etag
    renamed = await identity.update(changed, display_name="after")
    assert (renamed.display_name, list(renamed.roles)) == ("after", [user_pb2.ROLE_RISK])
    emptied = await identity.update(renamed, "display_name", display_name="")
    assert emptied.display_name == ""


async def test_a_stale_etag_changes_nothing_and_a_repeat_is_answered(identity: RunningIdentity) -> None:
    user = await identity.create()
    first = await identity.update(user, display_name="one")
    assert await identity.update(user, display_name="one") == first
    stale = await failure_of(identity.update(user, display_name="two"))
    assert (stale.code, stale.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert stale.metadata["etag"] == first.etag
    assert await identity.update(first, display_name="one") == first


async def test_what_cannot_be_updated(identity: RunningIdentity) -> None:
    user = await identity.create()
    for paths in (("user_name",), ("display_name", "etag")):
        failure = await failure_of(identity.update(user, *paths, display_name="x"))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert failure.violations[0][0] == "update_mask"
    assert (await failure_of(identity.update(user))).violations[0][0] == "update_mask"
    assert (await failure_of(identity.update(user, "roles"))).violations[0][0] == "user.roles"
    user.user_id = "018bcfe5-6800-7000-bf73-000000000000"
    missing = await failure_of(identity.update(user, display_name="x"))
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")


async def test_the_last_administrator_stays(identity: RunningIdentity) -> None:
    admin = await me(identity, await identity.admin())
    for change in ({"disabled": True}, {"roles": [user_pb2.ROLE_TRADER]}):
        failure = await failure_of(identity.update(admin, **change))
        assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LAST_ADMIN")
    second = await identity.create(user_pb2.ROLE_ADMIN)
    demotions = [identity.update(user, roles=[user_pb2.ROLE_VIEWER]) for user in (admin, second)]
    results = await asyncio.gather(*demotions, return_exceptions=True)
    assert sum(isinstance(result, BaseException) for result in results) == 1
    if not isinstance(results[0], BaseException):  # the first one lost the role: the second gives it back
        headers = bearer(await identity.login(second.user_name))
        request = user_service_pb2.UpdateUserRequest(
            user_id=admin.user_id, user={"roles": [user_pb2.ROLE_ADMIN]}, etag=results[0].etag
        )
        request.update_mask.paths.append("roles")
        await identity.users.UpdateUser(request, metadata=headers)


async def change_password(
    identity: RunningIdentity, headers: list[tuple[str, str]], *, current: str, new: str
) -> None:
    request = user_service_pb2.ChangePasswordRequest(current_password=current, new_password=new)
    await identity.users.ChangePassword(request, metadata=headers)


async def test_a_new_password_ends_the_other_sessions(identity: RunningIdentity) -> None:
    user = await identity.create()
    mine, other = await identity.login(user.user_name), await identity.login(user.user_name)
    await change_password(identity, bearer(mine), current=PASSWORD, new="another long password")
    assert (await failure_of(identity.refresh(other.refresh_token))).reason == "REFRESH_TOKEN_INVALID"
    await identity.refresh(mine.refresh_token)
    assert (await failure_of(identity.login(user.user_name))).reason == "CREDENTIALS_INVALID"
    await identity.login(user.user_name, "another long password")


async def test_a_password_change_that_is_refused_changes_nothing(identity: RunningIdentity) -> None:
    user = await identity.create()
    mine, other = await identity.login(user.user_name), await identity.login(user.user_name)
    headers = bearer(mine)
    for _ in range(5):
        call = change_password(identity, headers, current="not the password", new="another long password")
        wrong = await failure_of(call)
        assert (wrong.code, wrong.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
    throttled = await failure_of(
        change_password(identity, headers, current=PASSWORD, new="another long password")
    )
    assert (throttled.code, throttled.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LOGIN_THROTTLED")
    short = await failure_of(change_password(identity, headers, current=PASSWORD, new="short"))
    assert short.reason == "FIELD_INVALID"
    await identity.refresh(other.refresh_token)
    identity.clock.advance(10**9)
    await identity.login(user.user_name)
    await identity.update(user, disabled=True)
    disabled = await failure_of(
        change_password(identity, headers, current=PASSWORD, new="another long password")
    )
    assert (disabled.code, disabled.reason) == (grpc.StatusCode.PERMISSION_DENIED, "USER_DISABLED")


async def test_the_first_administrator_changes_its_password(identity: RunningIdentity) -> None:
    headers = await identity.admin()
    await change_password(identity, headers, current=ADMIN_PASSWORD, new="a second password")
    await change_password(identity, headers, current="a second password", new=ADMIN_PASSWORD)
    await identity.admin()
