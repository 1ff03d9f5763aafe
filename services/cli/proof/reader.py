"""Reads the records to compare from the services' own RPCs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bifrost.execution.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from bifrost.portfolio.v1 import (
    ledger_pb2,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
)
from bifrost.type.v1 import order_terms_pb2
from bifrost.venue.v1 import venue_order_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.cli.client import EdgeClient
from services.cli.paging import pages
from services.cli.proof.check import FillRecord, OrderRecord, Records

_PAGE = 1000
_TIMEOUT_S = 30.0
_NEVER_THERE = {"VENUE_NEVER_SAW_ORDER", "RESERVATION_EXPIRED"}


async def read_records(client: EdgeClient, account_id: str, events: Sequence[tuple[int, int]]) -> Records:
    """Everything the mesh recorded of an account, and the events a stream delivered."""
    orders = client.stub(order_service_pb2_grpc.OrderServiceStub)
    venue = client.stub(venue_service_pb2_grpc.VenueServiceStub)
    ledger = client.stub(ledger_service_pb2_grpc.LedgerServiceStub)
    positions = await client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub).ListPositions(
        portfolio_service_pb2.ListPositionsRequest(account_id=account_id, include_flat=True),
        timeout=_TIMEOUT_S,
    )
    deposits = Decimal(0)
    deposit_pages = pages(
        ledger.ListLedgerEntries,
        ledger_service_pb2.ListLedgerEntriesRequest(
            account_id=account_id, page_size=_PAGE, type=ledger_pb2.LEDGER_ENTRY_TYPE_DEPOSIT
        ),
    )
    async for page in deposit_pages:
        deposits += sum((Decimal(entry.amount.amount) for entry in page.entries), Decimal(0))
    return Records(
        deposits=deposits,
        cash=Decimal(positions.balance.cash),
        holdings={entry.instrument_id: Decimal(entry.quantity) for entry in positions.positions},
        venue_orders=[
            _venue_order(order)
            async for page in pages(
                venue.ListVenueOrders,
                venue_service_pb2.ListVenueOrdersRequest(account_id=account_id, page_size=_PAGE),
            )
            for order in page.orders
        ],
        venue_fills=[
            _venue_fill(fill)
            async for page in pages(
                venue.ListExecutions,
                venue_service_pb2.ListExecutionsRequest(account_id=account_id, page_size=_PAGE),
            )
            for fill in page.executions
        ],
        orders=[
            _order(order)
            async for page in pages(
                orders.ListOrders,
                order_service_pb2.ListOrdersRequest(account_id=account_id, page_size=_PAGE),
            )
            for order in page.orders
        ],
        fills=[
            _fill(fill)
            async for page in pages(
                orders.ListFills, order_service_pb2.ListFillsRequest(account_id=account_id, page_size=_PAGE)
            )
            for fill in page.fills
        ],
        events=events,
    )


def _venue_order(order: venue_order_pb2.VenueOrder) -> OrderRecord:
    return OrderRecord(order.client_order_id, "", Decimal(order.filled_quantity or 0), reached_venue=True)


def _order(order: order_pb2.Order) -> OrderRecord:
    refused_here = order.state == order_pb2.ORDER_STATE_REJECTED and order.venue == ""
    never_there = not _NEVER_THERE.isdisjoint(order.reject_reasons)
    return OrderRecord(
        order.order_id,
        order.request_id,
        Decimal(order.filled_quantity or 0),
        reached_venue=not refused_here and not never_there,
    )


def _venue_fill(fill: venue_order_pb2.Execution) -> FillRecord:
    return FillRecord(
        fill.execution_id,
        fill.client_order_id,
        fill.instrument_id,
        fill.side == order_terms_pb2.SIDE_BUY,
        Decimal(fill.quantity),
        Decimal(fill.price),
        Decimal(fill.fee),
    )


def _fill(fill: order_pb2.Fill) -> FillRecord:
    return FillRecord(
        fill.execution_id,
        fill.order_id,
        fill.instrument_id,
        fill.side == order_terms_pb2.SIDE_BUY,
        Decimal(fill.quantity),
        Decimal(fill.price),
        Decimal(fill.fee),
    )
