"""bifrost indicators, and the columns they add to bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from bifrost.data.v1 import (
    indicator_pb2,
    indicator_service_pb2,
    indicator_service_pb2_grpc,
)
from bifrost_sdk.reading import Range, instrument_ref
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
from services.cli.paging import pages


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(indicators)


@command
async def indicators(
    name: Annotated[str, typer.Argument(help="One to explain, e.g. MACD; none lists all.")] = "",
    group: Annotated[str, typer.Option(help='Only of this group, e.g. "Momentum Indicators".')] = "",
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Indicators that bars can have, and what may be set of them."""
    request = indicator_service_pb2.ListIndicatorsRequest(group=group, page_size=1000)
    async with Target.find(home, edge).connect() as client:
        method = client.stub(indicator_service_pb2_grpc.IndicatorServiceStub).ListIndicators
        found = [entry async for page in pages(method, request) for entry in page.indicators]
    if name:
        found = [entry for entry in found if entry.name == name.upper()]
        if not found:
            raise UsageError(f"there is no indicator {name.upper()}; see them all with: bifrost indicators")
    if as_json:
        for entry in found:
            print_json(as_dict(entry))
    elif name:
        _explain(found[0])
    else:
        rows = [[entry.name, entry.group, entry.description] for entry in found]
        out.print(table("indicators", ("name", "group", "what it is"), rows, whole=("name",)))


def _explain(entry: indicator_pb2.Indicator) -> None:
    out.print(Text(entry.name, style="bold").append(f"  {entry.description}", style="not bold"))
    sources = ", ".join(
        short_name(indicator_pb2.PriceSource, one.default_source) + (" (or another source)" * one.selectable)
        for one in entry.inputs
    )
    memory = short_name(indicator_pb2.IndicatorMemory, entry.memory)
    for label, value in (
        ("group", entry.group),
        ("reads", sources),
        ("gives", ", ".join(entry.outputs)),
        ("memory", memory),
        ("source", entry.source),
    ):
        out.print(Text(f"{label:<8}", style="dim").append(value, style="not dim"))
    if entry.can_repaint:
        out.print(Text("It can repaint: its past may change as bars come in.", style="yellow"))
    if entry.parameters:
        out.print()
        rows = [[one.name, *_type_of(one), one.description] for one in entry.parameters]
        columns = ("parameter", "default", "allowed", "what it is")
        out.print(table("", columns, rows, whole=("parameter",), right=("default",)))


def _type_of(parameter: indicator_pb2.IndicatorParameter) -> tuple[str, str]:
    """Default and range."""
    if parameter.HasField("choice"):
        return parameter.choice.default_value, ", ".join(parameter.choice.names)
    number = parameter.integer if parameter.HasField("integer") else parameter.real
    return f"{number.default_value:g}", f"{number.minimum:.10g} to {number.maximum:.10g}"


async def indicator_columns(
    client: EdgeClient,
    symbol: str,
    bars: Range,
    open_times_ns: Sequence[int],
    specs: Sequence[indicator_pb2.IndicatorSpec],
) -> dict[str, list[float | None]]:
    """For the bars that opened at these times, column by heading; None where there is no value.

    A heading is the spec's label, with the output's name where there are several.
    """
    if not specs or not open_times_ns:
        return {}
    asked = replace(bars, start=open_times_ns[0], end=open_times_ns[-1] + 1)
    # ignore: values of a request's fields, which the types of its constructor cannot know.
    request = indicator_service_pb2.ComputeIndicatorsRequest(
        instrument=instrument_ref(symbol),
        indicators=specs,
        page_size=100_000,
        **asked.fields(),  # type: ignore[arg-type]
    )
    columns: dict[str, list[float | None]] = {}
    method = client.stub(indicator_service_pb2_grpc.IndicatorServiceStub).ComputeIndicators
    async for page in pages(method, request):
        for answer in page.indicators:
            for output in answer.outputs:
                heading = f"{answer.label} {output.name}" if len(answer.outputs) > 1 else answer.label
                values = (None if math.isnan(value) else value for value in output.values)
                columns.setdefault(heading, []).extend(values)
    return columns
