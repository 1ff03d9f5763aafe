"""The demo's clients: a moving-average trader over gRPC, a second one over REST, and streams that watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import grpc
import httpx

from bifrost.data.v1 import market_stream_service_pb2, market_stream_service_pb2_grpc
from bifrost.execution.v1 import order_service_pb2, order_service_pb2_grpc
from bifrost.portfolio.v1 import portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.cli.client import EdgeClient
from services.cli.demo.rule import MovingAverageRule
from services.cli.demo.tally import Tally
from services.runtime.errors import error_from_rpc
from services.runtime.stream_client import resuming

Terms = order_terms_pb2.OrderTerms
Submitted = order_service_pb2.SubmitOrderResponse
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)
_PAUSE_S = 0.2
_LOOK_S = 0.25
_CALL_S = 10.0
_AGAIN = {*range(500, 600), httpx.codes.TOO_MANY_REQUESTS}


class GrpcTrader:
    """Places orders over gRPC; repeats a call with the same request_id until it has an answer."""

    def __init__(self, client: EdgeClient, account_id: str, tally: Tally, *, run: str) -> None:
        self._orders = client.stub(order_service_pb2_grpc.OrderServiceStub)
        self._account_id = account_id
        self._tally = tally
        self._run = run
        self._count = 0

    async def submit(
        self, symbol: str, terms: Terms, *, tag: str = "sma"
    ) -> order_service_pb2.SubmitOrderResponse:
        """Submit one order and count its outcome."""
        self._count += 1
        request = order_service_pb2.SubmitOrderRequest(
            account_id=self._account_id,
            request_id=f"{self._run}-{self._count}",
            instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol)),
            terms=terms,
            tag=tag,
        )
        reply: order_service_pb2.SubmitOrderResponse = await self._until_answered(
            self._orders.SubmitOrder, request
        )
        outcome = order_service_pb2.SubmitOutcome.Name(reply.outcome).removeprefix("SUBMIT_OUTCOME_").lower()
        self._tally.orders[outcome] += 1
        return reply

    async def cancel_all(self) -> None:
        """Cancel whatever still works."""
        await self._until_answered(
            self._orders.CancelAllOrders,
            order_service_pb2.CancelAllOrdersRequest(account_id=self._account_id, all_instruments=True),
        )

    async def open_orders(self) -> int:
        """How many orders have not ended."""
        reply: order_service_pb2.ListOrdersResponse = await self._until_answered(
            self._orders.ListOrders,
            order_service_pb2.ListOrdersRequest(account_id=self._account_id, open_only=True, page_size=1000),
        )
        return len(reply.orders)

    # Any: one loop for every method.
    async def _until_answered(self, method: Callable[..., Any], request: Any) -> Any:
        while True:
            try:
                return await method(request, timeout=_CALL_S)
            except grpc.aio.AioRpcError as error:
                if error.code() not in _AWAY:
                    raise
                self._tally.retries += 1
                await asyncio.sleep(error_from_rpc(error).retry_after_s or _PAUSE_S)

    async def follow_rule(self, quotes: asyncio.Queue[tuple[str, float]], quantity: int) -> None:
        """Trade the moving-average rule on a queue of (symbol, middle price), for ever.

        A symbol's price is looked at four times a second: a rule that sees every tick trades on noise.
        """
        rules: dict[str, MovingAverageRule] = {}
        held: dict[str, int] = {}
        looked: dict[str, float] = {}
        loop = asyncio.get_running_loop()
        while True:
            symbol, price = await quotes.get()
            if loop.time() < looked.get(symbol, 0.0) + _LOOK_S:
                continue
            looked[symbol] = loop.time()
            wish = rules.setdefault(symbol, MovingAverageRule()).decide(price)
            if wish is None or (wish == "sell" and held.get(symbol, 0) < quantity):
                continue
            side = order_terms_pb2.SIDE_BUY if wish == "buy" else order_terms_pb2.SIDE_SELL
            terms = Terms(
                side=side,
                type=order_terms_pb2.ORDER_TYPE_MARKET,
                time_in_force=order_terms_pb2.TIME_IN_FORCE_IOC,
                quantity=str(quantity),
            )
            reply = await self.submit(symbol, terms)
            if reply.outcome != order_service_pb2.SUBMIT_OUTCOME_REJECTED:
                held[symbol] = held.get(symbol, 0) + (quantity if wish == "buy" else -quantity)


class RestTrader:
    """Places and cancels resting orders over REST."""

    def __init__(self, client: EdgeClient, account_id: str, tally: Tally, *, run: str) -> None:
        self._client = client
        self._account_id = account_id
        self._tally = tally
        self._run = run

    async def place_and_cancel(self, symbol: str, prices: Callable[[str], float], count: int) -> None:
        """Place `count` bids well below the market, one after the other, and cancel each."""
        async with httpx.AsyncClient(base_url=f"http://{self._client.edge}", timeout=_CALL_S) as http:
            for number in range(count):
                order = {
                    "request_id": f"{self._run}-rest-{number}",
                    "instrument": {"listed": {"symbol": symbol}},
                    "terms": {
                        "side": "SIDE_BUY",
                        "type": "ORDER_TYPE_LIMIT",
                        "time_in_force": "TIME_IN_FORCE_GTC",
                        "quantity": "5",
                        "limit_price": f"{prices(symbol) * (0.95 - number / 1000):.2f}",
                    },
                    "tag": "rest",
                }
                path = f"/v1/accounts/{self._account_id}/orders"
                reply = await self._post(http, path, order)
                outcome = reply["outcome"].removeprefix("SUBMIT_OUTCOME_").lower()
                self._tally.orders[outcome] += 1
                if outcome in {"accepted", "duplicate"}:
                    await self._post(http, f"{path}/{reply['order']['order_id']}:cancel", {})

    async def _post(self, http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
        while True:
            token = await self._client.session.access_token(self._client.anonymous)
            try:
                reply = await http.post(path, json=body, headers={"authorization": f"Bearer {token}"})
            except httpx.TransportError:
                self._tally.retries += 1
                await asyncio.sleep(_PAUSE_S)
                continue
            self._tally.rest_calls += 1
            answer: dict[str, Any] = reply.json()
            # A cancel that lost the race against a fill is refused: the order has ended, as was wanted.
            if reply.status_code not in _AGAIN:
                return answer
            self._tally.retries += 1
            await asyncio.sleep(_PAUSE_S)


class Watcher:
    """Keeps streams open through crashes, and notes what came and how often they were taken up again."""

    def __init__(self, client: EdgeClient, account_id: str, tally: Tally) -> None:
        self._market = client.stub(market_stream_service_pb2_grpc.MarketStreamServiceStub)
        self._orders = client.stub(order_service_pb2_grpc.OrderServiceStub)
        self._portfolio = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
        self._account_id = account_id
        self._tally = tally
        self.last_sequence = 0
        self.prices: dict[str, float] = {}

    async def quotes(self, symbols: dict[str, str], quotes: asyncio.Queue[tuple[str, float]]) -> None:
        """Put the middle of every quote on the queue; the newest wins when the trader is slow."""

        def open_stream(after: stream_pb2.StreamPosition | None) -> AsyncIterable[Any]:
            request = market_stream_service_pb2.StreamQuotesRequest(
                instrument_ids=list(symbols), resume_after=after
            )
            return self._market.StreamQuotes(request)

        async for message in self._resuming("quotes", open_stream):
            batch = message.update if message.HasField("update") else message.snapshot
            for quote in batch.quotes:
                if quote.bid <= 0 or quote.ask <= 0 or quote.stale:
                    continue
                self._tally.quotes += 1
                symbol = symbols[quote.instrument_id]
                self.prices[symbol] = (quote.bid + quote.ask) / 2
                if not quotes.full():
                    quotes.put_nowait((symbol, self.prices[symbol]))

    async def order_events(self) -> None:
        """Note every order event's place in the log."""

        def open_stream(after: stream_pb2.StreamPosition | None) -> AsyncIterable[Any]:
            request = order_service_pb2.StreamOrderEventsRequest(
                account_id=self._account_id, resume_after=after
            )
            return self._orders.StreamOrderEvents(request)

        async for message in self._resuming("order events", open_stream):
            if message.HasField("order_event"):
                self._tally.events.append((message.header.sequence, message.header.previous_sequence))
                self.last_sequence = message.header.sequence

    async def positions(self) -> None:
        """Keep the view of positions open."""

        def open_stream(after: stream_pb2.StreamPosition | None) -> AsyncIterable[Any]:
            request = portfolio_service_pb2.StreamPositionsRequest(
                account_id=self._account_id, resume_after=after
            )
            return self._portfolio.StreamPositions(request)

        async for _ in self._resuming("positions", open_stream):
            pass

    async def _resuming(
        self, name: str, open_stream: Callable[[stream_pb2.StreamPosition | None], AsyncIterable[Any]]
    ) -> AsyncIterator[Any]:
        opened = 0
        delivered = 0

        def counted(after: stream_pb2.StreamPosition | None) -> AsyncIterable[Any]:
            nonlocal opened, delivered
            # An attempt that was refused at once (the service is still down) is not a resume.
            if opened == 0 or delivered:
                opened += 1
            delivered = 0
            return open_stream(after)

        async for message in resuming(counted):
            if delivered == 0 and opened > 1:
                self._tally.resumes[name] += 1
            delivered += 1
            yield message
