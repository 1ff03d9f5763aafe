"""A log of a made-up shop with a table of effects, for the tests of the event log."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import sqlalchemy as sa

from services.runtime.clock import SystemClock
from services.runtime.database import Database, metadata_for
from services.runtime.event_log import EventLog, LoggedEvent, NewEvent, event_log_tables

metadata = metadata_for("shop")
tables = event_log_tables(metadata)
effects = sa.Table("effect", metadata, sa.Column("name", sa.Text, primary_key=True))


async def make_tables(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema("shop", if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)


def event(name: str, key: str = "k") -> NewEvent:
    return NewEvent(key, "made", 7, name.encode())


async def append(log: EventLog, *names: str, key: str = "k") -> list[int]:
    async with log.transaction() as transaction:
        await transaction.connection.execute(effects.insert(), [{"name": name} for name in names])
        transaction.append(*(event(name, key) for name in names))
    return [logged.sequence for logged in transaction.logged]


ADD_EFFECTS = (
    "changed AS (INSERT INTO effect SELECT name FROM writer, unnest($1::text[]) AS name RETURNING 1)"
)


async def append_at_once(log: EventLog, *names: str, key: str = "k") -> bool:
    return await log.write(ADD_EFFECTS, [list(names)], [event(name, key) for name in names])


async def effect_names(database: Database) -> list[str]:
    async with database.raw() as driver:
        return [row["name"] for row in await driver.fetch("SELECT name FROM effect ORDER BY name")]


async def take(log: EventLog, after: int, count: int, keys: set[str] | None = None) -> list[LoggedEvent]:
    taken: list[LoggedEvent] = []
    async for events in log.follow(after, keys=keys):
        taken += events
        if len(taken) >= count:
            break
    return taken


@contextlib.asynccontextmanager
async def shop_database(url: str) -> AsyncIterator[Database]:
    """Fresh tables of the shop."""
    database = await Database.connect(url, schema="shop", pool_size=12)
    await make_tables(database)
    yield database
    await database.close()


@contextlib.asynccontextmanager
async def shop_log(database: Database) -> AsyncIterator[EventLog]:
    """The log, open, with a short tail."""
    log = EventLog(database, tables, clock=SystemClock(), tail_size=20)
    await log.open()
    yield log
    await log.close()
