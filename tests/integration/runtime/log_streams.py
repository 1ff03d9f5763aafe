"""A log with real responses to stream, for the tests of serving and following."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection

import sqlalchemy as sa

from bifrost.portfolio.v1.ledger_pb2 import LedgerEntry
from bifrost.portfolio.v1.ledger_service_pb2 import StreamLedgerLogResponse
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.clock import SystemClock
from services.runtime.database import Database, metadata_for
from services.runtime.event_log import EventLog, NewEvent, event_log_tables
from services.runtime.follower import cursor_table
from services.runtime.log_stream import stream_log

SCHEMA = "streams"
metadata = metadata_for(SCHEMA)
tables = event_log_tables(metadata)
cursors = cursor_table(metadata)
effects = sa.Table("effect", metadata, sa.Column("sequence", sa.BigInteger), sa.Column("batch", sa.Text))


async def fresh_database(url: str) -> Database:
    database = await Database.connect(url, schema=SCHEMA, pool_size=8)
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    return database


async def open_log(database: Database, *, tail_size: int = 50) -> EventLog:
    log = EventLog(database, tables, clock=SystemClock(), tail_size=tail_size)
    await log.open()
    return log


async def append(log: EventLog, count: int, *, key: str = "a") -> None:
    async with log.transaction() as transaction:
        for _ in range(count):
            payload = LedgerEntry(account_id=key).SerializeToString()
            transaction.append(NewEvent(key, "entry", 1, payload))


def serve(
    log: EventLog,
    after: StreamPosition | None,
    *,
    keys: Collection[str] | None = None,
    heartbeat_s: float = 60.0,
    draining: asyncio.Event | None = None,
) -> AsyncIterator[bytes]:
    return stream_log(
        log,
        resume_after=after,
        response_type=StreamLedgerLogResponse,
        event_field="entry",
        draining=draining or asyncio.Event(),
        keys=keys,
        heartbeat_s=heartbeat_s,
    )


def opener(
    log: EventLog, *, keys: Collection[str] | None = None, heartbeat_s: float = 60.0
) -> Callable[[StreamPosition | None], AsyncIterator[StreamLedgerLogResponse]]:
    async def open_stream(after: StreamPosition | None) -> AsyncIterator[StreamLedgerLogResponse]:
        async for message in serve(log, after, keys=keys, heartbeat_s=heartbeat_s):
            yield StreamLedgerLogResponse.FromString(message)

    return open_stream
