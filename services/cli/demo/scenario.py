"""The demo from start to proof."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bifrost.data.v1 import instrument_service_pb2, instrument_service_pb2_grpc
from bifrost.execution.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from bifrost.portfolio.v1 import portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2
from services.cli.bootstrap import Replay, load_prices, open_paper_account, start_session
from services.cli.client import EdgeClient
from services.cli.demo.tally import Tally
from services.cli.demo.traders import GrpcTrader, RestTrader, Terms, Watcher
from services.cli.launcher import Home, Launcher, Ports
from services.cli.paging import pages
from services.cli.proof import Proof, Records, check, read_records
from services.cli.session import Session
from services.runtime.inventory import load_inventory
from services.runtime.waiting import until

Report = Callable[[str, float], None]
_QUANTITY = 10
_SETTLE_S = 30.0


@dataclass(frozen=True)
class Plan:
    """What to do and for how long."""

    home: Home
    trade_s: float = 40.0
    least_orders: int = 40
    rest_orders: int = 12
    seconds_per_day: float = 4.0
    seed: int = 7
    cash: Decimal = Decimal(250_000)


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    tally: Tally
    records: Records
    proof: Proof
    positions: portfolio_service_pb2.ListPositionsResponse
    orders_by_state: dict[str, int]
    unknown: int
    seconds: float


async def run_demo(plan: Plan, report: Report) -> Outcome:
    """Bring up a mesh of its own, trade through two crashes, settle and prove; the mesh is always stopped."""
    began = time.monotonic()
    inventory = load_inventory()
    launcher = Launcher(
        plan.home, Ports.free(inventory), report=lambda stage, done, total: report(stage, 20 * done / total)
    )
    try:
        await launcher.start()
        async with EdgeClient(launcher.edge_address, Session(plan.home, launcher.edge_address)) as client:
            return await _trade_and_prove(plan, launcher, client, report, began)
    finally:
        await launcher.stop()


async def _trade_and_prove(
    plan: Plan, launcher: Launcher, client: EdgeClient, report: Report, began: float
) -> Outcome:
    await load_prices(client, lambda share, stage: report(f"prices: {stage}", 20 + 5 * share))
    replay = Replay(seconds_per_day=plan.seconds_per_day, seed=plan.seed)
    await start_session(client, replay, request_id="demo-session")
    run = f"demo-{secrets.token_hex(4)}"
    account = await open_paper_account(client, run, plan.cash)
    symbols = await _symbols(client)
    tally = Tally()
    watcher = Watcher(client, account.account_id, tally)
    trader = GrpcTrader(client, account.account_id, tally, run=run)
    rest = RestTrader(client, account.account_id, tally, run=run)
    quotes: asyncio.Queue[tuple[str, float]] = asyncio.Queue(maxsize=32)
    async with _background(watcher.quotes(symbols, quotes), watcher.order_events(), watcher.positions()):
        await until(lambda: len(watcher.prices) == len(symbols), timeout_s=30)
        async with _background(trader.follow_rule(quotes, _QUANTITY)):
            resting = asyncio.create_task(
                rest.place_and_cancel("IBM", watcher.prices.__getitem__, plan.rest_orders)
            )
            least = plan.least_orders + plan.rest_orders
            await _refused_orders(trader, watcher, tally)
            await _trade_through_crashes(plan, launcher, tally, report)
            await resting
            await until(lambda: sum(tally.orders.values()) >= least, timeout_s=60)
        report("settling", 92)
        return await _settle_and_prove(client, account.account_id, trader, watcher, tally, began)


async def _trade_through_crashes(plan: Plan, launcher: Launcher, tally: Tally, report: Report) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + plan.trade_s
    kills = [
        (loop.time() + plan.trade_s * 0.45, "execution"),
        (loop.time() + plan.trade_s * 0.55, "portfolio"),
    ]
    while (now := loop.time()) < end:
        share = 1 - (end - now) / plan.trade_s
        report(f"trading: {sum(tally.orders.values())} orders, {tally.quotes:,} quotes", 25 + 65 * share)
        if kills and now >= kills[0][0]:
            _, service = kills.pop(0)
            report(f"kill -9 of {service}", 25 + 65 * share)
            launcher.processes[service].kill()
            tally.kills.append(service)
        await asyncio.sleep(0.2)
    for service in tally.kills:
        await launcher.wait_serving(service)


async def _refused_orders(trader: GrpcTrader, watcher: Watcher, tally: Tally) -> None:
    """Three orders that the limits must refuse."""
    day, buy = order_terms_pb2.TIME_IN_FORCE_DAY, order_terms_pb2.SIDE_BUY
    market, limit = order_terms_pb2.ORDER_TYPE_MARKET, order_terms_pb2.ORDER_TYPE_LIMIT
    far = f"{watcher.prices['AAPL'] * 2:.2f}"
    tries = [
        ("buy 1,000,000 MSFT", "MSFT", Terms(side=buy, type=market, time_in_force=day, quantity="1000000")),
        (
            f"buy 10 AAPL at {far}",
            "AAPL",
            Terms(side=buy, type=limit, time_in_force=day, quantity="10", limit_price=far),
        ),
        (
            "sell 500 IBM that is not held",
            "IBM",
            Terms(side=order_terms_pb2.SIDE_SELL, type=market, time_in_force=day, quantity="500"),
        ),
    ]
    for what, symbol, terms in tries:
        reply = await trader.submit(symbol, terms, tag="refused")
        if reply.outcome == order_service_pb2.SUBMIT_OUTCOME_REJECTED:
            tally.refusals.append((what, ", ".join(reply.order.reject_reasons) or reply.order.message))


async def _settle_and_prove(
    client: EdgeClient, account_id: str, trader: GrpcTrader, watcher: Watcher, tally: Tally, began: float
) -> Outcome:
    await trader.cancel_all()

    async def all_ended() -> bool:
        return await trader.open_orders() == 0

    await until(all_ended, timeout_s=_SETTLE_S)
    portfolio = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)

    async def caught_up() -> bool:
        reply = await portfolio.GetBalance(
            portfolio_service_pb2.GetBalanceRequest(account_id=account_id), timeout=10, wait_for_ready=True
        )
        return bool(watcher.last_sequence and reply.balance.order_log_sequence >= watcher.last_sequence)

    await until(caught_up, timeout_s=_SETTLE_S)
    records = await read_records(client, account_id, tally.events)
    positions = await portfolio.ListPositions(
        portfolio_service_pb2.ListPositionsRequest(account_id=account_id, include_flat=True), timeout=10
    )
    states = await _orders_by_state(client, account_id)
    return Outcome(
        tally=tally,
        records=records,
        proof=check(records),
        positions=positions,
        orders_by_state=states,
        unknown=states.get("unknown", 0),
        seconds=time.monotonic() - began,
    )


async def _orders_by_state(client: EdgeClient, account_id: str) -> dict[str, int]:
    stub = client.stub(order_service_pb2_grpc.OrderServiceStub)
    states: dict[str, int] = {}
    request = order_service_pb2.ListOrdersRequest(account_id=account_id, page_size=1000)
    async for page in pages(stub.ListOrders, request):
        for order in page.orders:
            name = order_pb2.OrderState.Name(order.state).removeprefix("ORDER_STATE_").lower()
            states[name] = states.get(name, 0) + 1
    return states


async def _symbols(client: EdgeClient) -> dict[str, str]:
    """Symbol by instrument id."""
    stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
    reply = await stub.ListInstruments(instrument_service_pb2.ListInstrumentsRequest(), timeout=10)
    return {entry.instrument_id: entry.symbol for entry in reply.instruments}


@contextlib.asynccontextmanager
async def _background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run works beside the block; an error of one ends the block with it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
