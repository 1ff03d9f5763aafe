"""What bad input is tried on: an account with a filled and a working order, and every kind of wrong token."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.runtime.testing_keys import sign
from services.runtime.waiting import until
from tests.e2e.edge.calls import Answer, Caller, Json
from tests.e2e.running_mesh import Person, RunningMesh

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
AAPL: Json = {"listed": {"symbol": "AAPL"}}
LIMIT: Json = {
    "side": "SIDE_BUY",
    "type": "ORDER_TYPE_LIMIT",
    "time_in_force": "TIME_IN_FORCE_GTC",
    "quantity": "5",
    "limit_price": "1.00",
}
MARKET: Json = {
    "side": "SIDE_BUY",
    "type": "ORDER_TYPE_MARKET",
    "time_in_force": "TIME_IN_FORCE_IOC",
    "quantity": "3",
}


@dataclass
class World:
    """Ids and tokens that cases are written with."""

    mesh: RunningMesh
    caller: Caller
    account_id: str
    portfolio_id: str
    filled_order: str
    working_order: str
    tokens: dict[str, str]
    """Authorization by name: people, and kinds of wrong tokens."""
    fills_page: str
    """A next_page_token of ListLedgerEntries, foreign to every other list."""
    baseline: str = ""
    """The state before anything bad was tried."""

    def order(self, *, terms: Json | None = None, drop: str = "", **fields: object) -> Json:
        """A good limit order of alice with some fields changed, or one of its terms left out."""
        all_terms = {name: value for name, value in (LIMIT | (terms or {})).items() if name != drop}
        return {
            "account_id": self.account_id,
            "request_id": "bad",
            "instrument": AAPL,
            "terms": all_terms,
        } | fields

    def headers(self, who: str) -> dict[str, str]:
        """Metadata of a caller; of nobody for ""."""
        return {"authorization": f"Bearer {self.tokens[who]}"} if who else {}

    async def ask(self, method: str, request: Json, who: str = "alice") -> Json:
        """A good call's reply."""
        answer: Answer = await self.caller.grpc(method, request, self.headers(who))
        assert answer.code == "OK", answer
        return answer.reply

    async def state(self) -> str:
        """Digest of everything that bad input must not change; what moves with live quotes is left out."""
        account = {"account_id": self.account_id}
        balance, session, *rest = await asyncio.gather(
            self.ask("portfolio.v1.PortfolioService/GetBalance", account),
            self.ask("venue.v1.SessionService/GetCurrentSession", {}),
            self.ask("execution.v1.OrderService/ListOrders", account),
            self.ask("execution.v1.OrderService/ListFills", account),
            self.ask("venue.v1.VenueService/ListVenueOrders", account),
            self.ask("portfolio.v1.LedgerService/ListLedgerEntries", account),
            self.ask("risk.v1.PreTradeService/GetBuyingPower", account),
            self.ask("risk.v1.LimitService/GetLimits", account),
            self.ask("risk.v1.LimitService/ListKillSwitches", {}),
            self.ask("portfolio.v1.PortfolioService/ListAccounts", {}),
            self.ask("portfolio.v1.PortfolioService/ListPortfolios", {}),
            self.ask("identity.v1.UserService/ListUsers", {}, "adam"),
            self.ask("data.v1.IngestionService/ListIngestions", {}),
            self.ask("data.v1.ScheduleService/ListSchedules", {}),
        )
        money = {key: balance["balance"].get(key) for key in ("cash", "fees", "realized_pnl")}
        seen = [money, session["session"]["session_id"], *rest]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


async def _submitted(world: World, order: Json) -> Json:
    """The reply; asked again while execution has not yet found a service that a test before killed."""
    answers: list[Answer] = []

    async def is_answered() -> bool:
        method = "execution.v1.OrderService/SubmitOrder"
        answers.append(await world.caller.grpc(method, order, world.headers("alice")))
        return answers[-1].code != "UNAVAILABLE"

    await until(is_answered, timeout_s=60)
    assert answers[-1].code == "OK", answers[-1]
    return answers[-1].reply


async def make_world(mesh: RunningMesh, caller: Caller) -> World:
    """Trade a little, so that there is something to spoil."""
    account_id = mesh.account.account_id
    tokens = {name: person.access_token for name, person in mesh.people.items()} | await _wrong_tokens(mesh)
    tokens["founder"] = mesh.founder_token
    world = World(mesh, caller, account_id, mesh.account.portfolio_id, "", "", tokens, "")
    bought = await _submitted(world, world.order(request_id="filled") | {"terms": MARKET})
    working = await _submitted(world, world.order(request_id="working"))
    world.filled_order, world.working_order = bought["order"]["order_id"], working["order"]["order_id"]

    async def posted() -> bool:
        account = {"account_id": account_id}
        order = {"order_id": world.filled_order} | account
        state = (await world.ask("execution.v1.OrderService/GetOrder", order))["order"]["state"]
        positions = await world.ask("portfolio.v1.PortfolioService/ListPositions", account)
        held = [position["quantity"] for position in positions.get("positions", [])]
        power = await world.ask("risk.v1.PreTradeService/GetBuyingPower", account)
        cash = (await world.ask("portfolio.v1.PortfolioService/GetBalance", account))["balance"]["cash"]
        return state == "ORDER_STATE_FILLED" and held == ["3"] and power["cash"] == cash

    await until(posted, timeout_s=60)
    one = {"account_id": account_id, "page_size": 1}
    page = await world.ask("portfolio.v1.LedgerService/ListLedgerEntries", one)
    world.fills_page = page["next_page_token"]
    return world


async def _wrong_tokens(mesh: RunningMesh) -> dict[str, str]:
    """Tokens that identity did not give, or not for this; those that need its key are signed with it."""
    connection = await asyncpg.connect(mesh.launcher.database_url("identity"))
    try:
        row = await connection.fetchrow("SELECT kid, private_key_pem FROM identity.signing_key")
    finally:
        await connection.close()
    kid, own = row["kid"], _key(row["private_key_pem"].encode())
    service = _key(mesh.launcher.home.credential_file("execution").read_bytes())
    alice: Person = mesh.alice
    claims = {"sub": alice.user_id, "scope": "orders:read orders:write portfolio:read portfolio:write"}
    past = int(time.time()) - 3600
    return {
        "expired": sign(own, kid, **claims, iat=past, exp=past + 900),
        "forged": sign(ec.generate_private_key(ec.SECP256R1()), kid, **claims),
        "unknown key": sign(ec.generate_private_key(ec.SECP256R1()), "no-such-key", **claims),
        "other audience": sign(own, kid, **claims, aud="another"),
        "other issuer": sign(own, kid, **claims, iss="another"),
        "service": sign(service, "execution", sub="service:execution"),
        "garbage": "garbage",
        "refresh": alice.refresh_token,
    }


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
