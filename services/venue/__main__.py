"""The venue service's process: the composition root."""

from __future__ import annotations

import signal

import structlog

from bifrost.venue.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from bifrost.venue.v1.venue_service_pb2_grpc import add_VenueServiceServicer_to_server
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.event_log import EventLog
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ownership import OwnerDirectory
from services.runtime.server import Service, run
from services.venue import tables
from services.venue.clients import Clients, DataClient, MarketHistory
from services.venue.config import VenueSettings
from services.venue.engine import Engine
from services.venue.market_stream import MarketStream
from services.venue.order_store import OrderStore
from services.venue.session_service import SessionService
from services.venue.session_store import SessionStore
from services.venue.venue_service import VenueService

_log = structlog.get_logger(__name__)


async def compose(
    settings: VenueSettings, *, clock: Clock | None = None, history: MarketHistory | None = None
) -> Service:
    """The service over its database, migrated, its exchange restored; not yet started. No peer is waited for.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    clock = clock or SystemClock()
    url = settings.required_database_url
    await migrate(url, schema=tables.SCHEMA, package="venue")
    database = await Database.connect(url, schema=tables.SCHEMA)
    log = EventLog(database, tables.event_log, clock=clock)
    mesh = Mesh(settings, clock=clock)
    clients = Clients(mesh)
    service = Service(settings, clock=clock, jwks_source=clients.user_keys)
    for close in (database.close, mesh.close, log.close):
        service.on_stop(close)
    await log.open()

    orders, sessions = OrderStore(database), SessionStore(database)
    stream = MarketStream(clock=clock)
    requests = IdempotencyStore(tables.idempotency, clock=clock)
    engine = Engine(log, orders, sessions, requests, stream, clock=clock)
    await engine.load()
    service.background("engine", engine.run)
    service.background("fence", lambda: _end_when_fenced(log))

    service.owner("account_id", OwnerDirectory(clients.account_owner, clock=clock).check)
    venue_service = VenueService(
        engine,
        orders,
        log,
        stream,
        clock=clock,
        heartbeat_s=settings.heartbeat_s,
        draining=service.draining,
    )
    service.add(add_VenueServiceServicer_to_server, venue_service)
    history = history or DataClient(mesh, timeout_s=settings.bars_timeout_s)
    session_service = SessionService(engine, sessions, history, calendar=settings.calendar, clock=clock)
    service.add(add_SessionServiceServicer_to_server, session_service)
    return service


async def _end_when_fenced(log: EventLog) -> None:
    """Another process writes the log: end, for nothing can be traded any more."""
    await log.fenced.wait()
    _log.error("fenced")
    signal.raise_signal(signal.SIGTERM)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(VenueSettings())


if __name__ == "__main__":
    run(main)
