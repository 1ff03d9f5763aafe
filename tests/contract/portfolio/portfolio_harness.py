"""A running portfolio service over a database of its own, with small servers as execution and data."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from decimal import Decimal
from pathlib import Path

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from grpc.aio import ServicerContext
from jwt.algorithms import ECAlgorithm

from bifrost.data.v1 import market_stream_service_pb2 as quotes_pb
from bifrost.data.v1 import market_stream_service_pb2_grpc as quotes_grpc
from bifrost.data.v1.quote_pb2 import Quote
from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as orders_pb
from bifrost.execution.v1 import order_service_pb2_grpc as orders_grpc
from bifrost.portfolio.v1 import ledger_pb2, ledger_service_pb2, portfolio_pb2, portfolio_service_pb2
from bifrost.portfolio.v1.ledger_service_pb2_grpc import LedgerServiceStub
from bifrost.portfolio.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.portfolio.__main__ import compose
from services.portfolio.config import PortfolioSettings
from services.runtime.clock import Clock, to_timestamp
from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.server import Service
from services.runtime.testing import connect, peer_server

SCOPES = "portfolio:read portfolio:write"
AAPL, GOOG = str(uuid.uuid5(uuid.NAMESPACE_DNS, "AAPL")), str(uuid.uuid5(uuid.NAMESPACE_DNS, "GOOG"))
SYMBOLS = {AAPL: "AAPL", GOOG: "GOOG"}
Headers = list[tuple[str, str]]


def order_fill(
    account_id: str,
    quantity: str,
    price: str,
    *,
    fee: str = "0",
    instrument_id: str = AAPL,
    execution_id: str | None = None,
    currency: str = "USD",
) -> order_pb2.OrderEvent:
    """A FILLED event; a negative quantity is a sale."""
    signed = Decimal(quantity)
    fill = order_pb2.Fill(
        fill_id=str(uuid.uuid4()),
        venue="XSIM",
        execution_id=execution_id or str(uuid.uuid4()),
        order_id=str(uuid.uuid4()),
        account_id=account_id,
        instrument_id=instrument_id,
        symbol=SYMBOLS[instrument_id],
        side=order_terms_pb2.SIDE_BUY if signed > 0 else order_terms_pb2.SIDE_SELL,
        quantity=f"{abs(signed):f}",
        price=price,
        fee=fee,
        currency=currency,
        event_time=to_timestamp(1_340_000_000_000_000_000),
    )
    return order_pb2.OrderEvent(type=order_pb2.ORDER_EVENT_TYPE_FILLED, fill=fill)


def accepted() -> order_pb2.OrderEvent:
    return order_pb2.OrderEvent(type=order_pb2.ORDER_EVENT_TYPE_ACCEPTED)


class Peer:
    """A gRPC server on a free port."""

    def __init__(self) -> None:
        self.server = peer_server()
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self._changed = asyncio.Event()

    def changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self) -> None:
        await self._changed.wait()


class FakeExecution(Peer, orders_grpc.OrderServiceServicer):
    """The order log in a list, and streams of it that are cut on demand."""

    def __init__(self, *, epoch: str = "log-1") -> None:
        super().__init__()
        self.epoch = epoch
        self.events: list[order_pb2.OrderEvent] = []
        self.cuts: list[int] = []
        """The next streams end after so many messages; a stream without a number here stays open."""
        self.headers: list[dict[str, str | bytes]] = []
        """Metadata of each stream that was opened."""
        self._generation = 0
        orders_grpc.add_OrderServiceServicer_to_server(self, self.server)

    def log(self, *events: order_pb2.OrderEvent) -> None:
        self.events += events
        self.changed()

    def cut(self) -> None:
        """End every open stream."""
        self._generation += 1
        self.changed()

    async def StreamOrderLog(
        self,
        request: orders_pb.StreamOrderLogRequest,
        context: ServicerContext[orders_pb.StreamOrderLogRequest, orders_pb.StreamOrderLogResponse],
    ) -> AsyncIterator[orders_pb.StreamOrderLogResponse]:
        self.headers.append(dict(context.invocation_metadata() or ()))
        cut = self.cuts.pop(0) if self.cuts else None
        sent = 0
        async for response in self._responses(request.resume_after.sequence):
            if sent == cut:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            yield response
            sent += 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")

    async def _responses(self, after: int) -> AsyncIterator[orders_pb.StreamOrderLogResponse]:
        head = len(self.events)
        replaying, generation = True, self._generation
        while generation == self._generation:
            for sequence in range(after + 1, len(self.events) + 1):
                yield orders_pb.StreamOrderLogResponse(
                    header=self._header(sequence), order_event=self.events[sequence - 1]
                )
                after = sequence
            if replaying and after >= head:
                replaying = False
                replay_end = stream_pb2.ReplayEnd()
                yield orders_pb.StreamOrderLogResponse(header=self._header(after), replay_end=replay_end)
                continue
            if after == len(self.events):
                await self.wait()

    def _header(self, sequence: int) -> stream_pb2.StreamHeader:
        return stream_pb2.StreamHeader(epoch=self.epoch, sequence=sequence)


class FakeData(Peer, quotes_grpc.MarketStreamServiceServicer):
    """Live quotes: a snapshot of the last ones, then what `quote` says."""

    def __init__(self) -> None:
        super().__init__()
        self.quotes: dict[str, Quote] = {}
        self.readers = 0
        self._news: list[Quote] = []
        quotes_grpc.add_MarketStreamServiceServicer_to_server(self, self.server)

    def quote(self, instrument_id: str, bid: float, ask: float) -> None:
        quote = Quote(instrument_id=instrument_id, bid=bid, ask=ask, event_time_ns=7)
        self.quotes[instrument_id] = quote
        self._news.append(quote)
        self.changed()

    async def StreamQuotes(
        self,
        request: quotes_pb.StreamQuotesRequest,
        context: ServicerContext[quotes_pb.StreamQuotesRequest, quotes_pb.StreamQuotesResponse],
    ) -> AsyncIterator[quotes_pb.StreamQuotesResponse]:
        self.readers += 1
        self.changed()
        seen = len(self._news)
        snapshot = quotes_pb.QuoteBatch(quotes=self.quotes.values())
        yield quotes_pb.StreamQuotesResponse(header=self._header(), snapshot=snapshot)
        replay_end = stream_pb2.ReplayEnd()
        yield quotes_pb.StreamQuotesResponse(header=self._header(), replay_end=replay_end)
        while True:
            if seen == len(self._news):
                await self.wait()
            update = quotes_pb.QuoteBatch(quotes=self._news[seen:])
            seen = len(self._news)
            yield quotes_pb.StreamQuotesResponse(header=self._header(), update=update)

    def _header(self) -> stream_pb2.StreamHeader:
        return stream_pb2.StreamHeader(epoch="view-1", sequence=len(self._news))


class Tokens:
    """Keys of users and services in a folder, and headers that carry their tokens."""

    def __init__(self, folder: Path) -> None:
        self._user = ec.generate_private_key(ec.SECP256R1())
        self._services = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("risk", "execution")}
        self.jwks_file = folder / "jwks.json"
        self.services_jwks_file = folder / "services.jwks.json"
        self.jwks_file.write_text(json.dumps({"keys": [_jwk(self._user, "u1")]}))
        services = [_jwk(key, name) for name, key in self._services.items()]
        self.services_jwks_file.write_text(json.dumps({"keys": services}))

    def user(self, user_id: str = "user-1", scope: str = SCOPES) -> Headers:
        return [("authorization", f"Bearer {self._token(self._user, 'u1', sub=user_id, scope=scope)}")]

    def service(self, name: str = "risk", actor: Headers | None = None) -> Headers:
        token = self._token(self._services[name], name, sub=f"service:{name}")
        acting = [] if actor is None else [("x-bifrost-actor", actor[0][1])]
        return [("authorization", f"Bearer {token}"), *acting]

    def _token(self, key: ec.EllipticCurvePrivateKey, kid: str, **claims: object) -> str:
        now = int(time.time())
        content = {"iss": "bifrost", "aud": "bifrost", "iat": now, "exp": now + 900, **claims}
        return jwt.encode(content, key, algorithm="ES256", headers={"kid": kid})


def _jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, object]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


@dataclasses.dataclass
class PortfolioClient:
    """Calls of a portfolio service, wherever it runs, and its peers."""

    execution: FakeExecution
    data: FakeData
    channel: grpc.aio.Channel
    tokens: Tokens

    def __post_init__(self) -> None:
        self.portfolios = PortfolioServiceStub(self.channel)
        self.ledger = LedgerServiceStub(self.channel)
        self.headers = self.tokens.user()

    async def new_account(
        self, *, headers: Headers | None = None, currency: str = "USD", deposit: str | None = None
    ) -> str:
        headers = headers or self.headers
        request = portfolio_service_pb2.CreatePortfolioRequest(request_id=str(uuid.uuid4()), name="Main")
        made = await self.portfolios.CreatePortfolio(request, metadata=headers)
        opened = await self.portfolios.CreateAccount(
            account_request(made.portfolio.portfolio_id, currency=currency), metadata=headers
        )
        account_id = opened.account.account_id
        if deposit is not None:
            await self.deposit(account_id, deposit, headers=headers, currency=currency)
        return account_id

    async def deposit(
        self,
        account_id: str,
        amount: str,
        *,
        currency: str = "USD",
        request_id: str | None = None,
        memo: str = "",
        headers: Headers | None = None,
    ) -> ledger_service_pb2.CreateDepositResponse:
        request = ledger_service_pb2.CreateDepositRequest(
            account_id=account_id,
            request_id=request_id or str(uuid.uuid4()),
            amount=value_pb2.Money(currency=currency, amount=amount),
            memo=memo,
        )
        return await self.ledger.CreateDeposit(request, metadata=headers or self.headers)

    async def balance(self, account_id: str) -> portfolio_pb2.Balance:
        request = portfolio_service_pb2.GetBalanceRequest(account_id=account_id)
        return (await self.portfolios.GetBalance(request, metadata=self.headers)).balance

    async def position(self, account_id: str, instrument_id: str = AAPL) -> portfolio_pb2.Position:
        request = portfolio_service_pb2.GetPositionRequest(account_id=account_id, instrument_id=instrument_id)
        return (await self.portfolios.GetPosition(request, metadata=self.headers)).position

    async def entries(self, account_id: str) -> Sequence[ledger_pb2.LedgerEntry]:
        request = ledger_service_pb2.ListLedgerEntriesRequest(account_id=account_id, page_size=1000)
        return (await self.ledger.ListLedgerEntries(request, metadata=self.headers)).entries

    async def follow(self, *events: order_pb2.OrderEvent, account_id: str) -> portfolio_pb2.Balance:
        """Log the events at execution and wait until they are booked."""
        self.execution.log(*events)
        return await self.caught_up(account_id)

    async def caught_up(self, account_id: str) -> portfolio_pb2.Balance:
        async with asyncio.timeout(60):
            while True:
                balance = await self.balance(account_id)
                if balance.order_log_sequence >= len(self.execution.events):
                    return balance


@dataclasses.dataclass
class RunningPortfolio(PortfolioClient):
    """A service of this process."""

    service: Service

    async def stop(self) -> None:
        await self.channel.close()
        await self.service.stop(0)
        for peer in (self.execution, self.data):
            await peer.server.stop(None)


def account_request(
    portfolio_id: str, *, currency: str = "USD"
) -> portfolio_service_pb2.CreateAccountRequest:
    return portfolio_service_pb2.CreateAccountRequest(
        portfolio_id=portfolio_id,
        request_id=str(uuid.uuid4()),
        name="Paper",
        currency=currency,
        venue="XSIM",
        type=portfolio_pb2.ACCOUNT_TYPE_CASH,
    )


async def start_portfolio(
    url: str,
    folder: Path,
    *,
    execution: FakeExecution | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> RunningPortfolio:
    tokens = Tokens(folder)
    execution, data = execution or FakeExecution(), FakeData()
    await execution.server.start()
    await data.server.start()
    values = {
        "database_url": url,
        "jwks_file": tokens.jwks_file,
        "services_jwks_file": tokens.services_jwks_file,
        "address_book": {"execution": execution.address, "data": data.address},
        "drain_delay_s": 0,
        "heartbeat_s": 0.2,
        "view_interval_s": 0.02,
        **settings,
    }
    service = await compose(PortfolioSettings.model_validate(values), clock=clock)
    port = await service.start()
    channel = connect(f"127.0.0.1:{port}")
    return RunningPortfolio(execution, data, channel, tokens, service)


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What the call fails with; an AssertionError when it does not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error)
    raise AssertionError("the call was answered")
