"""bifrost ingest: load history or facts from a source, now or by schedule."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from bifrost.data.v1 import ingestion_pb2, ingestion_service_pb2, ingestion_service_pb2_grpc
from bifrost.type.v1 import job_pb2
from services.cli import completion
from services.cli.client import EdgeClient
from services.cli.commands import schedules
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    as_dict,
    command,
    err,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.days import check_day
from services.cli.intervals import IntervalOption, parse_interval

_TIMEOUT_S = 30.0
_LONGEST_S = 24 * 3600.0
_ENDED = (job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED)
_LOAD = "load"
_SHOWN_BARS = 12


class _SourceFirst(TyperGroup):
    """`bifrost ingest yahoo AAPL` is short for `bifrost ingest load yahoo AAPL`."""

    # Any: the context is of the click that typer carries within itself.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = [_LOAD, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        cls=_SourceFirst,
        help="Load history from a source: bifrost ingest SOURCE [SYMBOLS], now or by schedule.",
        no_args_is_help=True,
    )
    group.command(_LOAD)(load)
    group.command("list")(list_ingestions)
    group.command()(cancel)
    schedules.register(group)
    app.add_typer(group, name="ingest")


@command
async def load(
    source: Annotated[str, typer.Argument(help="Where from, e.g. sample or yahoo.")],
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which; none means all the source has.", show_default="", autocompletion=completion.symbols
        ),
    ] = None,
    interval: IntervalOption = "1d",
    since: Annotated[
        str, typer.Option(help="First day, e.g. 2024-01-31; else only what is missing.", show_default="")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Last day, e.g. 2024-12-31; else up to now.", show_default="")
    ] = "",
    facts: Annotated[
        bool,
        typer.Option(
            "--facts",
            help="Not bars but profile, valuation, earnings and statements; see: bifrost instrument",
        ),
    ] = False,
    watch: Annotated[bool, typer.Option(help="Wait for the end; else it goes on by itself.")] = True,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Load what is missing of some symbols. Exit code 1 when one of them could not be loaded."""
    request = ingestion_service_pb2.CreateIngestionRequest(
        request_id=secrets.token_hex(16),
        source=source,
        symbols=[symbol.upper() for symbol in symbols or ()],
        interval=None if facts else parse_interval(interval),
        start_date=check_day("--since", since),
        end_date=check_day("--until", until),
        kind=ingestion_pb2.INGESTION_KIND_FACTS if facts else ingestion_pb2.INGESTION_KIND_BARS,
    )
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(ingestion_service_pb2_grpc.IngestionServiceStub)
        ingestion = (await stub.CreateIngestion(request, timeout=_TIMEOUT_S)).ingestion
        if watch:
            ingestion = await _watch(client, ingestion, quiet=as_json)
    if as_json:
        print_json(as_dict(ingestion))
    elif watch:
        _show(ingestion)
    else:
        out.print(f"ingestion {ingestion.ingestion_id} goes on by itself; see: bifrost ingest list")
    failed = any(one.state == job_pb2.JOB_STATE_FAILED for one in ingestion.results)
    if failed or ingestion.status.state in {job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED}:
        raise typer.Exit(1)


@command
async def list_ingestions(
    count: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 20,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """The last ingestions, newest first."""
    request = ingestion_service_pb2.ListIngestionsRequest(page_size=count)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(ingestion_service_pb2_grpc.IngestionServiceStub)
        found = (await stub.ListIngestions(request, timeout=_TIMEOUT_S)).ingestions
    if as_json:
        print_json({"ingestions": [as_dict(one) for one in found]})
        return
    rows = [
        [
            one.ingestion_id,
            one.source,
            short_name(job_pb2.JobState, one.status.state),
            f"{one.status.progress:.0%}",
            one.status.error_message or one.status.message,
        ]
        for one in found
    ]
    columns = ("ingestion", "source", "state", "done", "")
    out.print(table("ingestions", columns, rows, right=("done",), whole=("ingestion",)))


@command
async def cancel(
    ingestion: Annotated[str, typer.Argument(help="Which; see: bifrost ingest list", metavar="INGESTION")],
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Stop an ingestion; what is stored stays."""
    request = ingestion_service_pb2.CancelIngestionRequest(ingestion_id=ingestion)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(ingestion_service_pb2_grpc.IngestionServiceStub)
        answer = await stub.CancelIngestion(request, timeout=_TIMEOUT_S)
    if as_json:
        print_json(as_dict(answer.ingestion))
    else:
        out.print(f"ingestion {answer.ingestion.ingestion_id} stops")


async def _watch(
    client: EdgeClient, ingestion: ingestion_pb2.Ingestion, *, quiet: bool
) -> ingestion_pb2.Ingestion:
    """Show progress until it has ended; returns it as it is then."""
    stub = client.stub(ingestion_service_pb2_grpc.IngestionServiceStub)
    request = ingestion_service_pb2.WatchIngestionRequest(ingestion_id=ingestion.ingestion_id)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as progress:
        bars = _Bars(progress, ingestion.source)
        while ingestion.status.state not in _ENDED:
            async for message in stub.WatchIngestion(request, timeout=_LONGEST_S):
                if message.HasField("ingestion"):
                    ingestion = message.ingestion
                    bars.show(ingestion)
    return ingestion


class _Bars:
    """A progress bar for the job, and one for each of the symbols under way or done last."""

    def __init__(self, progress: Progress, source: str) -> None:
        self._progress = progress
        self._job = progress.add_task(source, total=1.0, rows="")
        self._symbols: dict[str, TaskID] = {}

    def show(self, ingestion: ingestion_pb2.Ingestion) -> None:
        rows = sum(one.rows_stored for one in ingestion.results)
        self._progress.update(
            self._job, completed=ingestion.status.progress, rows=f"{rows:,} {_rows_of(ingestion)}"
        )
        for one in ingestion.results[-_SHOWN_BARS:]:
            if one.symbol not in self._symbols:
                self._symbols[one.symbol] = self._progress.add_task(one.symbol, total=1.0, rows="")
            text = (
                "failed"
                if one.state == job_pb2.JOB_STATE_FAILED
                else f"{one.rows_stored:,} {_rows_of(ingestion)}"
            )
            self._progress.update(self._symbols[one.symbol], completed=one.progress, rows=text)
        for symbol in list(self._symbols)[:-_SHOWN_BARS]:
            self._progress.remove_task(self._symbols.pop(symbol))


def _rows_of(ingestion: ingestion_pb2.Ingestion) -> str:
    return short_name(ingestion_pb2.IngestionKind, ingestion.kind)


def _show(ingestion: ingestion_pb2.Ingestion) -> None:
    columns = ("symbol", "state", "new", "revised", "set aside", "first", "last", "tries", "")
    if ingestion.results:
        rows = [_row(one) for one in ingestion.results]
        numbers = ("new", "revised", "set aside", "tries")
        out.print(table(f"from {ingestion.source}", columns, rows, right=numbers, whole=("first", "last")))
    out.print(ingestion.status.error_message or ingestion.status.message)


def _row(one: ingestion_pb2.SymbolResult) -> Sequence[str]:
    why = one.error_message
    if one.error:
        why = f"{short_name(ingestion_pb2.SymbolError, one.error).replace('_', ' ')}: {why}"
    return (
        one.symbol,
        short_name(job_pb2.JobState, one.state),
        f"{one.rows_stored:,}",
        f"{one.rows_revised:,}",
        f"{one.rows_refused:,}",
        one.first_date,
        one.last_date,
        str(one.attempts),
        why,
    )
