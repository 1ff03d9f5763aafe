"""A running risk service over a database of its own, with its peers as small servers beside it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path

import grpc

from bifrost.data.v1 import instrument_pb2, quote_pb2
from bifrost.data.v1 import instrument_service_pb2 as instruments_pb
from bifrost.data.v1 import instrument_service_pb2_grpc as instruments_grpc
from bifrost.data.v1 import market_stream_service_pb2 as market_pb
from bifrost.data.v1 import market_stream_service_pb2_grpc as market_grpc
from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as orders_pb
from bifrost.execution.v1 import order_service_pb2_grpc as orders_grpc
from bifrost.portfolio.v1 import ledger_pb2, portfolio_pb2
from bifrost.portfolio.v1 import ledger_service_pb2 as ledger_pb
from bifrost.portfolio.v1 import ledger_service_pb2_grpc as ledger_grpc
from bifrost.portfolio.v1 import portfolio_service_pb2 as portfolio_pb
from bifrost.portfolio.v1 import portfolio_service_pb2_grpc as portfolio_grpc
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.risk.v1.limit_service_pb2_grpc import LimitServiceStub
from bifrost.risk.v1.pre_trade_service_pb2_grpc import PreTradeServiceStub
from bifrost.type.v1 import stream_pb2, value_pb2
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from services.risk.__main__ import compose
from services.risk.config import RiskSettings
from services.runtime.clock import Clock
from services.runtime.errors import (
    DETAILS_KEY,
    ApiError,
    RpcFailure,
    error_from_rpc,
    invalid_argument,
    not_found,
)
from services.runtime.server import Service
from services.runtime.testing import eventually
from services.runtime.testing_keys import MeshKeys, bearer

SCOPES = "risk:read risk:write"
AAPL, IBM, HALTED, INDEX = (
    str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in ("AAPL", "IBM", "HALT", "IDX")
)
OWNER = "user-1"


class Peer:
    """A gRPC server on a port of its own, which can go away and come back."""

    def __init__(self) -> None:
        self._server = grpc.aio.server()
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self._news = asyncio.Event()

    def add_to(self, server: grpc.aio.Server) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        self.add_to(self._server)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(0)

    async def restart(self) -> None:
        """Listen again at the same port."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 1)])
        self._server.add_insecure_port(self.address)
        await self.start()

    def changed(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        await self._news.wait()


class LogPeer(Peer):
    """A peer with a log, whose streams can be cut after so many messages."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = "log-1"
        self.log: list[object] = []
        self.cuts: list[int] = []
        self.is_blocked = False
        """While true no stream says anything."""
        self.generation = 0

    def append(self, *entries: object) -> None:
        self.log += entries
        self.changed()

    def cut(self) -> None:
        """End every open stream."""
        self.generation += 1
        self.changed()

    async def positions(self, after: int, context: object) -> AsyncIterator[int | None]:
        """Sequences to send, None for the end of the replay; ends where the stream is cut."""
        left = self.cuts.pop(0) if self.cuts else None
        head, replaying, generation = len(self.log), True, self.generation
        while generation == self.generation:
            if self.is_blocked:
                await self.news()
                continue
            for sequence in range(after + 1, len(self.log) + 1):
                if left == 0:
                    return
                left = None if left is None else left - 1
                yield sequence
                after = sequence
            if replaying and after >= head:
                replaying = False
                yield None
            elif after == len(self.log):
                await self.news()

    def header(self, sequence: int | None) -> stream_pb2.StreamHeader:
        return stream_pb2.StreamHeader(
            epoch=self.epoch, sequence=len(self.log) if sequence is None else sequence
        )


async def abort(context: grpc.aio.ServicerContext, error: ApiError, domain: str) -> None:
    """End a fake's call as the real service would."""
    status = error.to_status(domain)
    await context.abort(error.code, error.message, ((DETAILS_KEY, status.SerializeToString()),))


class FakeExecution(LogPeer, orders_grpc.OrderServiceServicer):
    """The order log in a list, and orders by id."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, order_pb2.Order] = {}
        self.asked: list[str] = []
        self.fails_with: grpc.StatusCode | None = None

    def add_to(self, server: grpc.aio.Server) -> None:
        orders_grpc.add_OrderServiceServicer_to_server(self, server)

    async def StreamOrderLog(self, request, context):
        async for sequence in self.positions(request.resume_after.sequence, context):
            if sequence is None:
                end = stream_pb2.ReplayEnd()
                yield orders_pb.StreamOrderLogResponse(header=self.header(None), replay_end=end)
            else:
                event = self.log[sequence - 1]
                yield orders_pb.StreamOrderLogResponse(header=self.header(sequence), order_event=event)

    async def GetOrder(self, request, context):
        self.asked.append(request.order_id)
        if self.fails_with is not None:
            await context.abort(self.fails_with, "as told")
        if request.order_id not in self.orders:
            await abort(context, not_found("ORDER_NOT_FOUND", "no such order"), "bifrost.execution")
        return orders_pb.GetOrderResponse(order=self.orders[request.order_id])


class FakePortfolio(LogPeer, ledger_grpc.LedgerServiceServicer, portfolio_grpc.PortfolioServiceServicer):
    """The ledger log in a list, and accounts by id."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, portfolio_pb2.Account] = {}
        self.asked: list[str] = []

    def add_to(self, server: grpc.aio.Server) -> None:
        ledger_grpc.add_LedgerServiceServicer_to_server(self, server)
        portfolio_grpc.add_PortfolioServiceServicer_to_server(self, server)

    def open_account(self, owner: str = OWNER, currency: str = "USD") -> str:
        account_id = str(uuid.uuid4())
        self.accounts[account_id] = portfolio_pb2.Account(
            account_id=account_id, owner_user_id=owner, currency=currency, venue="XSIM"
        )
        return account_id

    def deposit(self, account_id: str, amount: str, *, entry_id: str = "", currency: str = "USD") -> None:
        self.append(
            ledger_pb2.LedgerEntry(
                entry_id=entry_id or str(uuid.uuid4()),
                account_id=account_id,
                type=ledger_pb2.LEDGER_ENTRY_TYPE_DEPOSIT,
                amount=value_pb2.Money(currency=currency, amount=amount),
            )
        )

    async def StreamLedgerLog(self, request, context):
        async for sequence in self.positions(request.resume_after.sequence, context):
            if sequence is None:
                end = stream_pb2.ReplayEnd()
                yield ledger_pb.StreamLedgerLogResponse(header=self.header(None), replay_end=end)
            else:
                entry = self.log[sequence - 1]
                yield ledger_pb.StreamLedgerLogResponse(header=self.header(sequence), entry=entry)

    async def GetAccount(self, request, context):
        self.asked.append(request.account_id)
        if request.account_id not in self.accounts:
            await abort(context, not_found("ACCOUNT_NOT_FOUND", "no such account"), "bifrost.portfolio")
        return portfolio_pb.GetAccountResponse(account=self.accounts[request.account_id])


class FakeData(Peer, instruments_grpc.InstrumentServiceServicer, market_grpc.MarketStreamServiceServicer):
    """Instruments, and quotes as `quote` sets them."""

    def __init__(self) -> None:
        super().__init__()
        self.instruments = {
            AAPL: _instrument(AAPL, "AAPL"),
            IBM: _instrument(IBM, "IBM", mic="XNYS"),
            HALTED: _instrument(HALTED, "HALT", status=instrument_pb2.INSTRUMENT_STATUS_HALTED),
            INDEX: _instrument(INDEX, "IDX", asset_class=instrument_pb2.ASSET_CLASS_INDEX),
        }
        self.quotes: dict[str, quote_pb2.Quote] = {}
        self.lists = 0
        self.has_list = True
        self._sent: list[quote_pb2.Quote] = []

    def add_to(self, server: grpc.aio.Server) -> None:
        instruments_grpc.add_InstrumentServiceServicer_to_server(self, server)
        market_grpc.add_MarketStreamServiceServicer_to_server(self, server)

    def quote(self, instrument_id: str, bid: float, ask: float, **fields: object) -> None:
        self.quotes[instrument_id] = quote_pb2.Quote(instrument_id=instrument_id, bid=bid, ask=ask, **fields)
        self._sent.append(self.quotes[instrument_id])
        self.changed()

    async def GetInstrument(self, request, context):
        name, listed = request.instrument.instrument_id, request.instrument.listed
        found = [
            i
            for i in self.instruments.values()
            if name == i.instrument_id or (listed.symbol == i.symbol and listed.mic in ("", i.mic))
        ]
        if len(found) > 1:
            error = invalid_argument("SYMBOL_AMBIGUOUS", f"{listed.symbol} has several listings", field="x")
            await abort(context, error, "bifrost.data")
        if not found:
            await abort(context, not_found("INSTRUMENT_NOT_FOUND", "no such instrument"), "bifrost.data")
        return instruments_pb.GetInstrumentResponse(instrument=found[0])

    async def ListInstruments(self, request, context):
        if not self.has_list:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        self.lists += 1
        ordered = sorted(self.instruments.values(), key=lambda i: i.symbol)
        start = int(request.page_token or 0)  # pages of two, so that there are several
        token = str(start + 2) if start + 2 < len(ordered) else ""
        page = ordered[start : start + 2]
        return instruments_pb.ListInstrumentsResponse(instruments=page, next_page_token=token)

    async def StreamQuotes(self, request, context):
        header = stream_pb2.StreamHeader(epoch="view-1", sequence=1)
        seen = len(self._sent)
        snapshot = market_pb.QuoteBatch(quotes=self.quotes.values())
        yield market_pb.StreamQuotesResponse(header=header, snapshot=snapshot)
        yield market_pb.StreamQuotesResponse(header=header, replay_end=stream_pb2.ReplayEnd())
        while True:
            while seen == len(self._sent):
                await self.news()
            update = market_pb.QuoteBatch(quotes=self._sent[seen:])
            seen = len(self._sent)
            yield market_pb.StreamQuotesResponse(header=header, update=update)


def _instrument(instrument_id: str, symbol: str, **changes: object) -> instrument_pb2.Instrument:
    values = {
        "instrument_id": instrument_id,
        "symbol": symbol,
        "mic": "XNAS",
        "asset_class": instrument_pb2.ASSET_CLASS_EQUITY,
        "currency": "USD",
        "tick_size": "0.01",
        "lot_size": "1",
        "status": instrument_pb2.INSTRUMENT_STATUS_ACTIVE,
        **changes,
    }
    return instrument_pb2.Instrument(**values)


@dataclasses.dataclass
class RunningRisk:
    """The service, its peers, and what calls it."""

    url: str
    keys: MeshKeys
    execution: FakeExecution
    portfolio: FakePortfolio
    data: FakeData
    service: Service
    channel: grpc.aio.Channel
    settings: Mapping[str, object]
    clock: Clock | None

    def __post_init__(self) -> None:
        self.pre_trade = PreTradeServiceStub(self.channel)
        self.limits = LimitServiceStub(self.channel)
        self.as_execution = bearer(self.keys.service_token("execution"))
        self.as_user = bearer(self.keys.user_token(OWNER, scope=SCOPES))

    async def fund(self, amount: str = "100000", **account: str) -> str:
        """A new account with so much in cash, as risk knows it."""
        account_id = self.portfolio.open_account(**account)
        self.portfolio.deposit(account_id, amount, currency=account.get("currency", "USD"))
        await self.until_cash(account_id, amount)
        return account_id

    async def buying_power(self, account_id: str) -> pb.GetBuyingPowerResponse:
        request = pb.GetBuyingPowerRequest(account_id=account_id)
        return await self.pre_trade.GetBuyingPower(request, metadata=self.as_execution)

    async def until_cash(self, account_id: str, cash: str, reserved: str | None = None) -> None:
        async def has_come() -> bool:
            power = await self.buying_power(account_id)
            return power.cash == cash and reserved in (None, power.reserved)

        await eventually(has_come)

    async def until_reserved(self, account_id: str, reserved: str) -> None:
        async def has_come() -> bool:
            return (await self.buying_power(account_id)).reserved == reserved

        await eventually(has_come)

    async def reserve(self, account_id: str, terms: OrderTerms, **changes: object) -> pb.ReserveOrderResponse:
        request = reserve_request(account_id, terms, **changes)
        return await self.pre_trade.ReserveOrder(request, metadata=self.as_execution)

    async def settle(self, *events: order_pb2.OrderEvent) -> None:
        """Append to the order log and wait until risk has read it."""
        marker = self.portfolio.open_account()
        fill = fill_event(marker, "marker", "1", "1")
        self.execution.append(*events, fill)
        await self.until_cash(marker, "-1")

    async def restart(self) -> None:
        """Stop the service and start another over the same database."""
        await self.stop_service()
        service, channel = await _serve(self.settings, self.clock)
        self.service, self.channel = service, channel
        self.__post_init__()

    async def until_open(self) -> None:
        """Wait until risk has caught up with its logs."""
        account_id = self.portfolio.open_account()

        async def is_open() -> bool:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.buying_power(account_id)
                return True
            return False

        await eventually(is_open)

    async def until_quoted(self, instrument_id: str, reference: str) -> None:
        """Wait until risk judges at this price."""
        account_id = self.portfolio.open_account()
        request = pb.CheckOrderRequest(
            account_id=account_id,
            instrument=value_pb2.InstrumentRef(instrument_id=instrument_id),
            terms=market(),
        )

        async def is_quoted() -> bool:
            answer = await self.pre_trade.CheckOrder(request, metadata=self.as_execution)
            return answer.result.reference_price == reference

        await eventually(is_quoted)

    async def stop_service(self) -> None:
        await self.channel.close()
        await self.service.stop(0)

    async def stop(self) -> None:
        await self.stop_service()
        for peer in (self.execution, self.portfolio, self.data):
            await peer.stop()


async def start_risk(
    url: str, folder: Path, *, clock: Clock | None = None, **settings: object
) -> RunningRisk:
    """Peers, and the service over the database at `url`; quotes of AAPL at 100 and IBM at 50."""
    execution, portfolio, data = FakeExecution(), FakePortfolio(), FakeData()
    for peer in (execution, portfolio, data):
        await peer.start()
    data.quote(AAPL, 99.99, 100.01)
    data.quote(IBM, 49.99, 50.01)
    keys = MeshKeys(folder)
    values = {
        **keys.settings("risk"),
        "database_url": url,
        "address_book": {
            "execution": execution.address,
            "portfolio": portfolio.address,
            "data": data.address,
        },
        **settings,
    }
    service, channel = await _serve(values, clock)
    return RunningRisk(url, keys, execution, portfolio, data, service, channel, values, clock)


async def _serve(settings: Mapping[str, object], clock: Clock | None) -> tuple[Service, grpc.aio.Channel]:
    service = await compose(RiskSettings.model_validate(settings), clock=clock)
    port = await service.start()
    return service, grpc.aio.insecure_channel(f"127.0.0.1:{port}")


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What a call that must fail said."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error)
    raise AssertionError("the call did not fail")


def limit(price: str = "100", quantity: str = "10", side: str = "SIDE_BUY") -> OrderTerms:
    return OrderTerms(
        side=side,
        type="ORDER_TYPE_LIMIT",
        time_in_force="TIME_IN_FORCE_DAY",
        quantity=quantity,
        limit_price=price,
    )


def market(quantity: str = "10", side: str = "SIDE_BUY") -> OrderTerms:
    return OrderTerms(
        side=side, type="ORDER_TYPE_MARKET", time_in_force="TIME_IN_FORCE_DAY", quantity=quantity
    )


def reserve_request(account_id: str, terms: OrderTerms, **changes: object) -> pb.ReserveOrderRequest:
    values = {
        "account_id": account_id,
        "order_id": str(uuid.uuid4()),
        "request_id": str(uuid.uuid4()),
        "instrument_id": AAPL,
        "terms": terms,
        "terms_version": 1,
        **changes,
    }
    return pb.ReserveOrderRequest(**values)


def order_event(
    kind: str, account_id: str, order_id: str, terms: OrderTerms, *, state: str = "ACCEPTED", version: int = 1
) -> order_pb2.OrderEvent:
    """An entry of the order log: kind and state are the enums' names without prefix."""
    return order_pb2.OrderEvent(
        type=f"ORDER_EVENT_TYPE_{kind}",
        order=order_pb2.Order(
            order_id=order_id,
            account_id=account_id,
            instrument_id=AAPL,
            terms=terms,
            state=f"ORDER_STATE_{state}",
            currency="USD",
            terms_version=version,
        ),
    )


def fill_event(
    account_id: str,
    order_id: str,
    quantity: str,
    price: str,
    *,
    terms: OrderTerms | None = None,
    side: str = "SIDE_BUY",
    fee: str = "0",
    execution_id: str = "",
    state: str = "PARTIALLY_FILLED",
    currency: str = "USD",
) -> order_pb2.OrderEvent:
    event = order_event("FILLED", account_id, order_id, terms or limit(), state=state)
    event.fill.CopyFrom(
        order_pb2.Fill(
            venue="XSIM",
            execution_id=execution_id or str(uuid.uuid4()),
            order_id=order_id,
            account_id=account_id,
            instrument_id=AAPL,
            side=side,
            quantity=quantity,
            price=price,
            fee=fee,
            currency=currency,
        )
    )
    return event
