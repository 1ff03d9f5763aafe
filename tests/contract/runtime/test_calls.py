"""The path of a call: what each layer refuses, and how every error leaves."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg
import grpc
import pytest
import sqlalchemy.exc
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from services.runtime.errors import DETAILS_KEY, RpcFailure, error_from_rpc
from services.runtime.testing_keys import bearer
from tests.contract.runtime.echo_contract import (
    Running,
    StartEcho,
    echo_pb2,
)

Details = TypeVar("Details", bound=Message)
Request = echo_pb2.EchoRequest
# The first that a machine, however busy, does not use up before the handler begins.
LIMITS_S = (0.05, 1.0, 20.0)


async def failure_of(call: Any) -> RpcFailure:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_from_rpc(caught.value)


async def details_of(call: Any, detail: Details) -> Details:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    raw: Any = dict(caught.value.trailing_metadata())[DETAILS_KEY]
    for packed in status_pb2.Status.FromString(raw).details:
        if packed.Unpack(detail):
            return detail
    raise AssertionError(f"no {detail.DESCRIPTOR.name} in the status")


async def test_a_user_with_the_scopes_is_served(echo: Running) -> None:
    token = echo.keys.user()
    reply = await echo.stub.Echo(Request(text="hello"), metadata=bearer(token))
    assert reply.text == "hello"
    (principal,) = echo.servicer.principals
    assert (principal.kind, principal.user_id, principal.token) == ("user", "user-1", token)
    assert principal.scopes == {"echo:read", "echo:loud"}
    assert principal.roles == {"trader"}


async def test_a_handler_may_answer_with_serialised_bytes(echo: Running) -> None:
    reply = await echo.stub.Open(Request(text="bytes"))
    assert reply.text == "from bytes"


async def test_a_public_method_takes_anyone_and_ignores_the_token(echo: Running) -> None:
    reply = await echo.stub.Open(Request(text="hi"), metadata=bearer("nonsense"))
    assert reply.text == "hi"
    assert echo.servicer.principals[0].kind == "anonymous"


async def test_no_token(echo: Running) -> None:
    failure = await failure_of(echo.stub.Echo(Request()))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
    assert failure.domain == "bifrost.test"


async def test_an_expired_token(echo: Running) -> None:
    token = echo.keys.user(exp=int(time.time()) - 1)
    failure = await failure_of(echo.stub.Echo(Request(), metadata=bearer(token)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"iss": "other"},
        {"exp": None},
        {"exp": "soon"},
        {"sub": None},
        {"sub": ""},
        {"sub": "service:execution"},
        {"scope": 7},
        {"nbf": 9e9},
        {"iat": 9e9},
    ],
)
async def test_a_token_with_wrong_claims(echo: Running, claims: dict[str, object]) -> None:
    now = int(time.time())
    content = {"sub": "user-1", "scope": "echo:read echo:loud", "exp": now + 900, **claims}
    token = echo.keys.token(echo.keys.user_key, "u1", **content)
    failure = await failure_of(echo.stub.Echo(Request(), metadata=bearer(token)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_forged_tokens(echo: Running) -> None:
    forger = ec.generate_private_key(ec.SECP256R1())
    good = echo.keys.user()
    header, body, _ = good.split(".")
    forged = [
        echo.keys.token(forger, "u1", sub="user-1", scope="echo:read echo:loud"),
        echo.keys.token(forger, "unknown", sub="user-1"),
        f"{header}.{body}.",
        "nonsense",
        # A key speaks for its own service alone.
        echo.keys.service("risk"),
    ]
    for token in forged:
        failure = await failure_of(echo.stub.Echo(Request(), metadata=bearer(token)))
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    failure = await failure_of(echo.stub.Echo(Request(), metadata=[("authorization", f"Basic {good}")]))
    assert failure.reason == "TOKEN_INVALID"
    assert echo.servicer.principals == []


async def test_a_missing_scope_is_named(echo: Running) -> None:
    token = echo.keys.user(scope="echo:read")
    failure = await failure_of(echo.stub.Echo(Request(), metadata=bearer(token)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert failure.metadata["scope"] == "echo:loud"


async def test_an_internal_method_takes_only_the_services_it_names(echo: Running) -> None:
    failure = await failure_of(echo.stub.Internal(Request(), metadata=bearer(echo.keys.user())))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
    reply = await echo.stub.Internal(Request(text="x"), metadata=bearer(echo.keys.service()))
    assert reply.text == "x"


async def test_a_service_passes_scopes_on_its_own_but_its_user_must_hold_them(echo: Running) -> None:
    service, weak = echo.keys.service(), echo.keys.user(scope="echo:read")
    await echo.stub.Echo(Request(), metadata=bearer(service))
    assert echo.servicer.principals[-1].user_id is None
    assert echo.servicer.principals[-1].service_name == "execution"
    failure = await failure_of(echo.stub.Echo(Request(), metadata=bearer(service, weak)))
    assert failure.reason == "SCOPE_MISSING"
    await echo.stub.Echo(Request(), metadata=bearer(service, echo.keys.user()))
    assert echo.servicer.principals[-1].user_id == "user-1"


async def test_an_actor_must_be_a_user_and_counts_only_beside_a_service(echo: Running) -> None:
    service = echo.keys.service()
    failure = await failure_of(echo.stub.Mutate(Request(), metadata=bearer(service, service)))
    assert failure.reason == "TOKEN_INVALID"
    other = echo.keys.token(echo.keys.user_key, "u1", sub="user-2", scope="")
    await echo.stub.Mutate(Request(), metadata=bearer(echo.keys.user(), other))
    assert echo.servicer.principals[-1].user_id == "user-1"
    just_ended = echo.keys.user(exp=int(time.time()) - 1)
    await echo.stub.Mutate(Request(), metadata=bearer(service, just_ended))
    expired = echo.keys.user(exp=int(time.time()) - 61)
    failure = await failure_of(echo.stub.Mutate(Request(), metadata=bearer(service, expired)))
    assert failure.reason == "TOKEN_EXPIRED"


async def test_every_bad_field_is_named(echo: Running) -> None:
    request = Request(
        text="x" * 65,
        lines=[echo_pb2.Line(quantity=1), echo_pb2.Line(quantity=-1)],
        named={"a": echo_pb2.Line(quantity=-2)},
    )
    failure = await failure_of(echo.stub.Open(request))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    fields = {field for field, _ in failure.violations}
    assert fields == {"text", "lines[1].quantity", 'named["a"].quantity'}
    for field in fields:
        assert field in failure.message
    assert echo.servicer.principals == []


async def test_text_that_postgresql_cannot_keep_is_a_bad_field(echo: Running) -> None:
    request = Request(text="a\0b", account=echo_pb2.Account(account_id="\0"))
    failure = await failure_of(echo.stub.Open(request))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert [field for field, _ in failure.violations] == ["text", "account.account_id"]
    reply = await echo.stub.Open(Request(text="hi", blob=b"\0", lines=[echo_pb2.Line(quantity=1)]))
    assert reply.text == "hi"


async def test_hundreds_of_bad_fields_still_fit_the_trailers(echo: Running) -> None:
    request = Request(lines=[echo_pb2.Line(quantity=-1)] * 500)
    failure = await failure_of(echo.stub.Open(request))
    assert failure.reason == "FIELD_INVALID"
    assert 10 < len(failure.violations) < 500
    assert "and 495 more" in failure.message


async def test_a_body_that_is_no_request(echo: Running) -> None:
    raw: Any = echo.channel.unary_unary("/bifrosttest.echo.v1.EchoService/Open")
    failure = await failure_of(raw(b"\xff\xff\xff"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_the_owner_is_checked_for_users_and_not_for_services(echo: Running) -> None:
    def request(account_id: str) -> Any:
        return Request(account=echo_pb2.Account(account_id=account_id))

    user = bearer(echo.keys.user())
    await echo.stub.Owned(request("a1"), metadata=user)
    for bad in (request("a2"), Request()):
        failure = await failure_of(echo.stub.Owned(bad, metadata=user))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
    service = echo.keys.service()
    await echo.stub.Owned(request("a2"), metadata=bearer(service))
    failure = await failure_of(echo.stub.Owned(request("a2"), metadata=bearer(service, echo.keys.user())))
    assert failure.reason == "ACCOUNT_NOT_FOUND"


async def test_an_api_error_leaves_as_it_is(echo: Running) -> None:
    failure = await failure_of(echo.stub.Open(Request(text="missing")))
    assert failure == RpcFailure(
        grpc.StatusCode.NOT_FOUND, "no such echo", "ECHO_NOT_FOUND", "bifrost.test", {"echo": "x"}
    )
    state = await details_of(echo.stub.Open(Request(text="state")), error_details_pb2.PreconditionFailure())
    assert state.violations[0].subject == "echo/1"


@pytest.mark.parametrize("text", ["bug", "wrong type"])
async def test_a_defect_leaves_as_an_id_alone(echo: Running, text: str) -> None:
    failure = await failure_of(echo.stub.Open(Request(text=text)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert failure.metadata["error_id"] in failure.message
    assert "secret" not in failure.message
    assert "Traceback" not in failure.message


def _postgres_away() -> Exception:
    driver_error = Exception("dbapi")
    driver_error.__cause__ = asyncpg.AdminShutdownError("terminating connection")
    return sqlalchemy.exc.DBAPIError("SELECT secret", {}, driver_error)


def _invalidated() -> Exception:
    return sqlalchemy.exc.DBAPIError("SELECT secret", {}, Exception("x"), connection_invalidated=True)


@pytest.mark.parametrize(
    "make",
    [
        _postgres_away,
        _invalidated,
        lambda: ConnectionRefusedError(111, "refused"),
        lambda: asyncpg.CannotConnectNowError("starting up"),
    ],
)
async def test_a_database_that_is_away_is_unavailable(echo: Running, make: Callable[[], Exception]) -> None:
    echo.servicer.failures.append(make())
    failure = await failure_of(echo.stub.Open(Request()))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert failure.metadata == {"dependency": "database"}
    assert failure.retry_after_s == 1.0
    assert "SELECT" not in failure.message


async def test_a_statement_that_is_wrong_is_internal(echo: Running) -> None:
    echo.servicer.failures.append(sqlalchemy.exc.DBAPIError("SELECT secret", {}, Exception("syntax")))
    failure = await failure_of(echo.stub.Open(Request()))
    assert failure.code is grpc.StatusCode.INTERNAL
    assert "SELECT" not in failure.message


async def test_a_peers_failure_passes_on_what_the_caller_can_use(
    echo: Running, start_echo: StartEcho
) -> None:
    async def error(text: str) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await echo.stub.Open(Request(text=text), timeout=0.2 if text == "hang" else 60)
        return caught.value

    echo.servicer.failures.append(ConnectionRefusedError(111, "refused"))
    other = await start_echo()
    other.servicer.failures.append(await error(""))
    failure = await failure_of(other.stub.Open(Request()))
    assert (failure.code, failure.metadata) == (grpc.StatusCode.UNAVAILABLE, {"dependency": "test"})
    other.servicer.failures.append(await error("hang"))
    failure = await failure_of(other.stub.Open(Request()))
    assert failure.reason == "DEADLINE_EXCEEDED"
    other.servicer.failures.append(await error("missing"))
    failure = await failure_of(other.stub.Open(Request()))
    assert failure.reason == "INTERNAL"


async def test_a_timeout_of_the_handler_is_a_deadline(echo: Running) -> None:
    echo.servicer.failures.append(TimeoutError())
    failure = await failure_of(echo.stub.Open(Request()))
    assert (failure.code, failure.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_the_default_deadline_ends_a_call_without_one(start_echo: StartEcho) -> None:
    for limit_s in LIMITS_S:
        echo = await start_echo(default_deadline_s=limit_s)
        failure = await failure_of(echo.stub.Open(Request(text="hang")))
        assert (failure.code, failure.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        if echo.servicer.entered.is_set():
            break
    assert echo.servicer.cancelled.is_set()


async def test_a_clients_deadline_cancels_the_handler(echo: Running) -> None:
    for limit_s in LIMITS_S:
        failure = await failure_of(echo.stub.Open(Request(text="hang"), timeout=limit_s))
        assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        if echo.servicer.entered.is_set():
            break
    await asyncio.wait_for(echo.servicer.cancelled.wait(), 60)
    left = (echo.servicer.calls[0].deadline or 0) - time.monotonic()
    assert left < 0.05


async def test_a_client_that_goes_cancels_the_handler(echo: Running) -> None:
    call = echo.stub.Open(Request(text="hang"))
    await asyncio.wait_for(echo.servicer.entered.wait(), 60)
    call.cancel()
    await asyncio.wait_for(echo.servicer.cancelled.wait(), 60)
    await echo.metrics_show('code="CANCELLED"')


async def test_a_sampled_call_has_a_span_of_the_callers_trace(start_echo: StartEcho) -> None:
    echo = await start_echo(trace_sample_ratio=1.0, log_sample_ratio=1.0)
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    await echo.stub.Open(Request(), metadata=[("traceparent", parent)])
    await echo.stub.Open(Request(), metadata=[("traceparent", parent[:-2] + "00")])
    await echo.stub.Open(Request())
    await echo.stub.Open(Request(), metadata=[("traceparent", "nonsense-01")])
    child, unsampled, root, nonsense = (str(call.traceparent) for call in echo.servicer.calls)
    assert child.startswith(f"00-{'a' * 32}-")
    assert child[36:52] != "b" * 16
    assert unsampled == parent[:-2] + "00"
    assert root[-1] in "13"
    assert root[3:35] != "a" * 32
    assert nonsense[3:35] not in {"a" * 32, root[3:35]}


async def test_a_message_over_the_limit_is_refused(start_echo: StartEcho) -> None:
    echo = await start_echo(max_message_bytes=1000)
    failure = await failure_of(echo.stub.Open(Request(blob=b"x" * 2000)))
    assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
