"""The bars of one import into PostgreSQL, in the caller's transaction.

Most rows of most files are new and in order: those are copied straight into the table of bars. Rows that may
be held already, or that the file may have twice, go into a staging table and are merged at the end, since
COPY knows no conflicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import numpy as np

from services.data.bars.bar_copy import bar_row_columns, columns_of, encode_bar_rows, encode_bars
from services.data.bars.bar_store import count_change, span_of_bars
from services.data.domain.bars import BarInterval, FileBars, SourceBars
from services.data.domain.quality import QuarantineReason
from services.data.imports.judging import Checked

_VALUES = ", ".join(f'"{name}"' for name in columns_of(SourceBars))
_COPIED = columns_of(FileBars)
_SAME = " AND ".join(f'b."{name}" = s."{name}"' for name in columns_of(SourceBars))
_TYPES = ["bigint", *["double precision"] * (len(_COPIED) - 2), "bigint"]


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of good rows."""

    stored: int
    unchanged: int
    differing: int
    repeated: int
    first_repeated_lines: list[int]


class BarWriter:
    """Writes batches; make it with `open`, end it with `merge`."""

    def __init__(
        self,
        driver: asyncpg.Connection,
        instrument_no: int,
        interval: BarInterval,
        batch_no: int,
        ingestion_id: str,
    ) -> None:
        self._driver = driver
        self._instrument_no = instrument_no
        self._interval = interval
        self._batch_no = batch_no
        self._ingestion_id = ingestion_id
        self._key = f"instrument_no = {instrument_no:d} AND interval = {interval:d}"
        self._held: tuple[int, int] | None = None
        self._last: int | None = None
        self._stored = self._staged = 0

    async def open(self) -> None:
        """Look at what is held; whoever else would load the instrument waits until the transaction ends."""
        await self._driver.execute(
            f"SELECT FROM instrument WHERE instrument_no = {self._instrument_no:d} FOR NO KEY UPDATE"
        )
        self._held = await span_of_bars(self._driver, self._instrument_no, self._interval)
        staged = ", ".join(f'"{name}" {kind}' for name, kind in zip(_COPIED, _TYPES, strict=True))
        await self._driver.execute(f"CREATE TEMPORARY TABLE import_staging ({staged}) ON COMMIT DROP")

    async def write(self, batch: Checked) -> None:
        """Store a batch, the bad rows in quarantine."""
        if len(batch.bad):
            await quarantine_bars(
                self._driver, self._instrument_no, self._interval, self._ingestion_id, batch
            )
        good = batch.good
        if not len(good):
            return
        if self._is_new(good):
            rows = encode_bar_rows(self._instrument_no, int(self._interval), self._batch_no, good)
            await self._driver.copy_to_table(
                "bar", source=memoryview(rows), columns=bar_row_columns(), format="binary"
            )
            self._last = int(good.open_time_ns[-1])
            self._stored += len(good)
        else:
            await self._driver.copy_to_table(
                "import_staging", source=memoryview(encode_bars(good)), columns=_COPIED, format="binary"
            )
            self._staged += len(good)

    async def merge(self, *, problems: int) -> Merged:
        """Bring the staged rows in; ``problems``: how many lines of repeated rows are wanted."""
        stored, unchanged, differing, repeated = self._stored, 0, 0, 0
        lines: list[int] = []
        if self._staged:
            repeated, lines = await self._take_out_repeated(problems)
            unchanged, differing = await self._driver.fetchrow(
                f"SELECT count(*) FILTER (WHERE {_SAME}), count(*) FILTER (WHERE NOT ({_SAME})) "  # noqa: S608
                f"FROM import_staging s JOIN bar b USING (open_time_ns) WHERE {self._key}"
            )
            inserted = await self._driver.execute(
                f"INSERT INTO bar (instrument_no, interval, batch_no, {_VALUES}) "  # noqa: S608
                f"SELECT {self._instrument_no:d}, {self._interval:d}, {self._batch_no:d}, {_VALUES} "
                "FROM import_staging ORDER BY open_time_ns ON CONFLICT DO NOTHING"
            )
            stored += _rows(inserted)
        if stored:
            await count_change(self._driver, self._instrument_no, self._interval)
        return Merged(stored, unchanged, differing, repeated, lines)

    def _is_new(self, bars: FileBars) -> bool:
        """The times rise, come after all copied before, and lie outside what was held."""
        times = bars.open_time_ns
        first, last = int(times[0]), int(times[-1])
        rises = bool((np.diff(times) > 0).all()) and (self._last is None or first > self._last)
        return rises and (self._held is None or first > self._held[1] or last < self._held[0])

    async def _take_out_repeated(self, problems: int) -> tuple[int, list[int]]:
        """Move rows whose time an earlier row has to quarantine."""
        await self._driver.execute("ANALYZE import_staging")
        made = await self._driver.execute(
            "CREATE TEMPORARY TABLE import_repeated ON COMMIT DROP AS SELECT * FROM (SELECT *, "  # noqa: S608
            "row_number() OVER (PARTITION BY open_time_ns ORDER BY line) AS nth FROM import_staging) s "
            f"WHERE nth > 1 OR EXISTS (SELECT FROM bar b WHERE {self._key} "
            f"AND b.open_time_ns = s.open_time_ns AND batch_no = {self._batch_no:d})"
        )
        count = _rows(made)
        if not count:
            return 0, []
        await self._driver.execute(
            "DELETE FROM import_staging s USING import_repeated r WHERE s.line = r.line"
        )
        await self._driver.execute(
            f"INSERT INTO quarantined_bar (instrument_no, interval, reason, ingestion_id, line, {_VALUES}) "  # noqa: S608
            f"SELECT {self._instrument_no:d}, {self._interval:d}, {QuarantineReason.TIME_REPEATED:d}, $1, "
            f"line, {_VALUES} FROM import_repeated ORDER BY line ON CONFLICT DO NOTHING",
            self._ingestion_id,
        )
        first = "SELECT line FROM import_repeated ORDER BY line LIMIT $1"
        return count, [row[0] for row in await self._driver.fetch(first, problems)]


async def quarantine_bars(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval, ingestion_id: str, batch: Checked
) -> None:
    """Keep the bad rows of a batch in the caller's transaction; those kept before are not kept twice."""
    columns = [getattr(batch.bad, name).tolist() for name in _COPIED]
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_TYPES, start=3))
    names = ", ".join(f'"{name}"' for name in _COPIED)
    await driver.execute(
        f"INSERT INTO quarantined_bar (instrument_no, interval, ingestion_id, reason, {names}) "  # noqa: S608
        f"SELECT {instrument_no:d}, {interval:d}, $1, u.* "
        f"FROM unnest($2::smallint[], {arrays}) u ON CONFLICT DO NOTHING",
        ingestion_id,
        batch.reasons.tolist(),
        *columns,
    )


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
