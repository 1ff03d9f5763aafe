"""bifrost quality quarantine, bifrost quality release: bars that were refused."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Annotated

import typer

from bifrost.data.v1 import (
    import_service_pb2,
    import_service_pb2_grpc,
    quality_service_pb2,
    quality_service_pb2_grpc,
)
from bifrost.type.v1 import value_pb2
from services.cli import completion
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
    short_name,
    table,
)
from services.cli.intervals import interval_of
from services.cli.paging import pages
from services.cli.session_dates import DATED, SessionDates

_SECONDS = 60
_PAGE = 1000
_MOST_SHOWN = 50
_NANOS = 10**9
_COLUMNS = ("number", "bars", "time", "open", "high", "low", "close", "volume", "refused for")
Symbol = Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.", autocompletion=completion.symbols)]


def register(group: typer.Typer) -> None:
    """Add the commands of this module to those of quality."""
    group.command("quarantine")(quarantine)
    group.command("release")(release)


@command
async def quarantine(
    symbol: Symbol, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """Bars that were refused, with the numbers that release takes."""
    name = symbol.upper()
    async with Target.find(home, edge).connect() as client:
        refused = await _refused(client, name)
        if as_json:
            for one in refused:
                print_json(as_dict(one))
        elif not refused:
            out.print(f"no bar of {name} is in quarantine")
        else:
            await _show(client, name, refused)
            out.print(f"After you have looked at them: bifrost quality release {name} NUMBER …")


@command
async def release(
    symbol: Symbol,
    numbers: Annotated[
        list[int], typer.Argument(help="Which; see: bifrost quality quarantine SYMBOL", metavar="NUMBER")
    ],
    reason: Annotated[
        str, typer.Option(help="Why they are true; kept with the repair.", show_default="")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Store refused bars that you know to be true, in the place of those held; it can be reverted."""
    name = symbol.upper()
    async with Target.find(home, edge).connect() as client:
        if not yes and not as_json:
            chosen = [one for one in await _refused(client, name) if one.quarantine_no in numbers]
            if chosen:
                await _show(client, name, chosen)
                typer.confirm("Store them?", abort=True)
        elif not yes:
            raise UsageError("with --json nobody can be asked: add --yes")
        stub = client.stub(quality_service_pb2_grpc.QualityServiceStub)
        request = quality_service_pb2.ReleaseQuarantinedBarsRequest(
            request_id=secrets.token_hex(16),
            instrument=_listed(name),
            quarantine_nos=sorted(set(numbers)),
            reason=reason,
        )
        repair = (await stub.ReleaseQuarantinedBars(request, timeout=_SECONDS)).repair
    if as_json:
        print_json(as_dict(repair))
        return
    changed = "1 bar" if repair.rows == 1 else f"{repair.rows:,} bars"
    out.print(f"done: {'; '.join(repair.actions)}; {changed} changed")
    out.print(f"Take it back: bifrost quality revert {repair.repair_id}")


async def _refused(client: EdgeClient, symbol: str) -> list[import_service_pb2.QuarantinedBar]:
    stub = client.stub(import_service_pb2_grpc.ImportServiceStub)
    request = import_service_pb2.ListQuarantinedBarsRequest(instrument=_listed(symbol), page_size=_PAGE)
    return [one async for page in pages(stub.ListQuarantinedBars, request) for one in page.bars]


async def _show(
    client: EdgeClient, symbol: str, refused: Sequence[import_service_pb2.QuarantinedBar]
) -> None:
    shown = refused[:_MOST_SHOWN]
    market = await SessionDates.of_symbol(client, symbol)
    dates = await market.dates([one.bar.open_time_ns for one in shown])
    rows = []
    for one, date in zip(shown, dates, strict=True):
        bar, length = one.bar, interval_of(one.bar.interval)
        time = dt.datetime.fromtimestamp(bar.open_time_ns // _NANOS, dt.UTC)
        when = date if length in DATED else f"{time:%Y-%m-%d %H:%M}"
        prices = [f"{price:g}" for price in (bar.open, bar.high, bar.low, bar.close)]
        why = short_name(import_service_pb2.QuarantineReason, one.reason).replace("_", " ")
        rows.append([str(one.quarantine_no), length, when, *prices, f"{bar.volume:,.0f}", why])
    right = ("number", *_COLUMNS[3:8])
    out.print(table(f"{symbol}: refused bars, times in UTC", _COLUMNS, rows, right=right, whole=("time",)))
    if len(refused) > _MOST_SHOWN:
        out.print(f"and {len(refused) - _MOST_SHOWN:,} more; see them with --json", style="dim")


def _listed(symbol: str) -> value_pb2.InstrumentRef:
    return value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol))
