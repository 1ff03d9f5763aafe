"""History as requests ask for it: a range of an instrument's bars, adjusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from services.data.bars.bar_store import BarStore
from services.data.bars.corporate_actions import actions_of
from services.data.bars.market_sessions import MarketSessions
from services.data.domain.adjustment import NO_ACTIONS, Adjustment, CorporateActions
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.data.domain.instrument import Instrument
from services.data.domain.sessions import Sessions
from services.data.instruments.instrument_store import InstrumentStore
from services.runtime.clock import Clock, from_timestamp, to_timestamp
from services.runtime.errors import ApiError, invalid_argument, not_found

# The times a bigint holds: 1677 to 2262.
FIRST_NS, LAST_NS = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
_DAY_NS = 86_400 * 10**9
_CLOCKS_DIFFER_NS = 60 * 10**9
"""Whoever asks for what is new since now may have a clock that is ahead."""


class RangeRequest(Protocol):
    """A request with a range of times."""

    start_time: Timestamp
    end_time: Timestamp

    def HasField(self, field_name: str) -> bool: ...  # noqa: D102, N802  protobuf's


class History:
    """Bars of an instrument, read as the store has them, with what adjusts and groups them."""

    def __init__(
        self, instruments: InstrumentStore, bars: BarStore, sessions: MarketSessions, *, clock: Clock
    ) -> None:
        self._instruments = instruments
        self._bars = bars
        self._sessions = sessions
        self._clock = clock

    async def read(
        self,
        instrument: Instrument,
        interval: BarInterval,
        adjustment: Adjustment,
        *,
        start_ns: int,
        end_ns: int,
        limit: int,
        as_of_ns: int | None = None,
    ) -> Bars:
        """Up to ``limit`` bars from ``start_ns`` to ``end_ns``, oldest first, not yet adjusted."""
        return await self._bars.read(
            SourceBars if adjustment is Adjustment.FULL else Bars,
            instrument.instrument_no,
            interval,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=limit,
            as_of_ns=as_of_ns,
        )

    async def open_time_before(
        self, instrument: Instrument, interval: BarInterval, before_ns: int, count: int
    ) -> int | None:
        """When the ``count``-th bar before ``before_ns`` opened; None when there are fewer."""
        return await self._bars.open_time_before(instrument.instrument_no, interval, before_ns, count)

    async def state(self, instrument: Instrument, adjustment: Adjustment) -> str:
        """Another name whenever any of its bars, or what adjusts and groups them, have changed.

        Empty while there are none.
        """
        bars = await self._bars.states(instrument.instrument_no)
        if not bars:
            return ""
        known = await self._sessions.of(instrument.mic)
        calendar = "" if known is None else f"{known.open_time_ns[0]}.{known.close_time_ns[-1]}.{len(known)}"
        due = 0
        if adjustment is not Adjustment.RAW:
            # Facts change the state of the bars; that the ex date of one has come does not.
            now_ns = self._clock.now_ns()
            splits = await self._instruments.splits(instrument.instrument_no)
            dividends = await self._instruments.dividends(instrument.instrument_no)
            due = sum(one.split.ex_time_ns <= now_ns for one in splits)
            due += sum(one.dividend.ex_time_ns <= now_ns for one in dividends)
        return f"{bars};{calendar};{due}"

    async def intervals(self, instrument: Instrument, as_of_ns: int | None = None) -> list[BarInterval]:
        """The intervals of which there are bars."""
        return await self._bars.intervals(instrument.instrument_no, as_of_ns)

    async def span(
        self, instrument: Instrument, interval: BarInterval, as_of_ns: int | None = None
    ) -> tuple[int, int]:
        """Open times of the first and the last bar; the epoch when there is none."""
        return await self._bars.span(instrument.instrument_no, interval, as_of_ns) or (0, 0)

    async def sessions(self, instrument: Instrument, first_ns: int, last_ns: int) -> Sessions:
        """The market's sessions that cover these times; days in UTC where no calendar reaches."""
        known = await self._sessions.of(instrument.mic)
        if known is None:
            return Sessions.around_the_clock(first_ns, last_ns)
        return known.covering(first_ns, last_ns)

    async def has_calendar(self, instrument: Instrument) -> bool:
        """Whether the market's hours are known."""
        return await self._sessions.of(instrument.mic) is not None

    async def actions(
        self, instrument: Instrument, adjustment: Adjustment, as_of_ns: int | None = None
    ) -> CorporateActions:
        """What adjusts bars to the terms of now, or of ``as_of_ns`` as it was known then.

        From the beginning of the ex date on, before the session too, trades are in the new terms.

        Raises:
            ApiError: FAILED_PRECONDITION ADJUSTMENT_IMPOSSIBLE.
        """
        if adjustment is Adjustment.RAW:
            return NO_ACTIONS
        until_ns = self._clock.now_ns() if as_of_ns is None else as_of_ns
        known = await self._sessions.of(instrument.mic)

        def begins(ex_time_ns: int) -> int:
            return ex_time_ns if known is None else known.day_start(ex_time_ns)

        held = [
            replace(one, split=replace(one.split, ex_time_ns=begins(one.split.ex_time_ns)))
            for one in await self._instruments.splits(instrument.instrument_no, as_of_ns)
            if one.split.ex_time_ns <= until_ns
        ]
        if adjustment is Adjustment.SPLIT:
            return CorporateActions([one.split for one in held])
        dividends = [
            replace(one.dividend, ex_time_ns=begins(one.dividend.ex_time_ns))
            for one in await self._instruments.dividends(instrument.instrument_no, as_of_ns)
            if one.dividend.ex_time_ns <= until_ns
        ]
        return await actions_of(instrument, held, dividends, self._bars, known, as_of_ns)

    def check_range(self, instruments: Sequence[Instrument], start_ns: int, end_ns: int) -> None:
        """Say why a range in which no bar of the instruments was found has none, if its times are to blame.

        Raises:
            ApiError: INVALID_ARGUMENT RANGE_IN_FUTURE, RANGE_BEFORE_LISTING.
        """
        now_ns = self._clock.now_ns()
        if start_ns > now_ns + _CLOCKS_DIFFER_NS:
            now = to_timestamp(now_ns).ToJsonString()
            message = f"start_time is in the future; now is {now}"
            raise invalid_argument("RANGE_IN_FUTURE", message, field="start_time", now=now)
        first = min(one.listing_date for one in instruments)
        # A day begins earlier east of Greenwich.
        if end_ns <= int(np.datetime64(first, "D").astype(np.int64) - 1) * _DAY_NS:
            message = f"end_time is before the listing on {first}"
            raise invalid_argument(
                "RANGE_BEFORE_LISTING", message, field="end_time", listing_date=first.isoformat()
            )

    async def known_at(self, instrument: Instrument, as_of_ns: int) -> None:
        """From now on nothing changes what was known of the instrument at this time.

        Raises:
            ApiError: INVALID_ARGUMENT AS_OF_IN_FUTURE, AS_OF_TOO_EARLY, UNAVAILABLE HISTORY_BEING_WRITTEN.
        """
        now_ns = self._clock.now_ns()
        if as_of_ns > now_ns:
            now = to_timestamp(now_ns).ToJsonString()
            message = f"as_of is in the future; now is {now}"
            raise invalid_argument("AS_OF_IN_FUTURE", message, field="as_of", now=now)
        first_ns = await self._bars.settle(instrument.instrument_no, as_of_ns)
        if first_ns is not None and as_of_ns < first_ns:
            first = to_timestamp(first_ns).ToJsonString()
            message = f"nothing was known of the bars of {instrument.symbol} before {first}"
            raise invalid_argument("AS_OF_TOO_EARLY", message, field="as_of", first=first)


def bars_not_found(instrument: Instrument, interval: BarInterval, held: list[BarInterval]) -> ApiError:
    """NOT_FOUND, with what is held."""
    available = ",".join(one.name for one in held)
    message = f"{instrument.symbol} has no bars to make {interval.name} of; held: {available or 'none'}"
    return not_found("BARS_NOT_FOUND", message, available=available)


def requested_range(request: RangeRequest) -> tuple[int, int]:
    """First and past-the-last open time asked for; ApiError INVALID_ARGUMENT RANGE_INVALID."""
    has_start, has_end = request.HasField("start_time"), request.HasField("end_time")
    start_ns = from_timestamp(request.start_time) if has_start else FIRST_NS
    end_ns = from_timestamp(request.end_time) if has_end else LAST_NS
    if has_start and has_end and start_ns >= end_ns:
        raise invalid_argument("RANGE_INVALID", "start_time must be before end_time", field="start_time")
    return within(start_ns, FIRST_NS, LAST_NS), within(end_ns, FIRST_NS, LAST_NS)


def within(time_ns: int, first_ns: int, last_ns: int) -> int:
    """The time, or the bound that it is beyond."""
    return min(max(time_ns, first_ns), last_ns)
