"""One import: batches are judged in a thread while PostgreSQL stores the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.data.domain.quality import QuarantineReason
from services.data.imports.bar_writer import BarWriter, Merged
from services.data.imports.checking import RowChecker
from services.data.imports.judging import MOST_PROBLEMS, Checked, Findings, Problem
from services.runtime.errors import invalid_argument, resource_exhausted

Block = TypeVar("Block")


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    findings: Findings
    merged: Merged
    span_ns: tuple[int, int] | None
    """Open times of the first and the last good row by time."""


class BarImport(Generic[Block]):
    """Runs the blocks of a file through a checker into a writer."""

    def __init__(self, checker: RowChecker[Block], writer: BarWriter, *, most_rows: int) -> None:
        self._checker = checker
        self._writer = writer
        self._most_rows = most_rows
        self._span: tuple[int, int] | None = None

    async def run(self, blocks: AsyncIterator[Block]) -> Imported:
        """Store the file in the writer's transaction, which the caller commits.

        Raises:
            ApiError: FILE_EMPTY, FILE_TOO_LARGE, and those of reading it.
        """
        await self._writer.open()
        storing: asyncio.Task[None] | None = None
        try:
            async for block in blocks:
                batch = await asyncio.to_thread(self._checker.take, block)
                if self._checker.findings.rows_read > self._most_rows:
                    message = f"the file has more than {self._most_rows:,} rows; import it in parts"
                    raise resource_exhausted("FILE_TOO_LARGE", message, most=str(self._most_rows))
                if storing is not None:
                    await storing
                storing = (
                    None if batch is None else asyncio.create_task(self._store(batch), name="store bars")
                )
            if storing is not None:
                await storing
        finally:
            if storing is not None:
                storing.cancel()
                # The connection must be at rest before the transaction is undone.
                await asyncio.gather(storing, return_exceptions=True)
        last = await asyncio.to_thread(self._checker.finish)
        if not self._checker.findings.rows_read:
            raise invalid_argument("FILE_EMPTY", "the file has no rows of values", field="chunk")
        if last is not None:
            await self._store(last)
        merged = await self._writer.merge(problems=MOST_PROBLEMS)
        return Imported(self._with_repeated(merged), merged, self._span)

    async def _store(self, batch: Checked) -> None:
        times = batch.good.open_time_ns
        if len(times):
            first, last = int(times.min()), int(times.max())
            known = self._span or (first, last)
            self._span = min(first, known[0]), max(last, known[1])
        await self._writer.write(batch)

    def _with_repeated(self, merged: Merged) -> Findings:
        findings = self._checker.findings
        if merged.repeated:
            findings.count(QuarantineReason.TIME_REPEATED, merged.repeated)
            for line in merged.first_repeated_lines[: MOST_PROBLEMS - len(findings.problems)]:
                findings.problems.append(Problem(line, "time", QuarantineReason.TIME_REPEATED))
        return findings
