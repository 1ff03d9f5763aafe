"""What splits and dividends held as facts do to prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.data.bars.bar_store import BarStore
from services.data.domain.adjustment import CorporateActions
from services.data.domain.bars import BarInterval, Ints
from services.data.domain.dividends import Dividend, PriceFactor, price_factor
from services.data.domain.instrument import Instrument
from services.data.domain.resampling import SECONDS, is_intraday
from services.data.domain.sessions import Sessions
from services.data.domain.splits import DERIVED
from services.data.instruments.instrument_store import RecordedSplit
from services.runtime.errors import ApiError, failed_precondition


async def actions_of(
    instrument: Instrument,
    recorded: Sequence[RecordedSplit],
    dividends: Sequence[Dividend],
    bars: BarStore,
    sessions: Sessions | None,
    as_of_ns: int | None,
) -> CorporateActions:
    """How to adjust fully.

    By facts where a dividend or a stated split is held. Splits derived from adjusted closes state nothing:
    with them alone, or with nothing, the source's adjusted close knows more.

    Raises:
        ApiError: FAILED_PRECONDITION ADJUSTMENT_IMPOSSIBLE.
    """
    splits = [one.split for one in recorded]
    if not dividends and all(one.source.startswith(DERIVED) for one in recorded):
        return CorporateActions(splits, by_source=True)
    ratios = {split.ex_time_ns: split.new_shares / split.old_shares for split in splits}
    closes = await _closes_before(instrument, dividends, bars, sessions, as_of_ns)
    factors = [
        _factor(instrument, dividend, close, ratios.get(dividend.ex_time_ns, 1.0))
        for dividend, close in zip(dividends, closes, strict=True)
        # Without a bar before it a dividend changes nothing.
        if close is not None
    ]
    return CorporateActions(splits, factors)


def _factor(instrument: Instrument, dividend: Dividend, close: float, ratio: float) -> PriceFactor:
    if dividend.currency != instrument.currency:
        raise _impossible(dividend, f"it is not in {instrument.currency} as the prices are")
    try:
        return price_factor(dividend, close, ratio)
    except ValueError:
        raise _impossible(dividend, f"the close before it is {close:g}") from None


def _impossible(dividend: Dividend, why: str) -> ApiError:
    amount, day = f"{dividend.amount:f}", dividend.ex_date.isoformat()
    message = (
        f"the dividend of {amount} {dividend.currency} on {day} cannot be put into prices: {why}; "
        "ask for SPLIT, or have it repaired"
    )
    return failed_precondition(
        "ADJUSTMENT_IMPOSSIBLE", message, ex_date=day, amount=amount, currency=dividend.currency
    )


async def _closes_before(
    instrument: Instrument,
    dividends: Sequence[Dividend],
    bars: BarStore,
    sessions: Sessions | None,
    as_of_ns: int | None,
) -> list[float | None]:
    """The close of the session before each ex date, of the longest bars that have it."""
    closes: list[float | None] = [None] * len(dividends)
    held = await bars.intervals(instrument.instrument_no, as_of_ns)
    for interval in sorted(
        (one for one in held if SECONDS[one] <= SECONDS[BarInterval.DAY]),
        key=SECONDS.__getitem__,
        reverse=True,
    ):
        missing = [place for place, close in enumerate(closes) if close is None]
        ex_times = np.array([dividends[place].ex_time_ns for place in missing], dtype=np.int64)
        if is_intraday(interval) and sessions is not None:
            ex_times = _last_closes(ex_times, sessions)
        found = await bars.closes_before(instrument.instrument_no, interval, ex_times.tolist(), as_of_ns)
        for place, close in zip(missing, found, strict=True):
            closes[place] = close
    return closes


def _last_closes(ex_times: Ints, sessions: Sessions) -> Ints:
    """The close before each: what trades between it and the open is no part of a session."""
    place = np.searchsorted(sessions.open_time_ns, ex_times, side="left") - 1
    return np.where(place >= 0, np.minimum(sessions.close_time_ns[place], ex_times), ex_times)
