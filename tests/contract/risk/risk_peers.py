"""Execution, portfolio and data as small servers on sockets, for tests of risk."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

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
from bifrost.type.v1 import stream_pb2, value_pb2
from services.runtime.embedded.ports import ReservedPorts
from services.runtime.errors import (
    DETAILS_KEY,
    ApiError,
    invalid_argument,
    not_found,
)
from services.runtime.testing import peer_server

AAPL, IBM, HALTED, INDEX = (
    str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in ("AAPL", "IBM", "HALT", "IDX")
)
OWNER = "user-1"


class Peer:
    """A gRPC server on a port of its own, which can go away and come back."""

    def __init__(self) -> None:
        self._port = ReservedPorts(1)  # kept while it is away
        self.address = f"127.0.0.1:{self._port.numbers[0]}"
        self._server = self._listen()
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
        self._server = self._listen()
        await self.start()

    def _listen(self) -> grpc.aio.Server:
        server = peer_server()
        server.add_insecure_port(self.address)
        return server

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
        self.log: list[Any] = []
        self.cuts: list[int] = []
        self.skipped = 0
        """Added to every sequence from now on: a gap."""
        self.generation = 0

    def append(self, *entries: object) -> None:
        self.log += entries
        self.changed()

    def cut(self) -> None:
        """End every open stream."""
        self.generation += 1
        self.changed()

    async def positions(self, after: int) -> AsyncIterator[int | None]:
        """Sequences to send, None for the end of the replay; ends where the stream is cut."""
        left = self.cuts.pop(0) if self.cuts else None
        head, replaying, generation = len(self.log), True, self.generation
        while generation == self.generation:
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
            epoch=self.epoch, sequence=(len(self.log) if sequence is None else sequence) + self.skipped
        )


async def abort(context: Any, error: ApiError, domain: str) -> None:
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

    async def StreamOrderLog(
        self, request: Any, context: Any
    ) -> AsyncIterator[orders_pb.StreamOrderLogResponse]:
        async for sequence in self.positions(request.resume_after.sequence):
            if sequence is None:
                end = stream_pb2.ReplayEnd()
                yield orders_pb.StreamOrderLogResponse(header=self.header(None), replay_end=end)
            else:
                event = self.log[sequence - 1]
                yield orders_pb.StreamOrderLogResponse(header=self.header(sequence), order_event=event)

    async def GetOrder(self, request: Any, context: Any) -> orders_pb.GetOrderResponse:
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

    async def StreamLedgerLog(
        self, request: Any, context: Any
    ) -> AsyncIterator[ledger_pb.StreamLedgerLogResponse]:
        async for sequence in self.positions(request.resume_after.sequence):
            if sequence is None:
                end = stream_pb2.ReplayEnd()
                yield ledger_pb.StreamLedgerLogResponse(header=self.header(None), replay_end=end)
            else:
                entry = self.log[sequence - 1]
                yield ledger_pb.StreamLedgerLogResponse(header=self.header(sequence), entry=entry)

    async def GetAccount(self, request: Any, context: Any) -> portfolio_pb.GetAccountResponse:
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

    def quote(self, instrument_id: str, bid: float, ask: float, **fields: Any) -> None:
        self.quotes[instrument_id] = quote_pb2.Quote(instrument_id=instrument_id, bid=bid, ask=ask, **fields)
        self._sent.append(self.quotes[instrument_id])
        self.changed()

    async def GetInstrument(self, request: Any, context: Any) -> instruments_pb.GetInstrumentResponse:
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

    async def ListInstruments(self, request: Any, context: Any) -> instruments_pb.ListInstrumentsResponse:
        if not self.has_list:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        self.lists += 1
        ordered = sorted(self.instruments.values(), key=lambda i: i.symbol)
        start = int(request.page_token or 0)  # pages of two, so that there are several
        token = str(start + 2) if start + 2 < len(ordered) else ""
        page = ordered[start : start + 2]
        return instruments_pb.ListInstrumentsResponse(instruments=page, next_page_token=token)

    async def StreamQuotes(self, request: Any, context: Any) -> AsyncIterator[market_pb.StreamQuotesResponse]:
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


def _instrument(instrument_id: str, symbol: str, **changes: Any) -> instrument_pb2.Instrument:
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
