"""The portfolio service's process: the composition root."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import AsyncIterator

import structlog

from bifrost.portfolio.v1.ledger_service_pb2_grpc import add_LedgerServiceServicer_to_server
from bifrost.portfolio.v1.portfolio_service_pb2_grpc import add_PortfolioServiceServicer_to_server
from services.portfolio import tables
from services.portfolio.account_store import AccountStore
from services.portfolio.book_store import ORDER_LOG_CURSOR, BookStore
from services.portfolio.clients import Clients
from services.portfolio.config import PortfolioSettings
from services.portfolio.fill_store import FillStore, tells_no_fill
from services.portfolio.gate import Gate
from services.portfolio.ledger_service import LedgerService
from services.portfolio.ledger_store import LedgerStore
from services.portfolio.marks import Marks
from services.portfolio.portfolio_service import PortfolioService
from services.portfolio.position_view import PositionView
from services.runtime.arrivals import Patience
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.event_log import EventLog, LogTransaction
from services.runtime.failpoints import failpoint
from services.runtime.follower import Follower
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ownership import OwnerDirectory
from services.runtime.server import Service, run

_log = structlog.get_logger(__name__)
# An event without a fill only moves the cursor, which needs no transaction of its own.
_NO_FILL_WAIT_S = 0.25


async def compose(settings: PortfolioSettings, *, clock: Clock | None = None) -> Service:
    """The service over its database, migrated, and the log's writer; not yet started. No peer is waited for.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    clock = clock or SystemClock()
    url = settings.required_database_url
    await migrate(url, schema=tables.SCHEMA, package="portfolio")
    database = await Database.connect(url, schema=tables.SCHEMA)
    log = EventLog(database, tables.event_log, clock=clock)
    mesh = Mesh(settings, clock=clock)
    clients = Clients(mesh)
    service = Service(settings, clock=clock, jwks_source=clients.user_keys)
    for close in (database.close, mesh.close, log.close):
        service.on_stop(close)
    await log.open()

    requests = IdempotencyStore(tables.idempotency, clock=clock)
    accounts, books = AccountStore(database, requests), BookStore(database)
    marks = Marks(clock=clock, stale_s=settings.mark_stale_s)
    service.background("quotes", lambda: marks.follow(clients.open_quotes))
    follower = Follower(
        ORDER_LOG_CURSOR,
        open_stream=clients.open_order_log,
        transaction=lambda: _posting(log),
        cursors=tables.cursors,
        apply=FillStore(clock=clock).apply,
        patience=Patience(tells_no_fill, _NO_FILL_WAIT_S),
    )
    service.background("order_log", follower.run)
    service.watch(follower)
    service.background("fence", lambda: _end_when_fenced(log))

    gate = Gate(follower)
    view = PositionView(
        books,
        marks,
        log,
        gate,
        clock=clock,
        interval_s=settings.view_interval_s,
        heartbeat_s=settings.heartbeat_s,
        draining=service.draining,
    )
    ledger = LedgerService(
        LedgerStore(database, log, requests, clock=clock),
        accounts,
        log,
        clock=clock,
        heartbeat_s=settings.heartbeat_s,
        draining=service.draining,
    )
    service.owner("account_id", OwnerDirectory(accounts.find_owner, clock=clock).check)
    portfolios = PortfolioService(accounts, books, marks, view, gate, clock=clock)
    service.add(add_PortfolioServiceServicer_to_server, portfolios)
    service.add(add_LedgerServiceServicer_to_server, ledger)
    return service


@contextlib.asynccontextmanager
async def _posting(log: EventLog) -> AsyncIterator[LogTransaction]:
    async with log.transaction() as transaction:
        yield transaction
    if transaction.logged:
        failpoint("portfolio.apply.after_commit")


async def _end_when_fenced(log: EventLog) -> None:
    """Another process writes the log: end, for nothing can be posted any more."""
    await log.fenced.wait()
    _log.error("fenced")
    signal.raise_signal(signal.SIGTERM)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(PortfolioSettings())


if __name__ == "__main__":
    run(main)
