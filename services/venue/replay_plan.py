"""Making the plan of a replay from the real bars and the exchange's calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.runtime.errors import ApiError, failed_precondition
from services.venue.clients import ListedInstrument, MarketHistory, ObservedBar
from services.venue.domain.plan import ReplayPlan
from services.venue.domain.price import Instrument, Ticks, price_units
from services.venue.domain.replay import DailyBar
from services.venue.trading_calendar import trading_sessions

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Window:
    """What a replay is asked to be; `symbols` empty means all with bars for the whole window and no split."""

    symbols: tuple[str, ...]
    start: date
    end: date
    seed: int
    steps_per_day: int


async def make_plan(window: Window, history: MarketHistory, *, calendar: str) -> ReplayPlan:
    """Fetch the bars of the window and lay them on the calendar.

    Raises:
        ApiError: FAILED_PRECONDITION, reason NO_BARS: a symbol or the whole window has none; SPLIT_IN_WINDOW:
            orders and positions would be in the old count of shares, prices in the new one.
        AioRpcError: data is away.
    """
    try:
        sessions = await asyncio.to_thread(trading_sessions, calendar, window.start, window.end)
    except ValueError as error:
        raise _no_bars(str(error)) from error
    listed = await history.instruments()
    chosen = _choose(listed, window.symbols)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def fetch(instrument: ListedInstrument) -> list[ObservedBar]:
        async with limit:
            return await history.daily_bars(instrument.instrument_id, window.start, window.end)

    async def is_split(instrument: ListedInstrument) -> bool:
        async with limit:
            dates = await history.split_dates(instrument.instrument_id)
        within = [on for on in dates if window.start < on <= window.end]
        if within and window.symbols:
            raise _split(instrument.symbol, within[0])
        return bool(within)

    are_split = await asyncio.gather(*(is_split(each) for each in chosen))
    chosen = [each for each, left_out in zip(chosen, are_split, strict=True) if not left_out]
    fetched = await asyncio.gather(*(fetch(each) for each in chosen))
    bars = {
        instrument: {bar.session_date: bar for bar in found}
        for instrument, found in zip(chosen, fetched, strict=True)
    }
    sessions = tuple(each for each in sessions if any(each.session_date in held for held in bars.values()))
    if not window.symbols:
        dates = {each.session_date for each in sessions}
        bars = {instrument: held for instrument, held in bars.items() if dates <= held.keys()}
    empty = [instrument.symbol for instrument, held in bars.items() if not held]
    if empty or not bars or not sessions:
        symbols = ",".join(empty or window.symbols)
        raise _no_bars(
            f"no bars from {window.start} to {window.end} for {symbols or 'any symbol'}", symbols=symbols
        )
    return ReplayPlan(
        prefix="",
        seed=window.seed,
        steps_per_session=window.steps_per_day,
        instruments=[_instrument(each) for each in bars],
        sessions=sessions,
        bars={
            (session.session_date, instrument.instrument_id): _daily_bar(
                instrument, held[session.session_date]
            )
            for instrument, held in bars.items()
            for session in sessions
            if session.session_date in held
        },
    )


def _choose(listed: Sequence[ListedInstrument], symbols: tuple[str, ...]) -> list[ListedInstrument]:
    if not symbols:
        return list(listed)
    by_symbol = {each.symbol: each for each in reversed(listed)}
    missing = sorted(set(symbols) - by_symbol.keys())
    if missing:
        raise _no_bars(f"data has no instrument {', '.join(missing)}", symbols=",".join(missing))
    return [by_symbol[symbol] for symbol in dict.fromkeys(symbols)]


def _daily_bar(instrument: ListedInstrument, bar: ObservedBar) -> DailyBar:
    try:
        if bar.volume != int(bar.volume):
            raise ValueError(f"volume {bar.volume} is not whole")
        return DailyBar.of(bar.open, bar.high, bar.low, bar.close, int(bar.volume))
    except ValueError as error:
        message = f"the bar of {instrument.symbol} on {bar.session_date} cannot be replayed: {error}"
        raise _no_bars(
            message, symbols=instrument.symbol, session_date=bar.session_date.isoformat()
        ) from error


def _instrument(listed: ListedInstrument) -> Instrument:
    try:
        bands = [(price_units(start), price_units(size)) for start, size in listed.tick_bands]
    except ValueError as error:
        message = f"{listed.symbol} cannot be replayed: its tick: {error}"
        raise _no_bars(message, symbols=listed.symbol) from error
    return Instrument(listed.instrument_id, listed.symbol, listed.currency, Ticks.of(bands))


def _split(symbol: str, on: date) -> ApiError:
    message = (
        f"{symbol} is split on {on}, and orders and positions do not follow splits; "
        "end the window before that day or begin it there"
    )
    return failed_precondition("SPLIT_IN_WINDOW", message, symbol=symbol, ex_date=on.isoformat())


def _no_bars(message: str, *, symbols: str = "", session_date: str = "") -> ApiError:
    return failed_precondition("NO_BARS", message, symbols=symbols, session_date=session_date)
