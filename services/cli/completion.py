"""What the shell offers when TAB is pressed. Nothing, quickly, when the mesh cannot be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import typer
from google.protobuf import descriptor_pool

from bifrost.data.v1 import (
    calendar_service_pb2,
    calendar_service_pb2_grpc,
    instrument_service_pb2,
    instrument_service_pb2_grpc,
)
from bifrost.execution.v1 import order_service_pb2, order_service_pb2_grpc
from services.cli.accounts import find_account
from services.cli.client import EdgeClient
from services.cli.console import KNOWN_ERRORS, Target
from services.cli.launcher import Home
from services.cli.order_view import describe_terms
from services.runtime.contracts import load_contracts
from services.runtime.inventory import load_inventory

_TIMEOUT_S = 2.0
Offers = list[tuple[str, str]]


def symbols(ctx: typer.Context, incomplete: str) -> Offers:
    """Symbols and names of the instruments."""

    async def ask(client: EdgeClient) -> Offers:
        stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
        request = instrument_service_pb2.ListInstrumentsRequest(page_size=1000)
        reply = await stub.ListInstruments(request, timeout=_TIMEOUT_S)
        return [(entry.symbol, entry.name) for entry in reply.instruments]

    return _beginning(incomplete.upper(), _ask(ctx, ask))


def calendars(ctx: typer.Context, incomplete: str) -> Offers:
    """MICs and names of the markets whose calendars are known."""

    async def ask(client: EdgeClient) -> Offers:
        stub = client.stub(calendar_service_pb2_grpc.CalendarServiceStub)
        request = calendar_service_pb2.ListCalendarsRequest(page_size=1000)
        reply = await stub.ListCalendars(request, timeout=_TIMEOUT_S)
        return [(entry.mic, entry.name) for entry in reply.calendars]

    return _beginning(incomplete.upper(), _ask(ctx, ask))


def open_order_ids(ctx: typer.Context, incomplete: str) -> Offers:
    """Ids of orders that can be cancelled, with what they are."""

    async def ask(client: EdgeClient) -> Offers:
        account = await find_account(client, ctx.params.get("account"))
        stub = client.stub(order_service_pb2_grpc.OrderServiceStub)
        request = order_service_pb2.ListOrdersRequest(
            account_id=account.account_id, open_only=True, page_size=100
        )
        reply = await stub.ListOrders(request, timeout=_TIMEOUT_S)
        return [(order.order_id, describe_terms(order)) for order in reply.orders]

    return _beginning(incomplete.lower(), [("all", "every order that works"), *_ask(ctx, ask)])


def methods(incomplete: str) -> list[str]:
    """SERVICE/METHOD of every contract."""
    load_contracts()
    pool = descriptor_pool.Default()
    found = [
        f"{contract.rpartition('.')[2]}/{method.name}"
        for contract in load_inventory().contracts
        for method in pool.FindServiceByName(contract).methods
    ]
    return [name for name in found if name.lower().startswith(incomplete.lower())]


def logs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Processes of the local mesh that have a log."""
    names = sorted(log.stem for log in Home.at(ctx.params.get("home")).logs.glob("*.log"))
    return [name for name in names if name.startswith(incomplete)]


def _beginning(start: str, offers: Offers) -> Offers:
    return [offer for offer in offers if offer[0].startswith(start)]


def _ask(ctx: typer.Context, question: Callable[[EdgeClient], Awaitable[Offers]]) -> Offers:
    async def asking() -> Offers:
        target = Target.find(ctx.params.get("home"), ctx.params.get("edge"))
        async with asyncio.timeout(_TIMEOUT_S), target.connect() as client:
            return await question(client)

    try:
        return asyncio.run(asking())
    except (grpc.aio.AioRpcError, TimeoutError, *KNOWN_ERRORS):
        return []
