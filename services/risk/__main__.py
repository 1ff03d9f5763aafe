"""The risk service's process: the composition root."""

from __future__ import annotations

import signal

import structlog

from bifrost.risk.v1.limit_service_pb2_grpc import add_LimitServiceServicer_to_server
from bifrost.risk.v1.pre_trade_service_pb2_grpc import add_PreTradeServiceServicer_to_server
from services.risk.accounts import Accounts
from services.risk.books import Books
from services.risk.clients import DataClient, ExecutionClient, IdentityClient, PortfolioClient
from services.risk.config import RiskSettings
from services.risk.gate import Gate
from services.risk.limit_service import LimitService
from services.risk.log_effects import LogEffects, changes_no_hold
from services.risk.market import Instruments, Quotes
from services.risk.pre_trade_service import PreTradeService
from services.risk.reservations import Reservations
from services.risk.tables import SCHEMA, cursors
from services.risk.unconfirmed import UnconfirmedReservations
from services.runtime.arrivals import Patience
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.follower import Follower
from services.runtime.ownership import OwnerDirectory
from services.runtime.server import Service, run

_log = structlog.get_logger(__name__)
# That an order was recorded is told by its event; what is held for it is held already, for a minute at least.
_CONFIRMATION_WAIT_S = 0.25


async def compose(settings: RiskSettings, *, clock: Clock | None = None) -> Service:
    """The service over its database, migrated, not yet started. No peer is waited for.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    clock = clock or SystemClock()
    await migrate(settings.required_database_url, schema=SCHEMA, package=SCHEMA)
    database = await Database.connect(settings.required_database_url, schema=SCHEMA)
    mesh = Mesh(settings, clock=clock)
    execution, portfolio, data = ExecutionClient(mesh), PortfolioClient(mesh), DataClient(mesh)
    books = Books(database, clock=clock)
    quotes = Quotes(data, clock=clock)
    instruments = Instruments(data, refresh_s=settings.instruments_refresh_s)
    accounts = Accounts(books, portfolio)
    reservations = Reservations(books, quotes, clock=clock, fee_per_share=settings.fee_per_share)
    effects = LogEffects(books, clock=clock)
    order_log = Follower(
        "execution.orders",
        open_stream=execution.stream_orders,
        transaction=books.transaction,
        cursors=cursors,
        apply=effects.apply_orders,
        patience=Patience(changes_no_hold, _CONFIRMATION_WAIT_S),
    )
    ledger_log = Follower(
        "portfolio.ledger",
        open_stream=portfolio.stream_ledger,
        transaction=books.transaction,
        cursors=cursors,
        apply=effects.apply_ledger,
    )
    gate = Gate(order_log, ledger_log)
    unconfirmed = UnconfirmedReservations(
        books,
        reservations,
        execution.get_order,
        log_is_caught_up=order_log.caught_up.is_set,
        clock=clock,
        after_s=settings.unconfirmed_after_s,
        check_s=settings.unconfirmed_check_s,
    )

    service = Service(settings, clock=clock, jwks_source=IdentityClient(mesh).user_keys)
    service.add(
        add_PreTradeServiceServicer_to_server,
        PreTradeService(gate, books, accounts, instruments, reservations),
    )
    service.add(add_LimitServiceServicer_to_server, LimitService(books, accounts, clock=clock))
    service.owner("account_id", OwnerDirectory(accounts.owner_of, clock=clock).check)
    service.background("follow_orders", order_log.run)
    service.background("follow_ledger", ledger_log.run)
    service.watch(order_log)
    service.watch(ledger_log)
    service.background("gate", gate.run)
    service.background("quotes", quotes.run)
    service.background("instruments", instruments.run)
    service.background("unconfirmed", unconfirmed.run)
    service.background("fence", lambda: _end_when_fenced(books))
    service.on_stop(database.close)
    service.on_stop(books.close)
    service.on_stop(mesh.close)
    service.on_stop(reservations.close)
    return service


async def _end_when_fenced(books: Books) -> None:
    """Another process keeps the books: end, for nothing can be held any more."""
    await books.fenced.wait()
    _log.error("fenced")
    signal.raise_signal(signal.SIGTERM)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(RiskSettings())


if __name__ == "__main__":
    run(main)
