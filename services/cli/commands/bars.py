"""bifrost bars: history with indicators as a table and a picture, or into a file."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from bifrost_sdk.frames import Frame
from bifrost_sdk.reading import Range
from services.cli import completion
from services.cli.bar_reading import check_file, read_bars, write_bars
from services.cli.candles import Candle, candle_chart
from services.cli.commands.indicators import indicator_columns
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    command,
    out,
    print_json,
    table,
)
from services.cli.indicator_spec import HOW, parse_indicator
from services.cli.intervals import IntervalOption, short_interval
from services.cli.session_dates import DATED, SessionDates

_NANOS: Final = 10**9
_DEFAULT_BARS: Final = 20
_FEWEST_FOR_CHART: Final = 5
_CENTS: Final = 2
_MOST_DIGITS: Final = 8
_COLUMNS: Final = ("open", "high", "low", "close", "volume")


class AdjustmentName(StrEnum):
    """What prices are adjusted for."""

    RAW = "raw"
    SPLIT = "split"
    FULL = "full"


class HoursName(StrEnum):
    """Which part of the market's day."""

    REGULAR = "regular"
    EXTENDED = "extended"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(bars)


@command
async def bars(
    symbol: Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.", autocompletion=completion.symbols)],
    *,
    interval: IntervalOption = "1d",
    start: Annotated[
        str,
        typer.Option(help="First day, of daily bars the market's, or time in UTC, YYYY-MM-DD[THH:MM]."),
    ] = "",
    end: Annotated[str, typer.Option(help="Day or time after the last.")] = "",
    adjustment: Annotated[
        AdjustmentName, typer.Option(help="raw, split, or full: splits and dividends.", case_sensitive=False)
    ] = AdjustmentName.RAW,
    hours: Annotated[
        HoursName, typer.Option(help="Of bars shorter than a day.", case_sensitive=False)
    ] = HoursName.REGULAR,
    as_of: Annotated[
        str, typer.Option(help="As they were known then, before later corrections.", show_default="")
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="How many of the last; 20, or all after --start.", min=1),
    ] = None,
    indicator: Annotated[
        list[str] | None,
        typer.Option("--indicator", "-i", help=f"A column more, as often as you like: {HOW}."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into a file: .parquet, .arrow or .csv.")
    ] = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Bars, indicators of them, and a picture of candles and volume; or all of them into a file."""
    name = symbol.upper()
    asked = _range(interval, start, end, adjustment, hours, as_of)
    if output is not None:
        check_file(output)
    specs = [parse_indicator(text) for text in indicator or ()]
    async with Target.find(home, edge).connect() as client:
        market = await SessionDates.of_symbol(client, name) if asked.interval in DATED else None
        if market is not None:
            asked = await _in_sessions(asked, market)
        frame = await read_bars(client, name, asked, progress=not as_json)
        if output is not None:
            write_bars(frame, output)
            _say_written(name, frame, output, as_json=as_json)
            return
        shown = limit or (len(frame) if start else _DEFAULT_BARS)
        times = frame.time_ns[-shown:].tolist()
        more = await indicator_columns(client, name, asked, times, specs)
        when = [_clock(ns) for ns in times] if market is None else await market.dates(times)
    rows = list(zip(*(frame[column][-shown:].tolist() for column in _COLUMNS), strict=True))
    if as_json:
        _print_objects(asked, when, rows, more)
    elif not rows:
        out.print(f"no bars of {name} in that time")
    else:
        _show(name, asked, when, rows, more)


def _range(
    interval: str, start: str, end: str, adjustment: AdjustmentName, hours: HoursName, as_of: str
) -> Range:
    asked = Range(
        short_interval(interval), start or None, end or None, adjustment.value, as_of or None, hours.value
    )
    try:
        asked.fields()
    except ValueError as error:
        raise UsageError(f"a day or time is written YYYY-MM-DD[THH:MM[:SS]]: {error}") from None
    return asked


def _say_written(symbol: str, frame: Frame, file: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(file), "rows": len(frame)})
    else:
        out.print(f"{symbol}: {len(frame):,} bars written to {file}")


async def _in_sessions(asked: Range, market: SessionDates) -> Range:
    """Days meant as the market's, which in UTC may begin on another."""
    start, end = asked.start, asked.end
    if isinstance(start, str):
        start = await market.opening(start)
    if isinstance(end, str):
        end = await market.opening(end)
    return replace(asked, start=start, end=end)


def _heading(asked: Range) -> str:
    return "date" if asked.interval in DATED else "time"


def _clock(time_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(time_ns // _NANOS, dt.UTC):%Y-%m-%d %H:%M:%S}"


def _print_objects(
    asked: Range,
    times: Sequence[str],
    rows: Sequence[tuple[float, ...]],
    more: dict[str, list[float | None]],
) -> None:
    for at, (time, row) in enumerate(zip(times, rows, strict=True)):
        bar: dict[str, object] = {_heading(asked): time}
        bar |= dict(zip(_COLUMNS, row, strict=True))
        print_json(bar | {heading: values[at] for heading, values in more.items()})


def _show(
    symbol: str,
    asked: Range,
    times: Sequence[str],
    rows: Sequence[tuple[float, ...]],
    more: dict[str, list[float | None]],
) -> None:
    digits = _digits([price for row in rows for price in row[:4]])
    cells = [
        [time, *(f"{price:,.{digits}f}" for price in row[:4]), f"{row[4]:,.0f}"]
        + ["" if values[at] is None else f"{values[at]:,.{digits}f}" for values in more.values()]
        for at, (time, row) in enumerate(zip(times, rows, strict=True))
    ]
    when = _heading(asked)
    headings = (when, *_COLUMNS, *more)
    title = f"{symbol} {asked.interval}, {asked.adjustment}" + ("" if when == "date" else ", UTC")
    out.print(table(title, headings, cells, right=headings[1:], whole=(when,)))
    if len(rows) >= _FEWEST_FOR_CHART:
        out.print()
        for line in candle_chart([Candle(*row) for row in rows], width=out.width):
            out.print(line)


def _digits(prices: Sequence[float]) -> int:
    """Decimals that show all prices as they are; of prices that were computed, five significant digits."""
    for digits in range(_CENTS, _MOST_DIGITS + 1):
        if all(round(price, digits) == price for price in prices):
            return digits
    least = min(abs(price) for price in prices)
    return min(max(_CENTS, 4 - math.floor(math.log10(least))), _MOST_DIGITS) if least else _CENTS
