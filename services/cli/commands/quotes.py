"""bifrost quotes."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterable
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from bifrost.data.v1 import (
    instrument_service_pb2,
    instrument_service_pb2_grpc,
    market_stream_service_pb2,
    market_stream_service_pb2_grpc,
    quote_pb2,
)
from bifrost.type.v1 import stream_pb2
from services.cli import completion
from services.cli.client import EdgeClient
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
from services.cli.live import feed_of, is_drawn, live_view, utc

_NANOS = 10**9
# The state stands where no narrow screen cuts it off.
_QUOTE_COLUMNS = ("symbol", "state", "bid size", "bid", "ask", "ask size", "last", "market time", "source")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(quotes)


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
    """Live quotes, through restarts of services. Ctrl-C ends it.

    Into a pipe or file each update is a line with tabs: symbol, state, bid size, bid, ask, ask size, last,
    market time, source.
    """
    async with Target.find(home, edge).connect() as client:
        names = await symbols_by_id(client)
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
        drawn = is_drawn(as_json=as_json)
        feed = feed_of(drawn=drawn)
        with live_view(feed, lambda: _board(board), drawn=drawn):
            async for message in feed.follow(open_stream):
                batch = message.update if message.HasField("update") else message.snapshot
                for quote in batch.quotes:
                    symbol = names.get(quote.instrument_id, quote.instrument_id)
                    board[symbol] = quote
                    seen += 1
                    if as_json:
                        print_json({"symbol": symbol} | as_dict(quote))
                    elif not drawn:
                        print_line(*_line(symbol, quote))
                if count and seen >= count:
                    return


async def symbols_by_id(client: EdgeClient) -> dict[str, str]:
    """The symbol of each instrument held, by its id."""
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
                _state(quote),
                f"{quote.bid_size:,.0f}",
                f"{quote.bid:,.2f}",
                f"{quote.ask:,.2f}",
                f"{quote.ask_size:,.0f}",
                f"{quote.last:,.2f}",
                f"{time:%Y-%m-%d %H:%M}",
                quote.source,
            ]
        )
    title = "quotes (generated around real bars; market time in UTC)"
    return table(
        title, _QUOTE_COLUMNS, rows, right=_QUOTE_COLUMNS[2:7], whole=("symbol", "market time", "state")
    )


def _line(symbol: str, quote: quote_pb2.Quote) -> tuple[str, ...]:
    """An update for a pipe, its columns those of the board."""
    numbers = (quote.bid_size, quote.bid, quote.ask, quote.ask_size, quote.last)
    return (
        symbol,
        _state(quote).plain,
        *(f"{one:.15g}" for one in numbers),
        utc(quote.event_time_ns),
        quote.source,
    )


def _state(quote: quote_pb2.Quote) -> Text:
    """Live, halted, or old and how old."""
    if quote.stale:
        return Text(f"old, {quote.age_ms / 1000:.0f} s", style="red")
    return Text("halted", style="yellow") if quote.halted else Text("live")
