"""bifrost quality: how good bars are, and their repairs; with the commands of quarantine."""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from bifrost.data.v1 import quality_pb2, quality_service_pb2, quality_service_pb2_grpc
from bifrost.type.v1 import value_pb2
from services.cli import completion
from services.cli.commands import quarantine
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
from services.cli.intervals import IntervalOption, parse_interval
from services.cli.quality_view import coverage_lines, finding_rows

_SECONDS = 60
_MOST_SHOWN = 20
Symbol = Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.", autocompletion=completion.symbols)]


class _ReportByDefault(TyperGroup):
    """`bifrost quality AAPL` is `bifrost quality report AAPL`."""

    # Any: the context of the library's own copy of Click.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command in where none is."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["report", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        cls=_ReportByDefault, help="How good bars are, and their repairs.", no_args_is_help=True
    )
    group.command()(report)
    group.command()(repair)
    group.command()(revert)
    quarantine.register(group)
    app.add_typer(group, name="quality")


@command
async def report(
    symbol: Symbol,
    interval: IntervalOption = "1d",
    picture: Annotated[Path | None, typer.Option(help="Write a picture (SVG) to this file.")] = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Score, coverage by month, and what is wrong. `bifrost quality AAPL` will do."""
    request = quality_service_pb2.GetQualityReportRequest(
        instrument=_listed(symbol), interval=parse_interval(interval), include_picture=picture is not None
    )
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(quality_service_pb2_grpc.QualityServiceStub)
        answer = await stub.GetQualityReport(request, timeout=_SECONDS)
    if picture is not None:
        try:
            picture.write_bytes(answer.picture)
        except OSError as error:
            raise UsageError(f"{picture} cannot be written: {error.strerror or error}") from None
    if as_json:
        print_json(as_dict(answer.report))
        return
    _show(symbol.upper(), answer.report)


@command
async def repair(
    symbol: Symbol,
    interval: IntervalOption = "1d",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply all proposals without asking.")] = False,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """What would set units, splits and dividends right; applied when you say yes. --json alone only shows."""
    instrument, length = _listed(symbol), parse_interval(interval)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(quality_service_pb2_grpc.QualityServiceStub)
        proposed = await stub.ProposeRepairs(
            quality_service_pb2.ProposeRepairsRequest(instrument=instrument, interval=length),
            timeout=_SECONDS,
        )
        if not as_json:
            _show_proposals(symbol.upper(), proposed)
        asked = yes or as_json or not proposed.proposals or typer.confirm("Apply them all?")
        if not proposed.proposals or not asked or (as_json and not yes):
            if as_json:
                print_json(as_dict(proposed))
            return
        request = quality_service_pb2.ApplyRepairsRequest(
            request_id=secrets.token_hex(16),
            instrument=instrument,
            interval=length,
            proposal_ids=[one.proposal_id for one in proposed.proposals],
            etag=proposed.etag,
        )
        applied = (await stub.ApplyRepairs(request, timeout=_SECONDS)).repair
    if as_json:
        print_json(as_dict(applied))
        return
    out.print(f"repaired: {len(applied.actions)} done, {applied.rows:,} bars changed")
    out.print(f"Take it back: bifrost quality revert {applied.repair_id}")


@command
async def revert(
    repair_id: Annotated[str, typer.Argument(help="Id of the repair.")],
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Bring back what was before a repair."""
    request = quality_service_pb2.RevertRepairRequest(request_id=secrets.token_hex(16), repair_id=repair_id)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(quality_service_pb2_grpc.QualityServiceStub)
        reverted = (await stub.RevertRepair(request, timeout=_SECONDS)).repair
    if as_json:
        print_json(as_dict(reverted))
        return
    out.print(f"reverted: {len(reverted.actions)} taken back, {reverted.rows:,} bars as they were")


def _listed(symbol: str) -> value_pb2.InstrumentRef:
    return value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol.upper()))


def _show(symbol: str, report: quality_pb2.QualityReport) -> None:
    color = "green" if report.score >= 95 else "yellow" if report.score >= 80 else "red"
    line = Text(f"{symbol}  ", style="bold").append(f"{report.score:g}", style=f"bold {color}")
    line.append(f" of 100, {report.bars:,} bars", style="not bold")
    if report.sessions_expected:
        line.append(f", {report.sessions_held:,} of {report.sessions_expected:,} sessions", style="not bold")
    if report.quarantined_bars:
        line.append(f", {report.quarantined_bars:,} refused", style="not bold yellow")
    out.print(line)
    first, last = (
        dt.datetime.fromtimestamp(ns / 10**9, dt.UTC)
        for ns in (report.first_open_time_ns, report.last_open_time_ns)
    )
    out.print(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC", style="dim")
    out.print()
    for row in coverage_lines(report.months):
        out.print(row)
    if report.quarantined_bars:
        out.print(f"See what was refused: bifrost quality quarantine {symbol}")
    if not report.counts:
        out.print("Nothing is wrong with them.", style="green")
        return
    out.print()
    rows = finding_rows(report.findings[:_MOST_SHOWN])
    out.print(
        table("findings", ("from", "what", "bars", "why"), rows, whole=("from", "what"), right=("bars",))
    )
    more = sum(one.findings for one in report.counts) - len(rows)
    if more > 0:
        out.print(f"and {more:,} more; see them with --json", style="dim")
    out.print(f"See what would set it right: bifrost quality repair {symbol}")


def _show_proposals(symbol: str, proposed: quality_service_pb2.ProposeRepairsResponse) -> None:
    if not proposed.proposals:
        out.print(f"{symbol}: there is nothing to repair in units, splits and dividends")
        return
    rows: list[list[str | Text]] = []
    for one in proposed.proposals[:_MOST_SHOWN]:
        change = ""
        if one.before:
            change = f"{one.before[0].close:g} -> {one.after[0].close:g}"
        rows.append(
            [short_name(quality_pb2.RepairKind, one.kind), one.what, f"{one.rows:,}", change, one.why]
        )
    columns = ("kind", "what", "bars", "first close", "why")
    out.print(table(f"{symbol}: proposals", columns, rows, right=("bars",)))
    if len(proposed.proposals) > _MOST_SHOWN:
        out.print(f"and {len(proposed.proposals) - _MOST_SHOWN:,} more; see them with --json", style="dim")
