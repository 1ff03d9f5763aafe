"""Checks of what is held: reads it as one state, and looks at it in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.data.bars.bar_store import BarStore
from services.data.bars.history import FIRST_NS, LAST_NS, bars_not_found
from services.data.calendars.calendars import Calendars
from services.data.domain.bars import BarInterval
from services.data.domain.instrument import AssetClass, Instrument
from services.data.quality.inspection import Inspection, Material, inspect
from services.data.quality.quality_store import (
    Held,
    count_bars,
    count_quarantined,
    one_snapshot,
    read_held,
)
from services.runtime.clock import Clock
from services.runtime.database import Database, Transaction
from services.runtime.errors import resource_exhausted

MOST_BARS = 5_000_000
# Each holds some hundred bytes a bar; the others wait.
_AT_ONCE = 2
_WITHOUT_VOLUME = (AssetClass.INDEX, AssetClass.FX)


@dataclass(frozen=True)
class Inspected:
    """What was found, and of what."""

    inspection: Inspection
    held: Held
    quarantined: int

    @property
    def etag(self) -> str:
        """Names the state that was looked at."""
        return str(self.held.version)


class QualityInspector:
    """Inspects instruments."""

    def __init__(self, database: Database, bars: BarStore, calendars: Calendars, *, clock: Clock) -> None:
        self._database = database
        self._bars = bars
        self._calendars = calendars
        self._clock = clock
        self.turn = asyncio.Semaphore(_AT_ONCE)
        """To be held around `inspect_in`, and taken before the transaction is begun."""

    async def inspect(
        self,
        instrument: Instrument,
        interval: BarInterval,
        *,
        start_ns: int = FIRST_NS,
        end_ns: int = LAST_NS,
    ) -> Inspected:
        """Check the bars of a range.

        Raises:
            ApiError: NOT_FOUND BARS_NOT_FOUND, RESOURCE_EXHAUSTED QUALITY_TOO_MANY_BARS.
        """
        async with self.turn, self._database.open_transaction() as transaction:
            await one_snapshot(transaction)
            return await self.inspect_in(transaction, instrument, interval, start_ns=start_ns, end_ns=end_ns)

    async def inspect_in(
        self,
        transaction: Transaction,
        instrument: Instrument,
        interval: BarInterval,
        *,
        start_ns: int = FIRST_NS,
        end_ns: int = LAST_NS,
    ) -> Inspected:
        """The same of what a transaction sees."""
        if not await count_bars(transaction, instrument.instrument_no, interval, 1):
            held_intervals = await self._bars.intervals(instrument.instrument_no)
            raise bars_not_found(instrument, interval, held_intervals)
        held = await read_held(
            transaction, instrument, interval, start_ns=start_ns, end_ns=end_ns, limit=MOST_BARS + 1
        )
        if len(held.bars) > MOST_BARS:
            message = f"there are more than {MOST_BARS:,} bars; check a range of them"
            raise resource_exhausted("QUALITY_TOO_MANY_BARS", message, most=str(MOST_BARS))
        quarantined = await count_quarantined(transaction.connection, instrument.instrument_no, interval)
        material = Material(
            held.bars,
            interval,
            held.splits,
            held.dividends,
            await self._calendars.of_market(instrument.mic),
            self._clock.now_ns(),
            instrument.currency,
            held.currencies,
            has_volume=instrument.asset_class not in _WITHOUT_VOLUME,
        )
        return Inspected(await asyncio.to_thread(inspect, material), held, quarantined)
