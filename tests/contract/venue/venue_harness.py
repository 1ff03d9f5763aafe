"""A running venue service over a database of its own, with the real sample bars as its history."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import grpc
from bokeh_sampledata import stocks

from bifrost.portfolio.v1 import portfolio_pb2, portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2 as terms_pb
from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost.venue.v1 import session_pb2, session_service_pb2, venue_order_pb2
from bifrost.venue.v1 import venue_service_pb2 as pb
from bifrost.venue.v1.session_service_pb2_grpc import SessionServiceStub
from bifrost.venue.v1.venue_service_pb2_grpc import VenueServiceStub
from services.runtime.decimals import from_double
from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.server import Service
from services.runtime.testing import connect, peer_server
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from services.venue.__main__ import compose
from services.venue.clients import ListedInstrument, ObservedBar
from services.venue.config import VenueSettings

T = TypeVar("T")
SYMBOLS = ("AAPL", "FB", "IBM")
IDS = {symbol: str(uuid.uuid5(uuid.NAMESPACE_DNS, symbol)) for symbol in SYMBOLS}
FB = IDS["FB"]
ALICE, BOB = (str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ("alice", "bob"))
STANDSTILL = 86_400.0
"""Seconds a day at which no second step comes while a test runs."""
BUY, SELL = terms_pb.SIDE_BUY, terms_pb.SIDE_SELL
DAY, GTC = terms_pb.TIME_IN_FORCE_DAY, terms_pb.TIME_IN_FORCE_GTC


class SampleHistory:
    """The bars of bokeh_sampledata; `away` makes every call fail as it does while data is down."""

    def __init__(self) -> None:
        self.away = False
        self.tick_bands: tuple[tuple[Decimal, Decimal], ...] = ((Decimal(0), Decimal("0.01")),)
        self.split_on: list[date] = []
        """When shares of AAPL are split."""
        self.spoilt: dict[str, Decimal] = {}
        """Values that stand in every bar instead of the real ones."""

    async def instruments(self) -> list[ListedInstrument]:
        self._called()
        return [ListedInstrument(IDS[symbol], symbol, "USD", self.tick_bands) for symbol in SYMBOLS]

    async def daily_bars(self, instrument_id: str, start: date, end: date) -> list[ObservedBar]:
        self._called()
        symbol = next(symbol for symbol, known in IDS.items() if known == instrument_id)
        bars: Any = getattr(stocks, symbol)
        return [
            ObservedBar(on, **({name: from_double(float(bars[name][row])) for name in _FIELDS} | self.spoilt))
            for row, on in enumerate(date.fromisoformat(str(day)[:10]) for day in bars["date"])
            if start <= on <= end
        ]

    async def split_dates(self, instrument_id: str) -> list[date]:
        self._called()
        return self.split_on if instrument_id == IDS["AAPL"] else []

    def _called(self) -> None:
        if self.away:
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "data is away"
            )


_FIELDS = ("open", "high", "low", "close", "volume")


class Accounts(portfolio_service_pb2_grpc.PortfolioServiceServicer):
    """portfolio's GetAccount: Alice's account is user-1's, Bob's is user-2's."""

    def __init__(self) -> None:
        self.server = peer_server()
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        portfolio_service_pb2_grpc.add_PortfolioServiceServicer_to_server(self, self.server)

    async def GetAccount(self, request: Any, context: Any) -> portfolio_service_pb2.GetAccountResponse:
        owner = {ALICE: "user-1", BOB: "user-2"}.get(request.account_id)
        if owner is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such account")
        account = portfolio_pb2.Account(account_id=request.account_id, owner_user_id=owner)
        return portfolio_service_pb2.GetAccountResponse(account=account)


def order_terms(
    side: terms_pb.Side,
    quantity: int | str,
    limit: str = "",
    *,
    stop: str = "",
    time_in_force: terms_pb.TimeInForce = DAY,
) -> terms_pb.OrderTerms:
    types = {
        (False, False): terms_pb.ORDER_TYPE_MARKET,
        (True, False): terms_pb.ORDER_TYPE_LIMIT,
        (False, True): terms_pb.ORDER_TYPE_STOP,
        (True, True): terms_pb.ORDER_TYPE_STOP_LIMIT,
    }
    return terms_pb.OrderTerms(
        side=side,
        type=types[bool(limit), bool(stop)],
        time_in_force=time_in_force,
        quantity=str(quantity),
        limit_price=limit,
        stop_price=stop,
    )


@dataclasses.dataclass
class RunningVenue:
    service: Service | None
    """None when it runs in a process of its own."""
    channel: grpc.aio.Channel
    keys: MeshKeys
    history: SampleHistory
    accounts: Accounts

    def __post_init__(self) -> None:
        self.venue = VenueServiceStub(self.channel)
        self.sessions = SessionServiceStub(self.channel)
        self.execution = bearer(self.keys.service_token("execution"))
        self.data = bearer(self.keys.service_token("data"))
        self.operator = bearer(self.keys.user_token(scope="venue:write market:read orders:read"))

    async def create_session(self, **changes: object) -> session_service_pb2.CreateSessionResponse:
        values: dict[str, Any] = {
            "request_id": str(uuid.uuid4()),
            "symbols": ["FB", "AAPL"],
            "start_date": "2012-05-18",
            "end_date": "2012-05-22",
            "seconds_per_day": STANDSTILL,
            "steps_per_day": 30,
            **changes,
        }
        request = session_service_pb2.CreateSessionRequest(**values)
        return await self.sessions.CreateSession(request, metadata=self.operator)

    async def new_session(self, **changes: object) -> session_pb2.Session:
        """A fresh session in place of the one there may be, with its first step played."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self.sessions.EndSession(session_service_pb2.EndSessionRequest(), metadata=self.operator)
        session = (await self.create_session(**changes)).session
        await self.wait_step(1)
        return session

    async def current(self) -> session_pb2.Session:
        request = session_service_pb2.GetCurrentSessionRequest()
        return (await self.sessions.GetCurrentSession(request, metadata=self.operator)).session

    async def wait_step(self, step: int) -> session_pb2.Session:
        return await self.wait_session(lambda session: session.step >= step)

    async def wait_session(self, condition: Callable[[session_pb2.Session], bool]) -> session_pb2.Session:
        async def holds() -> bool:
            return condition(await self.current())

        await until(holds, timeout_s=60)
        return await self.current()

    async def set_speed(self, seconds_per_day: float) -> session_pb2.Session:
        request = session_service_pb2.UpdateSessionRequest(seconds_per_day=seconds_per_day)
        return (await self.sessions.UpdateSession(request, metadata=self.operator)).session

    async def submit(
        self,
        terms: terms_pb.OrderTerms,
        *,
        client_order_id: str | None = None,
        account: str = ALICE,
        instrument_id: str = FB,
        protection: str | None = None,
    ) -> pb.SubmitOrderResponse:
        if protection is None:
            protection = "" if terms.limit_price else {BUY: "10000", SELL: "0.01"}[terms.side]
        request = pb.SubmitOrderRequest(
            account_id=account,
            client_order_id=client_order_id or str(uuid.uuid4()),
            instrument_id=instrument_id,
            terms=terms,
            protection_price=protection,
        )
        return await self.venue.SubmitOrder(request, metadata=self.execution)

    async def cancel(self, client_order_id: str, account: str = ALICE) -> pb.CancelOrderResponse:
        request = pb.CancelOrderRequest(account_id=account, client_order_id=client_order_id)
        return await self.venue.CancelOrder(request, metadata=self.execution)

    async def replace(
        self, client_order_id: str, terms: terms_pb.OrderTerms, version: int, *, protection: str = ""
    ) -> pb.ReplaceOrderResponse:
        request = pb.ReplaceOrderRequest(
            account_id=ALICE,
            client_order_id=client_order_id,
            terms=terms,
            terms_version=version,
            protection_price=protection,
        )
        return await self.venue.ReplaceOrder(request, metadata=self.execution)

    async def resolve(self, client_order_id: str, account: str = ALICE) -> pb.ResolveOrderResponse:
        request = pb.ResolveOrderRequest(account_id=account, client_order_id=client_order_id)
        return await self.venue.ResolveOrder(request, metadata=self.execution)

    async def list_orders(self, account: str = ALICE) -> list[venue_order_pb2.VenueOrder]:
        request = pb.ListVenueOrdersRequest(account_id=account, page_size=1000)
        return list((await self.venue.ListVenueOrders(request, metadata=self.operator)).orders)

    async def list_executions(self, account: str = ALICE) -> list[venue_order_pb2.Execution]:
        request = pb.ListExecutionsRequest(account_id=account, page_size=1000)
        return list((await self.venue.ListExecutions(request, metadata=self.operator)).executions)

    async def book(self, instrument_id: str = FB) -> Any:
        request = pb.GetBookRequest(instrument_id=instrument_id)
        return (await self.venue.GetBook(request, metadata=self.operator)).book

    async def reports(
        self, *, after: StreamPosition | None = None
    ) -> list[tuple[int, venue_order_pb2.ExecutionReport]]:
        """The execution log after a position up to now, with its sequences."""
        found: list[tuple[int, venue_order_pb2.ExecutionReport]] = []
        request = pb.StreamExecutionsRequest(resume_after=after)
        async for message in self.venue.StreamExecutions(request, metadata=self.execution):
            if message.WhichOneof("event") == "replay_end":
                return found
            found.append((message.header.sequence, message.report))
        raise AssertionError("the stream ended before its replay")

    async def stop(self) -> None:
        await self.channel.close()
        if self.service is not None:
            await self.service.stop(0)
        await self.accounts.server.stop(None)


async def start_venue(
    url: str, folder: Path, *, keys: MeshKeys | None = None, data_address: str = "", **settings: object
) -> RunningVenue:
    """A venue on the sample bars, or on those of the data service at `data_address`."""
    keys, accounts, sample = keys or MeshKeys(folder), Accounts(), SampleHistory()
    await accounts.server.start()
    values: dict[str, Any] = {
        **keys.settings("venue"),
        "database_url": url,
        "address_book": {"portfolio": accounts.address, "data": data_address},
        "heartbeat_s": 0.2,
        **settings,
    }
    service = await compose(VenueSettings.model_validate(values), history=None if data_address else sample)
    port = await service.start()
    channel = connect(f"127.0.0.1:{port}")
    return RunningVenue(service, channel, keys, sample, accounts)


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What the call fails with; an AssertionError when it does not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error)
    raise AssertionError("the call was answered")
