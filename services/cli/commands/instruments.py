"""bifrost instruments and facts: find them, and take them from files."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer
from typer._click.core import Context
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from bifrost.data.v1 import (
    fundamental_service_pb2,
    fundamental_service_pb2_grpc,
    instrument_pb2,
    instrument_service_pb2,
    instrument_service_pb2_grpc,
)
from services.cli import completion
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
from services.cli.instrument_files import read_facts, read_instruments

_COLUMNS = ("symbol", "market", "name", "class", "currency", "status", "found by", "score")


_LONGEST_S = 120.0


class _SearchUnlessNamed(TyperGroup):
    """A group whose first command runs when none is named: `bifrost instruments apple`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Put the first command before arguments that name none."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["search", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what the first command's first argument may be."""
        query = self.commands["search"].params[0]
        return [*super().shell_complete(ctx, incomplete), *query.shell_complete(ctx, incomplete)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        cls=_SearchUnlessNamed,
        help="Find instruments by what you type; take them from a file.",
        no_args_is_help=True,
    )
    group.command("search")(instruments)
    group.command("import")(import_instruments)
    app.add_typer(group, name="instruments")
    facts = typer.Typer(help="Facts of instruments beside prices.", no_args_is_help=True)
    facts.callback()(_facts_group)
    facts.command("import")(import_facts)
    app.add_typer(facts, name="facts")


def _facts_group() -> None:
    """Facts of instruments beside prices."""


@command
async def instruments(
    query: Annotated[
        str, typer.Argument(help="Symbol or name, mistakes allowed.", autocompletion=completion.symbols)
    ],
    market: Annotated[str, typer.Option(help="Only at this market, e.g. XNAS.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=100)] = 20,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Find instruments by symbol or name, the best match first."""
    request = instrument_service_pb2.SearchInstrumentsRequest(query=query, limit=limit, mic=market.upper())
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
        reply = await stub.SearchInstruments(request, timeout=10)
    if as_json:
        for match in reply.matches:
            print_json(as_dict(match))
        return
    if not reply.matches:
        raise UsageError(f"nothing is like {query}; see what trades here with: bifrost quotes")
    rows = [_row(match) for match in reply.matches]
    out.print(table("instruments", _COLUMNS, rows, whole=("symbol", "market"), right=("score",)))


@command
async def import_instruments(
    file: Annotated[Path, typer.Argument(help="CSV with columns symbol, mic, currency, listing_date, …")],
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Make the instruments of a CSV file, all or none; those held already stay as they are."""
    request = instrument_service_pb2.ImportInstrumentsRequest(
        request_id=secrets.token_hex(16), instruments=read_instruments(file)
    )
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
        answer = await stub.ImportInstruments(request, timeout=_LONGEST_S)
    if as_json:
        print_json(as_dict(answer))
        return
    out.print(f"{len(answer.instrument_ids):,} rows read, {answer.created:,} instruments made")


@command
async def import_facts(
    file: Annotated[Path, typer.Argument(help="CSV or JSON with symbol, name, period, period_end, value, …")],
    source: Annotated[str, typer.Option(help="Who says so.", show_default="name of the file")] = "",
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Record the facts of a file, all or none. Without publish_time they count as published now."""
    request = fundamental_service_pb2.RecordFactsRequest(
        request_id=secrets.token_hex(16), source=source or file.name, subjects=read_facts(file)
    )
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(fundamental_service_pb2_grpc.FundamentalServiceStub)
        answer = await stub.RecordFacts(request, timeout=_LONGEST_S)
    if as_json:
        print_json(as_dict(answer))
        return
    out.print(f"{answer.recorded:,} facts recorded, {answer.unchanged:,} known already")


def _row(match: instrument_service_pb2.InstrumentMatch) -> list[str]:
    instrument = match.instrument
    return [
        instrument.symbol,
        instrument.mic,
        instrument.name,
        short_name(instrument_pb2.AssetClass, instrument.asset_class),
        instrument.currency,
        short_name(instrument_pb2.InstrumentStatus, instrument.status),
        short_name(instrument_service_pb2.MatchReason, match.reason).replace("_", " "),
        f"{match.score:.2f}",
    ]
