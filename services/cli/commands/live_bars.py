"""bifrost live: bars in progress, and indicators kept up with them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterable, Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from rich.text import Text

from bifrost.data.v1 import bar_pb2, indicator_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.data.v1.market_stream_service_pb2_grpc import MarketStreamServiceStub
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.cli import completion
from services.cli.client import EdgeClient
from services.cli.commands.quotes import symbols_by_id
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    as_dict,
    command,
    print_json,
    print_line,
    table,
)
from services.cli.indicator_spec import HOW, parse_indicator
from services.cli.intervals import IntervalOption, parse_interval
from services.cli.live import Feed, feed_of, is_drawn, live_view, utc
from services.runtime.stream_client import StreamResponse

R = TypeVar("R", bound=StreamResponse)
_NANOS = 10**9
# The state stands where no narrow screen cuts it off.
_COLUMNS = ("symbol", "state", "begun (UTC)", "open", "high", "low", "close", "volume")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("live")(live)


@command
async def live(
    symbols: Annotated[list[str], typer.Argument(help="Symbols.", autocompletion=completion.symbols)],
    interval: IntervalOption = "1m",
    indicator: Annotated[
        list[str] | None,
        typer.Option("--indicator", "-i", help=f"A column more, as often as you like: {HOW}."),
    ] = None,
    count: Annotated[int, typer.Option(help="End after this many bars; 0 goes on.", min=0)] = 0,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Bars as they form, and indicators of them; what is in progress is marked so. Ctrl-C ends it.

    Into a pipe or file each update is a line with tabs: symbol, "bar", state, when it began, open, high, low,
    close, volume; or symbol, "indicators", state, when the bar began, and NAME=VALUE for each.
    """
    wanted = [symbol.upper() for symbol in symbols]
    specs = [parse_indicator(text) for text in indicator or ()]
    chosen = parse_interval(interval)
    async with Target.find(home, edge).connect() as client:
        drawn = is_drawn(as_json=as_json)
        board = _Board(await symbols_by_id(client), specs, as_json=as_json, drawn=drawn)
        feed = feed_of(drawn=drawn)
        with live_view(feed, board.view, drawn=drawn):
            following = [_bars(client, feed, wanted, chosen, board, count)]
            if specs:
                following.append(_indicators(client, wanted, chosen, specs, board))
            tasks = [asyncio.ensure_future(one) for one in following]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


class _Board:
    """The newest bar of each symbol, and the newest values of its indicators."""

    def __init__(
        self,
        names: dict[str, str],
        specs: Sequence[indicator_pb2.IndicatorSpec],
        *,
        as_json: bool,
        drawn: bool,
    ) -> None:
        self._names = names
        self._labels = [spec.label for spec in specs]
        self._as_json = as_json
        self._drawn = drawn
        self._bars: dict[str, bar_pb2.Bar] = {}
        self._values: dict[str, pb.LiveIndicatorValues] = {}

    def take_bar(self, bar: bar_pb2.Bar) -> None:
        symbol = self._names.get(bar.instrument_id, bar.instrument_id)
        self._bars[symbol] = bar
        if self._as_json:
            print_json({"symbol": symbol, "kind": "bar"} | as_dict(bar))
        elif not self._drawn:
            numbers = (f"{one:.15g}" for one in (bar.open, bar.high, bar.low, bar.close, bar.volume))
            print_line(symbol, "bar", state_of(bar).plain, utc(bar.open_time_ns), *numbers)

    def take_values(self, values: pb.LiveIndicatorValues) -> None:
        symbol = self._names.get(values.instrument_id, values.instrument_id)
        self._values[symbol] = values
        if self._as_json:
            print_json({"symbol": symbol, "kind": "indicators"} | as_dict(values))
        elif not self._drawn:
            state = "closed" if values.closed else "in progress"
            cells = (
                f"{one.label}={','.join(f'{value:.15g}' for value in one.values)}"
                for one in values.indicators
            )
            print_line(symbol, "indicators", state, utc(values.open_time_ns), *cells)

    def view(self) -> RenderableType:
        """The board as a table."""
        if not self._bars:
            return Text("waiting for the first bar …")
        rows = [self._row(symbol, bar) for symbol, bar in sorted(self._bars.items())]
        headings = (*_COLUMNS, *self._labels)
        right = (*_COLUMNS[3:8], *self._labels)
        return table(
            "bars in progress", headings, rows, right=right, whole=("symbol", "begun (UTC)", "state")
        )

    def _row(self, symbol: str, bar: bar_pb2.Bar) -> list[str | Text]:
        begun = dt.datetime.fromtimestamp(bar.open_time_ns / _NANOS, dt.UTC)
        prices = (f"{price:,.2f}" for price in (bar.open, bar.high, bar.low, bar.close))
        return [
            symbol,
            state_of(bar),
            f"{begun:%Y-%m-%d %H:%M:%S}",
            *prices,
            f"{bar.volume:,.0f}",
            *self._cells(symbol),
        ]

    def _cells(self, symbol: str) -> list[str]:
        values = self._values.get(symbol)
        if values is None:
            return [""] * len(self._labels)
        mark = "" if values.closed else " …"
        return [" ".join(f"{value:,.2f}" for value in one.values) + mark for one in values.indicators]


def state_of(bar: bar_pb2.Bar) -> Text:
    """Closed, in progress, or in progress and old."""
    if bar.closed:
        return Text("closed")
    if bar.stale:
        return Text(f"old, {bar.age_ms / 1000:.0f} s", style="red")
    return Text("in progress", style="yellow")


async def _bars(
    client: EdgeClient,
    feed: Feed,
    symbols: Sequence[str],
    interval: str,
    board: _Board,
    count: int,
) -> None:
    stub = client.stub(MarketStreamServiceStub)
    request = pb.StreamBarsRequest(symbols=symbols, interval=interval)
    seen = 0
    async for message in feed.follow(_opening(lambda: stub.StreamBars(request))):
        for bar in (*message.snapshot.bars, *message.bars.bars):
            board.take_bar(bar)
            seen += 1
        if count and seen >= count:
            return


async def _indicators(
    client: EdgeClient,
    symbols: Sequence[str],
    interval: str,
    specs: Sequence[indicator_pb2.IndicatorSpec],
    board: _Board,
) -> None:
    stub = client.stub(MarketStreamServiceStub)
    request = pb.StreamLiveIndicatorsRequest(symbols=symbols, interval=interval, indicators=specs)
    async for message in Feed().follow(_opening(lambda: stub.StreamLiveIndicators(request))):
        for values in (*message.snapshot.values, *message.update.values):
            board.take_values(values)


def _opening(
    open_stream: Callable[[], AsyncIterable[R]],
) -> Callable[[StreamPosition | None], AsyncIterable[R]]:
    """A view begins with a snapshot whatever was seen of it before."""
    return lambda _position: open_stream()
