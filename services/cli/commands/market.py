"""bifrost quotes, bars."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterable
from enum import StrEnum
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import RenderableType
from rich.text import Text

from bifrost.data.v1 import (
    bar_pb2,
    bar_service_pb2,
    bar_service_pb2_grpc,
    instrument_service_pb2,
    instrument_service_pb2_grpc,
    market_stream_service_pb2,
    market_stream_service_pb2_grpc,
    quote_pb2,
)
from bifrost.type.v1 import stream_pb2, value_pb2
from services.cli import completion
from services.cli.chart import price_chart
from services.cli.client import EdgeClient
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    as_dict,
    command,
    out,
    print_json,
    table,
)
from services.cli.live import Feed, live_view

_NANOS = 10**9
_DEFAULT_BARS = 20
_FEWEST_FOR_CHART = 5
_QUOTE_COLUMNS = ("symbol", "bid size", "bid", "ask", "ask size", "last", "market time", "state")
_BAR_COLUMNS = ("date", "open", "high", "low", "close", "volume")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(quotes)
    app.command()(bars)


class AdjustmentName(StrEnum):
    """What prices are adjusted for."""

    RAW = "raw"
    SPLIT = "split"
    FULL = "full"


@command
async def quotes(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(help="Symbols; none means all.", autocompletion=completion.symbols),
    ] = None,
    count: Annotated[int, typer.Option(help="End after this many updates; 0 goes on.", min=0)] = 0,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Live quotes, through restarts of services. Ctrl-C ends it."""
    async with Target.find(home, edge).connect() as client:
        names = await _symbols(client)
        stub = client.stub(market_stream_service_pb2_grpc.MarketStreamServiceStub)

        def open_stream(
            after: stream_pb2.StreamPosition | None,
        ) -> AsyncIterable[market_stream_service_pb2.StreamQuotesResponse]:
            return stub.StreamQuotes(
                market_stream_service_pb2.StreamQuotesRequest(
                    symbols=[symbol.upper() for symbol in symbols or []], resume_after=after
                )
            )

        board: dict[str, quote_pb2.Quote] = {}
        seen = 0
        feed = Feed()
        with live_view(feed, lambda: _board(board), shown=not as_json):
            async for message in feed.follow(open_stream):
                batch = message.update if message.HasField("update") else message.snapshot
                for quote in batch.quotes:
                    symbol = names.get(quote.instrument_id, quote.instrument_id)
                    board[symbol] = quote
                    seen += 1
                    if as_json:
                        print_json({"symbol": symbol} | as_dict(quote))
                if count and seen >= count:
                    return


async def _symbols(client: EdgeClient) -> dict[str, str]:
    stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
    request = instrument_service_pb2.ListInstrumentsRequest(page_size=1000)
    reply = await stub.ListInstruments(request, timeout=10)
    return {entry.instrument_id: entry.symbol for entry in reply.instruments}


def _board(board: dict[str, quote_pb2.Quote]) -> RenderableType:
    if not board:
        return Text("waiting for the first quote …")
    rows: list[list[str | Text]] = []
    for symbol, quote in sorted(board.items()):
        time = dt.datetime.fromtimestamp(quote.event_time_ns / _NANOS, dt.UTC)
        rows.append(
            [
                symbol,
                f"{quote.bid_size:,.0f}",
                f"{quote.bid:,.2f}",
                f"{quote.ask:,.2f}",
                f"{quote.ask_size:,.0f}",
                f"{quote.last:,.2f}",
                f"{time:%Y-%m-%d %H:%M}",
                Text(f"old, {quote.age_ms / 1000:.0f} s", style="red") if quote.stale else "live",
            ]
        )
    title = "quotes (generated around real bars; market time in UTC)"
    return table(
        title, _QUOTE_COLUMNS, rows, right=_QUOTE_COLUMNS[1:6], whole=("symbol", "market time", "state")
    )


@command
async def bars(
    symbol: Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.", autocompletion=completion.symbols)],
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")] = "",
    end: Annotated[str, typer.Option(help="Day after the last, YYYY-MM-DD.")] = "",
    adjustment: Annotated[
        AdjustmentName, typer.Option(help="raw, split, or full: splits and dividends.", case_sensitive=False)
    ] = AdjustmentName.RAW,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="How many of the last; 20, or all after --start.", min=1),
    ] = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Daily bars, and a picture of their closes."""
    request = bar_service_pb2.ListBarsRequest(
        instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol.upper())),
        interval=bar_pb2.BAR_INTERVAL_DAY,
        adjustment=f"ADJUSTMENT_{adjustment.upper()}",
        start_time=_day(start),
        end_time=_day(end),
        page_size=100_000,
    )
    async with Target.find(home, edge).connect() as client:
        reply = await client.stub(bar_service_pb2_grpc.BarServiceStub).ListBars(request, timeout=30)
    columns = reply.bars
    limit = limit or (len(columns.close) if start else _DEFAULT_BARS)
    rows = list(
        zip(
            columns.open_time_ns,
            columns.open,
            columns.high,
            columns.low,
            columns.close,
            columns.volume,
            strict=True,
        )
    )[-limit:]
    if not rows and not as_json:
        out.print(f"no bars of {symbol.upper()} in that time")
        return
    dates = [dt.datetime.fromtimestamp(row[0] / _NANOS, dt.UTC).date().isoformat() for row in rows]
    if as_json:
        for date, row in zip(dates, rows, strict=True):
            print_json(dict(zip(_BAR_COLUMNS, (date, *row[1:]), strict=True)))
        return
    cells = [
        [date, *(f"{price:,.2f}" for price in row[1:5]), f"{row[5]:,.0f}"]
        for date, row in zip(dates, rows, strict=True)
    ]
    out.print(table(f"{symbol.upper()} daily, {adjustment}", _BAR_COLUMNS, cells, right=_BAR_COLUMNS[1:]))
    if len(rows) >= _FEWEST_FOR_CHART:
        out.print()
        for line in price_chart([row[4] for row in rows], width=out.width):
            out.print(Text(line))


def _day(text: str) -> Timestamp | None:
    if not text:
        return None
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
    except ValueError:
        raise UsageError(f"a day is written YYYY-MM-DD, not {text}") from None
    stamp = Timestamp()
    stamp.FromDatetime(day)
    return stamp
