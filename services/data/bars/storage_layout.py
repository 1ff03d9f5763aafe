"""How the table of bars is laid out: decided here alone, by the migration that makes it.

PostgreSQL's native range partitions by open time, or a hypertable where the database has TimescaleDB. The
path of TimescaleDB follows its documentation (https://docs.timescale.com/api/latest/) and has never run here:
no package this project installs brings it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from itertools import pairwise
from typing import Final

import sqlalchemy as sa

from services.runtime.database import Database

_NANOS: Final = 10**9
_WEEK_NS: Final = 7 * 86_400 * _NANOS
# A partition a decade for what is mostly days, a year for what has minutes and seconds.
_YEARS: Final = (1990, 2000, *range(2010, 2041))
PARTITION_PREFIX: Final = "bar_from_"

_COPY: Final = """
ALTER TABLE bar RENAME TO bar_before;
ALTER TABLE bar_before DROP CONSTRAINT bar_pkey;
CREATE TABLE bar (LIKE bar_before) PARTITION BY RANGE (open_time_ns);
ALTER TABLE bar ADD CONSTRAINT bar_pkey PRIMARY KEY (instrument_no, "interval", open_time_ns)
"""
_MOVE: Final = """
INSERT INTO bar SELECT * FROM bar_before ORDER BY instrument_no, "interval", open_time_ns;
DROP TABLE bar_before
"""

# Bars are compressed a month after they opened. Nothing is dropped: history is what they are kept for, and
# who wants less says so with add_retention_policy. The aggregate counts bars by day for operators: bars are
# resampled by session, which no fixed bucket knows.
_HYPERTABLE: Final = f"""
SELECT create_hypertable('bar', by_range('open_time_ns', BIGINT '{4 * _WEEK_NS}'), migrate_data => true);
CREATE FUNCTION bar_now_ns() RETURNS bigint LANGUAGE sql STABLE AS
  'SELECT (extract(epoch FROM now()) * {_NANOS})::bigint';
SELECT set_integer_now_func('bar', 'bar_now_ns');
ALTER TABLE bar SET (timescaledb.compress, timescaledb.compress_orderby = 'open_time_ns',
  timescaledb.compress_segmentby = 'instrument_no, interval');
SELECT add_compression_policy('bar', compress_after => BIGINT '{4 * _WEEK_NS}');
CREATE MATERIALIZED VIEW bar_daily_count WITH (timescaledb.continuous) AS
  SELECT instrument_no, "interval", count(*) AS bars,
    time_bucket(BIGINT '{86_400 * _NANOS}', open_time_ns) AS day_ns
  FROM bar GROUP BY 1, 2, 4 WITH NO DATA;
SELECT add_continuous_aggregate_policy('bar_daily_count', start_offset => BIGINT '{4 * _WEEK_NS}',
  end_offset => BIGINT '{86_400 * _NANOS}', schedule_interval => INTERVAL '1 hour')
"""  # noqa: S608


class Layout(IntEnum):
    """A way to lay out the table, numbered as in the contract."""

    PARTITIONS = 1
    HYPERTABLE = 2


@dataclass(frozen=True, slots=True)
class Storage:
    """How it is on this installation."""

    layout: Layout
    description: str
    """A line for people."""


def lay_out_bars(connection: sa.Connection) -> None:
    """Bring the table of bars, with all it holds, into its layout; does nothing when it is in one."""
    if _is_laid_out(connection):
        return
    if _has_timescale(connection):
        _run(connection, _HYPERTABLE)
        return
    _run(connection, _COPY)
    for name, low, high in _partitions():
        connection.execute(
            sa.text(f'CREATE TABLE "{name}" PARTITION OF bar FOR VALUES FROM ({low}) TO ({high})')
        )
    _run(connection, _MOVE)


def _is_laid_out(connection: sa.Connection) -> bool:
    kind = connection.scalar(sa.text("SELECT relkind::text FROM pg_class WHERE oid = 'bar'::regclass"))
    if kind == "p":
        return True
    if not _has_timescale(connection):
        return False
    query = (
        "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables "
        "WHERE hypertable_schema = current_schema() AND hypertable_name = 'bar')"
    )
    return bool(connection.scalar(sa.text(query)))


def _has_timescale(connection: sa.Connection) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
    return bool(connection.scalar(sa.text(query)))


def _partitions() -> list[tuple[str, str, str]]:
    """Name, first and past-the-last open time of each."""
    starts = [(str(year), str(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * _NANOS)) for year in _YEARS]
    bounds = [("beginning", "MINVALUE"), *starts, ("end", "MAXVALUE")]
    return [(f"{PARTITION_PREFIX}{name}", low, high) for (name, low), (_, high) in pairwise(bounds)]


def _run(connection: sa.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(sa.text(statement))


async def read_storage(database: Database) -> Storage:
    """How the table of bars is laid out."""
    async with database.read() as connection:
        count = sa.text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'bar'::regclass")
        kind = sa.text("SELECT relkind::text FROM pg_class WHERE oid = 'bar'::regclass")
        if await connection.scalar(kind) == "p":
            partitions = await connection.scalar(count)
            return Storage(Layout.PARTITIONS, f"{partitions} native partitions of PostgreSQL by open time")
        chunks = await connection.scalar(count)
        return Storage(Layout.HYPERTABLE, f"a hypertable of TimescaleDB with {chunks} chunks, compressed")
