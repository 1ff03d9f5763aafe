"""TokenService: every RPC and every documented error, over a socket and a real PostgreSQL."""

import asyncio
import json

import grpc
import jwt
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from bifrost.identity.v1 import token_service_pb2, user_pb2, user_service_pb2
from services.identity.tables import SCHEMA, refresh_tokens
from services.runtime.clock import NANOS, from_timestamp
from services.runtime.database import Database
from services.runtime.errors import error_from_rpc
from services.runtime.waiting import until
from tests.contract.identity.identity_harness import (
    ADMIN_PASSWORD,
    PASSWORD,
    RunningIdentity,
    bearer,
    failure_of,
)

MINUTE_NS = 60 * NANOS
DAY_NS = 86_400 * NANOS


async def public_key(identity: RunningIdentity, token: str) -> EllipticCurvePublicKey:
    jwks = await identity.tokens.GetJwks(token_service_pb2.GetJwksRequest())
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = [key for key in jwks.keys if key.kid == kid]
    fields = {field.name: value for field, value in key.ListFields()}
    public = jwt.PyJWK(fields, algorithm="ES256").key
    assert isinstance(public, EllipticCurvePublicKey)
    return public


async def test_a_login_gives_a_token_that_the_published_key_verifies(identity: RunningIdentity) -> None:
    user = await identity.create(user_pb2.ROLE_TRADER)
    pair = await identity.login(user.user_name)
    claims = jwt.decode(
        pair.access_token,
        await public_key(identity, pair.access_token),
        algorithms=["ES256"],
        audience="bifrost",
        issuer="bifrost",
        options={"verify_exp": False, "verify_iat": False},
    )
    now_s = identity.clock.now_ns() // NANOS
    assert (claims["sub"], claims["name"], pair.user_id) == (user.user_id, user.user_name, user.user_id)
    assert claims["roles"] == ["trader"]
    assert set(claims["scope"].split()) == {
        "market:read", "orders:read", "orders:write", "portfolio:read", "portfolio:write", "risk:read",
    }  # fmt: skip
    assert (claims["iat"], claims["exp"]) == (now_s, now_s + 900)
    assert from_timestamp(pair.access_expire_time) == (now_s + 900) * NANOS
    assert from_timestamp(pair.refresh_expire_time) == identity.clock.now_ns() + 30 * DAY_NS
    assert claims["jti"] != jwt.decode((await identity.login(user.user_name)).access_token,
                                       options={"verify_signature": False})["jti"]  # fmt: skip


async def test_the_file_holds_what_get_jwks_answers(identity: RunningIdentity) -> None:
    answer = await identity.tokens.GetJwks(token_service_pb2.GetJwksRequest())
    (key,) = answer.keys
    document = json.loads(identity.jwks_file.read_text())
    assert document == {"keys": [{field.name: value for field, value in key.ListFields()}]}
    assert (key.kty, key.crv, key.use, key.alg) == ("EC", "P-256", "sig", "ES256")
    assert list(identity.jwks_file.parent.iterdir()) == [identity.jwks_file]


async def test_name_and_password_that_do_not_fit(identity: RunningIdentity) -> None:
    user = await identity.create()
    wrong = await failure_of(identity.login(user.user_name, "not the password"))
    unknown = await failure_of(identity.login("nobody", PASSWORD))
    assert wrong == unknown
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
    assert wrong.domain == "bifrost.identity"


async def test_a_disabled_user_is_told_only_with_the_right_password(identity: RunningIdentity) -> None:
    user = await identity.create()
    pair = await identity.login(user.user_name)
    user = await identity.update(user, disabled=True)
    refused = await failure_of(identity.login(user.user_name))
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "USER_DISABLED")
    assert (await failure_of(identity.login(user.user_name, "a guess"))).reason == "CREDENTIALS_INVALID"
    assert (await failure_of(identity.refresh(pair.refresh_token))).reason == "USER_DISABLED"
    await identity.update(user, disabled=False)
    assert (await failure_of(identity.refresh(pair.refresh_token))).reason == "REFRESH_TOKEN_INVALID"
    await identity.login(user.user_name)


async def test_failed_logins_wait_longer_and_longer_and_a_success_forgives(identity: RunningIdentity) -> None:
    user = await identity.create()
    for _ in range(5):
        failure = await failure_of(identity.login(user.user_name, "a guess"))
        assert failure.reason == "CREDENTIALS_INVALID"
    throttled = await failure_of(identity.login(user.user_name))
    assert (throttled.code, throttled.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LOGIN_THROTTLED")
    assert throttled.retry_after_s == 1.0
    identity.clock.advance(NANOS)
    await failure_of(identity.login(user.user_name, "a guess"))
    assert (await failure_of(identity.login(user.user_name))).retry_after_s == 2.0
    identity.clock.advance(2 * NANOS)
    await identity.login(user.user_name)
    assert (await failure_of(identity.login(user.user_name, "a guess"))).reason == "CREDENTIALS_INVALID"
    await identity.login(user.user_name)


async def test_guesses_side_by_side_do_not_outrun_the_count(identity: RunningIdentity) -> None:
    for name in ((await identity.create()).user_name, "unknown-name"):
        failures = await asyncio.gather(*(failure_of(identity.login(name, "a guess")) for _ in range(20)))
        reasons = [failure.reason for failure in failures]
        assert reasons.count("CREDENTIALS_INVALID") == 5
        assert reasons.count("LOGIN_THROTTLED") == 15


async def test_logins_of_one_user_side_by_side_all_succeed(identity: RunningIdentity) -> None:
    user = await identity.create()
    pairs = await asyncio.gather(*(identity.login(user.user_name) for _ in range(20)))
    assert len({pair.refresh_token for pair in pairs}) == 20


async def test_a_refresh_gives_a_pair_with_the_present_roles(identity: RunningIdentity) -> None:
    user = await identity.create(user_pb2.ROLE_VIEWER)
    pair = await identity.login(user.user_name)
    await identity.update(user, roles=[user_pb2.ROLE_RISK])
    identity.clock.advance(20 * MINUTE_NS)
    again = await identity.refresh(pair.refresh_token)
    assert again.refresh_token != pair.refresh_token
    assert again.user_id == user.user_id
    assert from_timestamp(again.refresh_expire_time) == identity.clock.now_ns() + 30 * DAY_NS
    claims = jwt.decode(again.access_token, options={"verify_signature": False})
    assert claims["roles"] == ["risk"]
    assert "risk:write" in claims["scope"].split()


async def test_a_refresh_token_used_twice_ends_its_session_and_no_other(identity: RunningIdentity) -> None:
    user = await identity.create()
    first, other = await identity.login(user.user_name), await identity.login(user.user_name)
    second = await identity.refresh(first.refresh_token)
    reused = await failure_of(identity.refresh(first.refresh_token))
    assert (reused.code, reused.reason) == (grpc.StatusCode.UNAUTHENTICATED, "REFRESH_TOKEN_REUSED")
    assert (await failure_of(identity.refresh(second.refresh_token))).reason == "REFRESH_TOKEN_INVALID"
    await identity.refresh(other.refresh_token)


async def test_two_uses_at_once_are_one_use_and_one_reuse(
    identity: RunningIdentity, postgres_url: str
) -> None:
    pair = await identity.login("admin", ADMIN_PASSWORD)
    database = await Database.connect(postgres_url, schema=SCHEMA)

    async def both_wait() -> bool:
        async with database.read() as connection:
            waiting = sa.text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return bool((await connection.execute(waiting)).scalar_one() == 2)

    async with database.transaction() as connection:
        # Whoever comes stops at the token's row, so that the two calls really meet.
        await connection.execute(sa.select(refresh_tokens).with_for_update())
        calls = [asyncio.create_task(identity.refresh(pair.refresh_token)) for _ in range(2)]
        await until(both_wait, timeout_s=60)
    results = await asyncio.gather(*calls, return_exceptions=True)
    await database.close()
    (granted,) = [result for result in results if not isinstance(result, BaseException)]
    (refused,) = [result for result in results if isinstance(result, grpc.aio.AioRpcError)]
    assert error_from_rpc(refused).reason == "REFRESH_TOKEN_REUSED"
    assert (await failure_of(identity.refresh(granted.refresh_token))).reason == "REFRESH_TOKEN_INVALID"


async def test_a_refresh_token_ends_after_thirty_days(identity: RunningIdentity) -> None:
    pair = await identity.login("admin", ADMIN_PASSWORD)
    identity.clock.advance(30 * DAY_NS)
    late = await failure_of(identity.refresh(pair.refresh_token))
    assert (late.code, late.reason) == (grpc.StatusCode.UNAUTHENTICATED, "REFRESH_TOKEN_INVALID")
    assert (await failure_of(identity.refresh("never given"))).reason == "REFRESH_TOKEN_INVALID"


async def test_revoking_ends_the_session_and_may_be_repeated(identity: RunningIdentity) -> None:
    first = await identity.login("admin", ADMIN_PASSWORD)
    second = await identity.refresh(first.refresh_token)
    for _ in range(2):
        await identity.revoke(first.refresh_token)
    assert (await failure_of(identity.refresh(second.refresh_token))).reason == "REFRESH_TOKEN_INVALID"
    await identity.revoke("never given")


async def test_an_access_token_ends_after_fifteen_minutes(identity: RunningIdentity) -> None:
    headers = bearer(await identity.login("admin", ADMIN_PASSWORD))
    request = user_service_pb2.GetUserRequest(user_id="me")
    identity.clock.advance(15 * MINUTE_NS - NANOS)
    await identity.users.GetUser(request, metadata=headers)
    identity.clock.advance(NANOS)
    assert (await failure_of(identity.users.GetUser(request, metadata=headers))).reason == "TOKEN_EXPIRED"


async def test_fields_that_break_their_rules(identity: RunningIdentity) -> None:
    for call in (
        identity.login("", "x"),
        identity.login("x", ""),
        identity.login("x", "é" * 129),
        identity.refresh(""),
        identity.revoke("x" * 513),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert failure.violations
