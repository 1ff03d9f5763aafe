"""Bad input at the edge: documented code and reason over gRPC and REST, and nothing changes."""

from __future__ import annotations

import json

import grpc
import pytest

from services.runtime.errors import error_from_rpc
from services.runtime.testing import connect
from tests.e2e.edge.calls import HTTP_OF_CODE, Answer, Json, is_read
from tests.e2e.edge.cases import CASES
from tests.e2e.edge.kinds import SUBMIT, Case
from tests.e2e.edge.world import AAPL, LIMIT, UNKNOWN_ID, World


@pytest.fixture(scope="module", autouse=True)
async def _baseline(world: World) -> None:
    """Whatever was traded before these tests is no fault of theirs."""
    world.baseline = await world.state()


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
async def test_refused_the_same_over_grpc_and_rest(case: Case, world: World) -> None:
    request, headers = case.request(world), world.headers(case.who)
    over_grpc = await world.caller.grpc(case.method, request, headers)
    over_rest = await world.caller.rest(case.method, request, headers)
    for answer in (over_grpc, over_rest):
        assert (answer.code, answer.reason, answer.domain) == (case.code, case.reason, case.domain), answer
        assert answer.message
        assert set(case.metadata) <= answer.metadata.keys(), answer
        if case.field:
            assert case.field in {name for name, _ in answer.violations}, answer
    assert over_grpc.content == over_rest.content
    assert over_grpc.message == over_rest.message
    assert over_rest.http == HTTP_OF_CODE[case.code]
    if not is_read(case.method):
        assert await world.state() == world.baseline


def _orders(world: World) -> str:
    return f"/v1/accounts/{world.account_id}/orders"


def _body(**terms: object) -> bytes:
    return json.dumps({"request_id": "bad", "instrument": AAPL, "terms": LIMIT | terms}).encode()


def _mistyped(name: str) -> bytes:
    terms = {key + ("e" if key == name else ""): value for key, value in LIMIT.items()}
    return json.dumps({"request_id": "bad", "instrument": AAPL, "terms": terms}).encode()


REST_ONLY: dict[str, tuple[bytes, str, str]] = {
    # name: body of SubmitOrder, domain, what the refusal must name
    "unknown enum name": (_body(side="SIDE_SIDEWAYS"), "bifrost.edge", "terms.side"),
    "number for a decimal": (_body(quantity=5), "bifrost.edge", "terms.quantity"),
    "object for a decimal": (_body(quantity={}), "bifrost.edge", "quantity"),
    "no JSON": (b"{not json", "bifrost.edge", "{not json"),
    "cut JSON": (b'{"request_id": "x"', "bifrost.edge", "Unexpected end"),
    "a boolean for a text": (b'{"request_id": true}', "bifrost.edge", "request_id"),
    "a list": (b"[]", "bifrost.edge", "message"),
    "not UTF-8": (b'{"request_id": "\xff\xfe"}', "bifrost.edge", ""),
    "no body": (b"", "bifrost.execution", "terms"),
    "empty object": (b"{}", "bifrost.execution", "request_id"),
    "mistyped terms": (
        json.dumps({"request_id": "bad", "instrument": AAPL, "term": LIMIT}).encode(),
        "bifrost.execution",
        "terms",
    ),
    **{f"mistyped {name}": (_mistyped(name), "bifrost.execution", name) for name in LIMIT},
}


@pytest.mark.parametrize("name", REST_ONLY)
async def test_a_body_that_does_not_fit_is_refused(name: str, world: World) -> None:
    body, domain, named = REST_ONLY[name]
    answer = await world.caller.http("POST", _orders(world), body, world.headers("alice"))
    assert (answer.http, answer.code, answer.reason) == (400, "INVALID_ARGUMENT", "FIELD_INVALID"), answer
    assert answer.domain == domain
    assert named in answer.message
    assert await world.state() == world.baseline


async def test_what_is_too_large_is_refused_over_rest(world: World) -> None:
    body = json.dumps(world.order(request_id="large", memo="x" * 2**20)).encode()
    answer = await world.caller.http("POST", _orders(world), body, world.headers("alice"))
    _assert_too_large(answer)
    assert answer.http == 429
    assert await world.state() == world.baseline


async def test_what_is_too_large_is_refused_over_grpc(world: World) -> None:
    request = world.order(tag="x" * (4 * 2**20))
    _assert_too_large(await world.caller.grpc(SUBMIT, request, world.headers("alice")))
    small_enough = await world.caller.grpc(SUBMIT, world.order(tag="x" * 2**20), world.headers("alice"))
    assert (small_enough.code, small_enough.domain) == ("INVALID_ARGUMENT", "bifrost.execution")
    assert await world.state() == world.baseline


def _assert_too_large(answer: Answer) -> None:
    expected = ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE", "bifrost.edge")
    assert (answer.code, answer.reason, answer.domain) == expected, answer


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/", "/v1/accounts"])
async def test_a_path_without_a_method_is_not_found(path: str, world: World) -> None:
    verb = "PUT" if path == "/v1/accounts" else "GET"
    answer = await world.caller.http(verb, path, None, world.headers("alice"))
    assert (answer.code, answer.reason, answer.http) == ("NOT_FOUND", "METHOD_NOT_FOUND", 404), answer


@pytest.mark.parametrize(
    "path", ["/bifrost.execution.v1.OrderService/Nothing", "/bifrost.nothing.v1.None/Nothing"]
)
async def test_a_method_that_is_not_there_is_unimplemented_over_grpc(path: str, world: World) -> None:
    metadata = tuple(world.headers("alice").items())
    async with connect(world.mesh.edge) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", metadata=metadata, timeout=60)
    failure = error_from_rpc(caught.value)
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_NOT_FOUND")


async def test_an_unknown_query_parameter_is_refused(world: World) -> None:
    answer = await world.caller.http("GET", f"{_orders(world)}?page_sizes=3", None, world.headers("alice"))
    assert (answer.code, answer.reason, answer.http) == ("INVALID_ARGUMENT", "FIELD_INVALID", 400)
    assert "page_sizes" in answer.message


async def test_bytes_that_are_no_message_are_refused(world: World) -> None:
    answer = await world.caller.grpc(SUBMIT, b"\xff\xff\xff", world.headers("alice"))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")


@pytest.mark.parametrize("way", ["grpc", "rest"])
async def test_headers_of_the_mesh_give_no_rights(way: str, world: World) -> None:
    """Who writes the edge's own headers is still who the token says."""
    forged = {"x-jwt-sub": world.mesh.alice.user_id, "x-bifrost-actor": f"Bearer {world.tokens['alice']}"}
    ask = world.caller.grpc if way == "grpc" else world.caller.rest
    stranger = await ask(SUBMIT, world.order(), world.headers("mallory") | forged)
    assert (stranger.code, stranger.reason) == ("NOT_FOUND", "ACCOUNT_NOT_FOUND")
    nobody = await ask(SUBMIT, world.order(), forged)
    assert (nobody.code, nobody.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    me = await ask("identity.v1.UserService/GetUser", {"user_id": "me"}, world.headers("mallory") | forged)
    assert me.reply["user"]["user_id"] == world.mesh.mallory.user_id
    assert await world.state() == world.baseline


async def test_a_token_in_the_query_is_no_token(world: World) -> None:
    path = f"/v1/accounts?access_token={world.tokens['alice']}"
    answer = await world.caller.http("GET", path, None, {})
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")


async def test_a_good_order_in_two_spellings_is_one_order(world: World) -> None:
    """The same request_id with equal decimals written otherwise is the same content over either road."""
    request: Json = world.order(request_id="working")
    quantity = request["terms"]["quantity"]
    otherwise: Json = world.order(request_id="working", terms={"quantity": f"{quantity}.00"})
    over_rest = await world.caller.rest(SUBMIT, otherwise, world.headers("alice"))
    over_grpc = await world.caller.grpc(SUBMIT, request, world.headers("alice"))
    assert over_rest.reply["outcome"] == over_grpc.reply["outcome"] == "SUBMIT_OUTCOME_DUPLICATE"
    assert over_rest.reply["order"]["order_id"] == over_grpc.reply["order"]["order_id"] == world.working_order


async def test_a_body_with_another_account_than_the_path_is_refused(world: World) -> None:
    body = json.dumps(world.order(account_id=UNKNOWN_ID)).encode()
    answer = await world.caller.http("POST", _orders(world), body, world.headers("alice"))
    assert (answer.code, answer.reason, answer.http) == ("INVALID_ARGUMENT", "FIELD_INVALID", 400)
    assert "account_id" in answer.message
    assert await world.state() == world.baseline


async def test_a_body_may_repeat_the_account_of_the_path(world: World) -> None:
    body = json.dumps(world.order(request_id="working")).encode()
    answer = await world.caller.http("POST", _orders(world), body, world.headers("alice"))
    assert answer.reply["outcome"] == "SUBMIT_OUTCOME_DUPLICATE"


@pytest.mark.parametrize(
    ("path", "body", "outcome"),
    [("mine", "another's", "SUBMIT_OUTCOME_DUPLICATE"), ("another's", "mine", "ACCOUNT_NOT_FOUND")],
)
async def test_the_path_holds_where_the_body_has_the_json_name(
    path: str, body: str, outcome: str, world: World
) -> None:
    accounts = {"mine": world.account_id, "another's": UNKNOWN_ID}
    order = world.order(request_id="working")
    del order["account_id"]
    content = json.dumps(order | {"accountId": accounts[body]}).encode()
    url = f"/v1/accounts/{accounts[path]}/orders"
    answer = await world.caller.http("POST", url, content, world.headers("alice"))
    assert (answer.reason or answer.reply["outcome"]) == outcome
    assert await world.state() == world.baseline
