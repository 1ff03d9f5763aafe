"""The data service's process: the composition root."""

from __future__ import annotations

from bifrost.data.v1.bar_service_pb2_grpc import add_BarServiceServicer_to_server
from bifrost.data.v1.ingestion_service_pb2_grpc import add_IngestionServiceServicer_to_server
from bifrost.data.v1.instrument_service_pb2_grpc import add_InstrumentServiceServicer_to_server
from bifrost.data.v1.market_stream_service_pb2_grpc import add_MarketStreamServiceServicer_to_server
from services.data import tables
from services.data.bar_service import BarService
from services.data.bar_store import BarStore
from services.data.clients import IdentityClient, VenueClient
from services.data.config import DataSettings
from services.data.ingestion_runner import IngestionRunner
from services.data.ingestion_service import IngestionService
from services.data.ingestion_store import IngestionStore
from services.data.instrument_service import InstrumentService
from services.data.instrument_store import InstrumentStore
from services.data.instruments import InstrumentDirectory
from services.data.market_feed import MarketFeed
from services.data.market_stream_service import MarketStreamService
from services.data.sources.sample import SampleSource
from services.data.sources.source import Source, Sources
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.idempotency import IdempotencyStore
from services.runtime.server import Service, run


def installed_sources() -> Sources:
    """The sources an ingestion may name."""
    sources: tuple[Source, ...] = (SampleSource(),)
    return {source.name: source for source in sources}


async def compose(
    settings: DataSettings, *, clock: Clock | None = None, sources: Sources | None = None
) -> Service:
    """The service over its database, migrated; not yet started.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    clock = clock or SystemClock()
    sources = installed_sources() if sources is None else sources
    url = settings.required_database_url
    await migrate(url, schema=tables.SCHEMA, package="data")
    database = await Database.connect(url, schema=tables.SCHEMA)
    mesh = Mesh(settings, clock=clock)
    service = Service(settings, clock=clock, jwks_source=IdentityClient(mesh).user_keys)
    for close in (database.close, mesh.close):
        service.on_stop(close)

    instruments = InstrumentStore(database)
    ingestions = IngestionStore(database)
    directory = InstrumentDirectory(instruments)
    await directory.reload()
    runner = IngestionRunner(database, ingestions, directory, sources, clock=clock)
    service.background("ingestions", runner.run)

    service.add(add_InstrumentServiceServicer_to_server, InstrumentService(directory, instruments))
    service.add(add_BarServiceServicer_to_server, BarService(directory, instruments, BarStore(database)))
    ingestion_service = IngestionService(
        database,
        ingestions,
        IdempotencyStore(tables.idempotency, clock=clock),
        runner,
        sources,
        clock=clock,
        heartbeat_s=settings.heartbeat_s,
    )
    service.add(add_IngestionServiceServicer_to_server, ingestion_service)
    _add_live_market(service, settings, mesh, directory, clock=clock)
    return service


def _add_live_market(
    service: Service, settings: DataSettings, mesh: Mesh, directory: InstrumentDirectory, *, clock: Clock
) -> None:
    feed = MarketFeed(VenueClient(mesh), clock=clock, stale_after_s=settings.quote_stale_s)
    service.background("market_feed", feed.follow)
    service.background("quote_staleness", feed.watch_staleness)
    streams = MarketStreamService(
        directory, feed, clock=clock, draining=service.draining, heartbeat_s=settings.heartbeat_s
    )
    service.add(add_MarketStreamServiceServicer_to_server, streams)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(DataSettings())


if __name__ == "__main__":
    run(main)
