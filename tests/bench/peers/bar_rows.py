"""The throw-away instrument of `bars_100k` and `indicators`: its rows, and how they come into the tables."""

from __future__ import annotations

from datetime import date

import numpy as np

from services.data import tables
from services.data.bars.bar_store import insert_bars
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.ingestion import Ingestion
from services.data.domain.instrument import Listing
from services.data.ingestions.ingestion_store import insert_batch, insert_ingestion
from services.data.instruments.instrument_store import begin_record, upsert_instrument
from services.runtime.clock import NANOS, SystemClock
from services.runtime.database import Database, driver_of
from services.runtime.ids import new_id
from services.runtime.jobs.job import JobState

ROWS = 100_000
LISTING = Listing(
    symbol="BENCH", first_symbol="BENCH", mic="XBEN", name="Made-up bars", listing_date=date(2020, 1, 1)
)
INTERVAL = BarInterval.MINUTE
_FIRST_NS = 1_577_975_400 * NANOS  # 2020-01-02 14:30 UTC
_MINUTE_NS = 60 * NANOS


def made_up_bars(rows: int, first_ns: int = _FIRST_NS) -> SourceBars:
    """A random walk of so many minutes from `first_ns` on, the same each time."""
    random = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.0005, rows)))
    opened = np.concatenate(([100.0], close[:-1]))
    return SourceBars(
        open_time_ns=first_ns + _MINUTE_NS * np.arange(rows, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * 1.0003,
        low=np.minimum(opened, close) * 0.9997,
        close=close,
        volume=random.integers(100, 100_000, rows).astype(np.float64),
        adjusted_close=close,
    )


async def store_bars(url: str, rows: int = ROWS) -> int:
    """Put the rows into the migrated tables and have them vacuumed; returns the instrument's number."""
    clock = SystemClock()
    database = await Database.connect(url, schema=tables.SCHEMA, pool_size=1)
    now_ns = clock.now_ns()
    ingestion = Ingestion(
        ingestion_id=new_id(clock),
        source="bench",
        symbols=(LISTING.symbol,),
        create_time_ns=now_ns,
        update_time_ns=now_ns,
        state=JobState.SUCCEEDED,
    )
    try:
        async with database.transaction() as connection:
            instrument_no = await upsert_instrument(connection, LISTING)
            await insert_ingestion(connection, ingestion)
            batch_no = await insert_batch(
                connection,
                ingestion.ingestion_id,
                instrument_no=instrument_no,
                source="bench",
                fetch_time_ns=now_ns,
                record_time_ns=await begin_record(connection, instrument_no, clock),
            )
            driver = await driver_of(connection)
            await insert_bars(driver, instrument_no, INTERVAL, batch_no, made_up_bars(rows))
        async with database.raw() as driver:
            await driver.execute("VACUUM ANALYZE bar")
    finally:
        await database.close()
    return instrument_no
