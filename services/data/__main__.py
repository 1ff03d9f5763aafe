"""The data service's process: the composition root."""

from __future__ import annotations

from functools import partial

from bifrost.data.v1.backup_service_pb2_grpc import add_BackupServiceServicer_to_server
from bifrost.data.v1.bar_service_pb2_grpc import add_BarServiceServicer_to_server
from bifrost.data.v1.calendar_service_pb2_grpc import add_CalendarServiceServicer_to_server
from bifrost.data.v1.fundamental_service_pb2_grpc import add_FundamentalServiceServicer_to_server
from bifrost.data.v1.history_service_pb2_grpc import add_HistoryServiceServicer_to_server
from bifrost.data.v1.import_service_pb2_grpc import add_ImportServiceServicer_to_server
from bifrost.data.v1.indicator_service_pb2_grpc import add_IndicatorServiceServicer_to_server
from bifrost.data.v1.ingestion_service_pb2_grpc import add_IngestionServiceServicer_to_server
from bifrost.data.v1.instrument_service_pb2_grpc import add_InstrumentServiceServicer_to_server
from bifrost.data.v1.market_stream_service_pb2_grpc import add_MarketStreamServiceServicer_to_server
from bifrost.data.v1.quality_service_pb2_grpc import add_QualityServiceServicer_to_server
from bifrost.data.v1.schedule_service_pb2_grpc import add_ScheduleServiceServicer_to_server
from services.data import tables
from services.data.backup_service import BackupService
from services.data.backups.backup_store import BackupStore
from services.data.backups.backup_work import BackupWork
from services.data.bar_service import BarService
from services.data.bars.bar_chunks import BarChunks
from services.data.bars.bar_pages import BarPages
from services.data.bars.bar_store import BarStore
from services.data.bars.bar_stream import BarStreams
from services.data.bars.bar_views import BarViews
from services.data.bars.history import History
from services.data.bars.market_sessions import MarketSessions
from services.data.calendar_service import CalendarService
from services.data.calendars.calendars import Calendars
from services.data.clients import IdentityClient, VenueClient
from services.data.config import DataSettings
from services.data.facts.fact_store import FactStore
from services.data.fundamental_service import FundamentalService
from services.data.history_service import HistoryService
from services.data.import_service import ImportService
from services.data.indicator_service import IndicatorService
from services.data.indicators.indicator_bars import IndicatorBars
from services.data.indicators.indicator_cache import IndicatorCache
from services.data.indicators.indicator_history import IndicatorHistory
from services.data.ingestion_service import IngestionService
from services.data.ingestions.ingestion_store import IngestionStore
from services.data.ingestions.ingestion_work import IngestionWork
from services.data.ingestions.schedule_runner import ScheduleRunner
from services.data.ingestions.schedule_store import ScheduleStore
from services.data.ingestions.symbol_loader import SymbolLoader
from services.data.instrument_service import InstrumentService
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_changes import InstrumentChanges
from services.data.instruments.instrument_store import InstrumentStore
from services.data.live.live_indicators import LiveIndicators
from services.data.live.live_statuses import LiveStatuses
from services.data.live.live_stretches import LiveStretches
from services.data.live.market_feed import MarketFeed
from services.data.market_stream_service import MarketStreamService
from services.data.quality.quality_inspector import QualityInspector
from services.data.quality.repairs import Repairs
from services.data.quality_service import QualityService
from services.data.schedule_service import ScheduleService
from services.data.sources.budget import RequestBudget
from services.data.sources.installed import installed_sources
from services.data.sources.retrying import RetryPolicy
from services.data.sources.source import Sources
from services.runtime.backup.archives import Archives
from services.runtime.cache import Cache
from services.runtime.channel import Mesh
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.idempotency import IdempotencyStore
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.runner import JobRunner
from services.runtime.server import Service, run


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
    directory = InstrumentDirectory(instruments)
    await directory.reload()
    calendars = Calendars(clock=clock)

    store = BarStore(database)
    sessions = MarketSessions(calendars)
    history = History(instruments, store, sessions, clock=clock)
    _add_instruments(service, database, directory, history, instruments, clock=clock)
    service.add(add_CalendarServiceServicer_to_server, CalendarService(calendars, clock=clock))
    cache = Cache(
        settings.cache_url,
        registry=service.metrics.registry,
        local_bytes=settings.cache_local_bytes,
        timeout_s=settings.cache_timeout_s,
    )
    service.on_stop(cache.close)
    chunks = BarChunks(store, BarStreams(database), cache)
    pages = BarPages(history)
    service.add(add_BarServiceServicer_to_server, BarService(directory, history, pages, database))
    views = BarViews(history, chunks, pages)
    service.add(add_HistoryServiceServicer_to_server, HistoryService(directory, history, views))
    indicator_bars = IndicatorBars(history)
    indicators = IndicatorHistory(history, indicator_bars, IndicatorCache(cache))
    service.add(add_IndicatorServiceServicer_to_server, IndicatorService(directory, indicators))
    idempotency = IdempotencyStore(tables.idempotency, clock=clock)
    _add_ingestions(service, settings, database, directory, calendars, sources, clock=clock)
    import_service = ImportService(
        database,
        directory,
        calendars,
        idempotency,
        clock=clock,
        most_rows=settings.import_most_rows,
        silence_s=settings.import_silence_s,
    )
    service.add(add_ImportServiceServicer_to_server, import_service)
    inspector = QualityInspector(database, store, calendars, clock=clock)
    repairs = Repairs(database, inspector, idempotency, clock=clock)
    service.add(add_QualityServiceServicer_to_server, QualityService(database, directory, inspector, repairs))
    _add_backups(service, settings, database, idempotency, clock=clock)
    _add_live_market(service, settings, mesh, directory, history, indicator_bars, sessions, clock=clock)
    return service


def _add_instruments(
    service: Service,
    database: Database,
    directory: InstrumentDirectory,
    history: History,
    instruments: InstrumentStore,
    *,
    clock: Clock,
) -> None:
    idempotency = IdempotencyStore(tables.idempotency, clock=clock)
    changes = InstrumentChanges(database, directory, idempotency, clock=clock)
    instrument_service = InstrumentService(directory, history, instruments, changes)
    service.add(add_InstrumentServiceServicer_to_server, instrument_service)
    fundamentals = FundamentalService(database, directory, FactStore(database), idempotency, clock=clock)
    service.add(add_FundamentalServiceServicer_to_server, fundamentals)


def _add_ingestions(
    service: Service,
    settings: DataSettings,
    database: Database,
    directory: InstrumentDirectory,
    calendars: Calendars,
    sources: Sources,
    *,
    clock: Clock,
) -> None:
    ingestions, idempotency = IngestionStore(database), IdempotencyStore(tables.idempotency, clock=clock)
    budgets = {name: RequestBudget(name, settings.budget_of(name), database, clock=clock) for name in sources}
    retry = RetryPolicy(
        settings.ingest_attempts, settings.ingest_first_pause_s, settings.ingest_longest_pause_s
    )
    changes = JobChanges(service.draining)
    runner = JobRunner(ingestions, changes, clock=clock)
    loader = SymbolLoader(database, ingestions, runner, directory, calendars, budgets, retry, clock=clock)
    work = IngestionWork(runner, sources, loader, clock=clock)
    service.background("ingestions", work.end_orphans)
    for name in sources:
        service.background(f"ingestions.{name}", partial(work.run, name))
    ingestion_service = IngestionService(
        ingestions, changes, idempotency, sources, clock=clock, heartbeat_s=settings.heartbeat_s
    )
    service.add(add_IngestionServiceServicer_to_server, ingestion_service)
    schedules = ScheduleStore(database)
    scheduler = ScheduleRunner(
        database,
        schedules,
        calendars,
        idempotency,
        clock=clock,
        poll_s=settings.schedule_poll_s,
        on_made=changes.made,
    )
    service.background("schedules", scheduler.run)
    schedule_service = ScheduleService(database, schedules, scheduler, idempotency, sources, clock=clock)
    service.add(add_ScheduleServiceServicer_to_server, schedule_service)


def _add_backups(
    service: Service,
    settings: DataSettings,
    database: Database,
    idempotency: IdempotencyStore,
    *,
    clock: Clock,
) -> None:
    store, archives = BackupStore(database), Archives(settings.backup_dir)
    changes = JobChanges(service.draining)
    work = BackupWork(
        JobRunner(store, changes, clock=clock),
        archives,
        url=settings.backup_database_url,
        clock=clock,
        spare_bytes=settings.backup_spare_mib * 2**20,
    )
    service.background("backups", work.run)
    backups = BackupService(
        store,
        changes,
        archives,
        idempotency,
        is_configured=settings.backup_database_url is not None,
        clock=clock,
        heartbeat_s=settings.heartbeat_s,
    )
    service.add(add_BackupServiceServicer_to_server, backups)


def _add_live_market(
    service: Service,
    settings: DataSettings,
    mesh: Mesh,
    directory: InstrumentDirectory,
    history: History,
    bars: IndicatorBars,
    sessions: MarketSessions,
    *,
    clock: Clock,
) -> None:
    stretches = LiveStretches(directory, sessions)
    feed = MarketFeed(
        {name: VenueClient(mesh, name) for name in settings.live_sources},
        stretches,
        clock=clock,
        stale_after_s=settings.quote_stale_s,
        silence_s=settings.live_silence_s,
        recovery_s=settings.live_recovery_s,
    )
    statuses = LiveStatuses(feed, stretches, clock=clock)
    service.background("market_feed", feed.follow)
    service.background("quote_staleness", feed.watch_staleness)
    service.background("market_status", statuses.watch)
    indicators = LiveIndicators(
        feed, history, bars, draining=service.draining, heartbeat_s=settings.heartbeat_s
    )
    streams = MarketStreamService(
        directory,
        feed,
        statuses,
        indicators,
        clock=clock,
        draining=service.draining,
        heartbeat_s=settings.heartbeat_s,
    )
    service.add(add_MarketStreamServiceServicer_to_server, streams)


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(DataSettings())


if __name__ == "__main__":
    run(main)
