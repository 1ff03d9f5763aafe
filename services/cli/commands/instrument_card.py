"""bifrost instrument: all that is known of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Annotated, TypeVar

import grpc
import typer
from google.protobuf.message import Message

from bifrost.data.v1 import bar_pb2, bar_service_pb2, bar_service_pb2_grpc, instrument_pb2
from bifrost.data.v1 import fundamental_service_pb2 as facts_pb
from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.data.v1.fundamental_service_pb2_grpc import FundamentalServiceStub
from bifrost.data.v1.instrument_service_pb2_grpc import InstrumentServiceStub
from bifrost.type.v1 import value_pb2
from services.cli import completion
from services.cli.client import EdgeClient
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    as_dict,
    command,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.session_dates import SessionDates

T = TypeVar("T")
_SHOWN_REPORTS = 6
_HIDDEN = {"instrument_id", "publish_time", "etag", "tick_bands", "description"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(instrument)


@command
async def instrument(
    symbol: Annotated[str, typer.Argument(help="Symbol.", autocompletion=completion.symbols)],
    market: Annotated[str, typer.Option(help="Market, e.g. XNAS.")] = "",
    on: Annotated[str, typer.Option(help="The day the symbol is meant on, e.g. 2015-01-02.")] = "",
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of an instrument: what it is, symbols, splits, profile, valuation, earnings."""
    named = value_pb2.ListedSymbol(symbol=symbol.upper(), mic=market.upper(), on_date=on)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(InstrumentServiceStub)
        request = pb.GetInstrumentRequest(instrument=value_pb2.InstrumentRef(listed=named))
        held = (await stub.GetInstrument(request, timeout=10)).instrument
        ref = value_pb2.InstrumentRef(instrument_id=held.instrument_id)
        parts, bars = await asyncio.gather(_parts(client, ref), _daily_bars(client, ref, held.mic))
    if as_json:
        card = {name: [as_dict(one) for one in messages] for name, messages in parts.items()}
        print_json({"instrument": as_dict(held), **card, "daily_bars": bars})
        return
    _show(held, parts, bars)


async def _parts(client: EdgeClient, ref: value_pb2.InstrumentRef) -> dict[str, Sequence[Message]]:
    """What there is beside the instrument itself, by name; what is not known is left out."""
    instruments = client.stub(InstrumentServiceStub)
    facts = client.stub(FundamentalServiceStub)
    symbols, splits, dividends, earnings = await asyncio.gather(
        _known(instruments.ListSymbolChanges(pb.ListSymbolChangesRequest(instrument=ref), timeout=10)),
        _known(instruments.ListSplits(pb.ListSplitsRequest(instrument=ref), timeout=10)),
        _known(instruments.ListDividends(pb.ListDividendsRequest(instrument=ref), timeout=10)),
        _known(facts.ListEarnings(facts_pb.ListEarningsRequest(instrument=ref), timeout=10)),
    )
    profile, valuation, risk, dividend_facts = await asyncio.gather(
        _known(facts.GetProfile(facts_pb.GetProfileRequest(instrument=ref), timeout=10)),
        _known(facts.GetValuation(facts_pb.GetValuationRequest(instrument=ref), timeout=10)),
        _known(facts.GetGovernanceRisk(facts_pb.GetGovernanceRiskRequest(instrument=ref), timeout=10)),
        _known(facts.GetDividendFacts(facts_pb.GetDividendFactsRequest(instrument=ref), timeout=10)),
    )
    return {
        "symbols": symbols.periods if symbols else (),
        "splits": splits.splits if splits else (),
        "dividends": dividends.dividends if dividends else (),
        "profile": (profile.profile,) if profile else (),
        "valuation": (valuation.valuation,) if valuation else (),
        "governance_risk": (risk.governance_risk,) if risk else (),
        "dividend_facts": (dividend_facts.dividend_facts,) if dividend_facts else (),
        "earnings": earnings.earnings if earnings else (),
    }


async def _known(call: Awaitable[T]) -> T | None:
    """The answer; None when there is nothing of the kind."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return None


async def _daily_bars(client: EdgeClient, ref: value_pb2.InstrumentRef, mic: str) -> dict[str, str | int]:
    """First and last day of daily bars and how many there are; empty when there are none."""
    request = bar_service_pb2.ListBarsRequest(
        instrument=ref, interval=bar_pb2.BAR_INTERVAL_DAY, page_size=100_000
    )
    stub = client.stub(bar_service_pb2_grpc.BarServiceStub)
    answer = await _known(stub.ListBars(request, timeout=30))
    times = answer.bars.open_time_ns if answer else ()
    if not times:
        return {}
    market = await SessionDates.of_market(client, mic)
    (first,), (last,) = await market.dates(times[:1]), await market.dates(times[-1:])
    return {"first": first, "last": last, "count": len(times)}


def _show(
    held: instrument_pb2.Instrument, parts: dict[str, Sequence[Message]], bars: dict[str, str | int]
) -> None:
    status = short_name(instrument_pb2.InstrumentStatus, held.status)
    kind = short_name(instrument_pb2.AssetClass, held.asset_class)
    rows = [[name, value] for name, value in _fields(held) if name not in {"status", "asset_class"}]
    out.print(table(f"{held.symbol} · {held.name} · {kind} · {status}", ("fact", "value"), rows))
    if held.tick_bands:
        bands = [[band.from_price, band.tick_size] for band in held.tick_bands]
        out.print(table("ticks", ("from price", "tick"), bands, right=("from price", "tick")))
    for name in ("profile", "valuation", "governance_risk", "dividend_facts"):
        facts = [list(pair) for message in parts[name] for pair in _fields(message)]
        if facts:
            out.print(table(name.replace("_", " "), ("fact", "value"), facts))
    for name in ("symbols", "splits", "dividends", "earnings"):
        messages = parts[name][-_SHOWN_REPORTS:]
        if not messages or (name == "symbols" and len(messages) == 1):
            continue
        columns = list(dict.fromkeys(column for one in messages for column, _ in _fields(one)))
        values = [dict(_fields(one)) for one in messages]
        lines = [[one.get(column, "") for column in columns] for one in values]
        out.print(table(name, columns, lines))
    if bars:
        out.print(f"daily bars: {bars['count']:,} from {bars['first']} to {bars['last']}")


def _fields(message: Message) -> list[tuple[str, str]]:
    """Names and values of what is set, for people."""
    shown = []
    for field, value in message.ListFields():
        if field.name in _HIDDEN or field.name == "record_time":
            continue
        if isinstance(value, Message):
            shown += _fields(value)
        elif field.enum_type is not None:
            prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
            name = field.enum_type.values_by_number[value].name
            shown.append((field.name, name.removeprefix(prefix).lower()))
        else:
            shown.append((field.name, f"{value:.2%}" if field.name == "surprise" else str(value)))
    return shown
