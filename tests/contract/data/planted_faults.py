"""Real bars with faults in them, as they would stand in the tables after a source had got them wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import asyncpg
import numpy as np

from bifrost.data.v1 import bar_pb2
from services.data.bars.bar_copy import columns_of
from services.data.bars.bar_store import revise_bars
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.ingestions.ingestion_store import insert_batch
from services.data.instruments.instrument_store import begin_record, insert_dividends, insert_splits
from services.runtime.clock import SystemClock
from services.runtime.database import Database
from tests.contract.data.data_harness import RunningData
from tests.contract.data.file_uploads import csv_of, header_of, send
from tests.unit.data.sample_bars import sample_bars

HEAD = "time,open,high,low,close,volume,adj close"


def real_bars(rows: int = 400) -> SourceBars:
    """The last of IBM's: calm, without a split."""
    return sample_bars("IBM").take(slice(-rows, None))


def day_of(bars: SourceBars, row: int) -> date:
    return datetime.fromtimestamp(int(bars.open_time_ns[row]) // 10**9, UTC).date()


class Planter:
    """Writes past the checks of imports."""

    def __init__(self, database: Database, data: RunningData) -> None:
        self.database = database
        self._data = data

    async def instrument(self, symbol: str, bars: SourceBars) -> int:
        """A new instrument at XNYS with these bars; returns its number."""
        names = columns_of(SourceBars)[1:]
        columns = [getattr(bars, name).tolist() for name in names]
        lines = [
            ",".join((str(time // 10**9), *map(repr, values)))
            for time, *values in zip(bars.open_time_ns.tolist(), *columns, strict=True)
        ]
        content = csv_of(lines, head=HEAD)
        header = header_of(content, symbol, mic="XNYS", interval=bar_pb2.BAR_INTERVAL_DAY)
        answer = await send(self._data, header, content)
        assert answer.rows_stored == len(bars)
        async with self.database.raw() as driver:
            number: int = await driver.fetchval(
                "SELECT instrument_no FROM instrument WHERE instrument_id = $1", answer.instrument_id
            )
        return number

    async def plant(
        self,
        number: int,
        bars: SourceBars | None = None,
        *,
        splits: Sequence[Split] = (),
        dividends: Sequence[Dividend] = (),
    ) -> None:
        """Bars in the place of those held, and facts, in one transaction."""
        async with self.database.open_transaction() as transaction:
            connection = transaction.connection
            now_ns = await begin_record(connection, number, SystemClock())
            if bars is not None:
                batch = await insert_batch(
                    connection,
                    None,
                    instrument_no=number,
                    source="test",
                    fetch_time_ns=now_ns,
                    record_time_ns=now_ns,
                )
                await revise_bars(transaction.driver, number, BarInterval.DAY, batch, bars)
            await insert_splits(connection, number, splits, source="test", now_ns=now_ns)
            await insert_dividends(connection, number, dividends, source="test", now_ns=now_ns)
            await transaction.commit()

    async def state(self, number: int) -> list[list[tuple[object, ...]]]:
        """Bars, splits and dividends that hold, value for value."""
        values = ", ".join(f'"{name}"' for name in columns_of(SourceBars))
        queries = (
            f"SELECT {values} FROM bar WHERE instrument_no = $1 ORDER BY 1",
            (
                "SELECT ex_date, ex_time_ns, new_shares, old_shares, source FROM split "
                "WHERE instrument_no = $1 AND retract_time_ns IS NULL ORDER BY 1"
            ),
            (
                "SELECT ex_date, ex_time_ns, amount::text, currency, source FROM dividend "
                "WHERE instrument_no = $1 AND retract_time_ns IS NULL ORDER BY 1"
            ),
        )
        async with self.database.raw() as driver:
            return [_tuples(await driver.fetch(query, number)) for query in queries]

    async def versions(self, number: int) -> int:
        """Versions of bars, splits and dividends that were ever held."""
        tables = ("bar", "bar_revision", "split", "dividend")
        counts = ", ".join(f"(SELECT count(*) FROM {table} WHERE instrument_no = $1)" for table in tables)
        async with self.database.raw() as driver:
            return sum((await driver.fetchrow(f"SELECT {counts}", number)).values())


def _tuples(rows: list[asyncpg.Record]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in rows]


def in_pence(bars: SourceBars, rows: slice, factor: float = 100.0) -> SourceBars:
    """The bars, those of the rows in other units."""
    wrong = bars.take(np.arange(len(bars)))
    for name in ("open", "high", "low", "close", "adjusted_close"):
        getattr(wrong, name)[rows] *= factor
    return wrong


def split_apart(bars: SourceBars, row: int, ratio: int) -> SourceBars:
    """The bars with a split in them, which the adjusted close shows."""
    wrong = bars.take(np.arange(len(bars)))
    for name in ("open", "high", "low", "close"):
        getattr(wrong, name)[row:] /= ratio
    wrong.volume[row:] *= ratio
    wrong.adjusted_close[:row] /= ratio
    wrong.adjusted_close[row:] /= ratio
    return wrong
