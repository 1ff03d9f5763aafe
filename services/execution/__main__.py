"""The execution service's process: the composition root."""

from __future__ import annotations

import signal
from collections.abc import Mapping

import structlog

from bifrost.execution.v1.order_service_pb2_grpc import add_OrderServiceServicer_to_server
from services.execution import tables
from services.execution.adapters.registry import venue_adapters
from services.execution.adapters.venue import VenueAdapter
from services.execution.alarms import Alarms
from services.execution.amendments import Amendments
from services.execution.blotter import Blotter
from services.execution.clients import DataInstruments, Identity, PortfolioAccounts, RiskReservations
from services.execution.config import ExecutionSettings
from services.execution.desk import Desk
from services.execution.market_time import MarketTime
from services.execution.order_service import OrderService
from services.execution.reconciliation import Reconciliation, orders_in_doubt
from services.execution.reports import VenueReports
from services.execution.resolver import Resolver
from services.execution.store import OrderStore
from services.execution.submission import Submission
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.decimals import install_context
from services.runtime.event_log import EventLog
from services.runtime.ownership import OwnerDirectory
from services.runtime.server import Service, run

_log = structlog.get_logger(__name__)


async def compose(
    settings: ExecutionSettings,
    *,
    clock: Clock | None = None,
    venues: Mapping[str, VenueAdapter] | None = None,
) -> Service:
    """The service over its database, migrated, and the log's writer; not yet started. No peer is waited for.

    `venues` are the adapters by venue code, those of the settings when None.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    install_context()  # before the first task that reckons is made
    clock = clock or SystemClock()
    url = settings.required_database_url
    await migrate(url, schema=tables.SCHEMA, package="execution")
    database = await Database.connect(url, schema=tables.SCHEMA)
    log = EventLog(database, tables.event_log, clock=clock)
    mesh = Mesh(settings, clock=clock)
    jwks_source = Identity(mesh.channel("identity")).user_keys
    service = Service(settings, clock=clock, jwks_source=jwks_source)
    store = OrderStore(database)
    alarms = Alarms(service.metrics.registry)
    blotter = Blotter(store, log, clock=clock, market_time=MarketTime(clock), alarms=alarms)
    if venues is None:
        venues = venue_adapters(settings.venues, mesh, timeout_s=settings.venue_timeout_s)
    desk = Desk(venues, blotter, clock=clock, log_wait_s=settings.venue_log_wait_s)
    resolver = Resolver(desk, blotter)
    for close in (database.close, mesh.close, log.close, blotter.close, resolver.close):
        service.on_stop(close)
    await log.open()

    in_doubt = await orders_in_doubt(blotter, clock)
    reconciliation = Reconciliation(in_doubt)
    blotter.on_change = reconciliation.settled
    resolver.watch_all(in_doubt)
    reports = {
        code: VenueReports(venue, blotter=blotter, store=store, log=log, cursors=tables.cursors, clock=clock)
        for code, venue in venues.items()
    }
    reconciliation.follow({code: report.follower for code, report in reports.items()})
    for code, report in reports.items():
        service.background(f"reports.{code}", report.run)
        service.watch(report.follower)
    service.background("reconciliation", reconciliation.wait_for_logs)
    service.background("fence", lambda: _end_when_fenced(log))

    accounts = PortfolioAccounts(mesh.channel("portfolio"))
    instruments = DataInstruments(mesh.channel("data"), clock=clock)
    risk = RiskReservations(mesh.channel("risk"), timeout_s=settings.risk_timeout_s)
    submission = Submission(
        store=store,
        blotter=blotter,
        accounts=accounts,
        instruments=instruments,
        risk=risk,
        desk=desk,
        resolver=resolver,
        reconciliation=reconciliation,
        work=service.work,
        clock=clock,
        reservation_valid_s=settings.reservation_valid_s,
    )
    amendments = Amendments(
        store=store,
        blotter=blotter,
        accounts=accounts,
        instruments=instruments,
        risk=risk,
        desk=desk,
        resolver=resolver,
        reconciliation=reconciliation,
        work=service.work,
        clock=clock,
        reservation_valid_s=settings.reservation_valid_s,
    )
    orders = OrderService(
        submission,
        amendments,
        store,
        log,
        clock=clock,
        draining=service.draining,
        heartbeat_s=settings.heartbeat_s,
    )
    service.owner("account_id", OwnerDirectory(accounts.owner, clock=clock).check)
    service.add(add_OrderServiceServicer_to_server, orders)
    return service


async def _end_when_fenced(log: EventLog) -> None:
    """Another process writes the log: end, for nothing can be recorded any more."""
    await log.fenced.wait()
    _log.error("fenced")
    signal.raise_signal(signal.SIGTERM)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(ExecutionSettings())


if __name__ == "__main__":
    run(main)
