"""bifrost import: bars from a file."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import grpc
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from bifrost.data.v1 import (
    import_service_pb2,
    instrument_service_pb2,
    instrument_service_pb2_grpc,
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
    err,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.intervals import IntervalOption, parse_interval, short_interval
from services.cli.uploads import upload

_NANOS = 10**9
_IMPORT_BARS = "/bifrost.data.v1.ImportService/ImportBars"
_CHUNK_BYTES = 256 * 1024
_LONGEST_S = 3600.0
_FORMATS = {
    b"PAR1": import_service_pb2.FILE_FORMAT_PARQUET,
    b"ARROW1": import_service_pb2.FILE_FORMAT_ARROW,
}
_NOT_READ = {
    b"FEA1": "Feather version 1",
    b"\xff\xff\xff\xff": "an Arrow stream",
    b"PK\x03\x04": "an Excel or ZIP file",
    b"\x1f\x8b": "a gzip file",
}
# ISO 10383: no market.
_NO_MARKET = "XXXX"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import")(import_bars)


@command
async def import_bars(
    file: Annotated[
        Path, typer.Argument(help="CSV, Parquet or Arrow with columns time, open, high, low, close, volume.")
    ],
    symbol: Annotated[
        str, typer.Option(help="Whose bars they are; made when it is new.", autocompletion=completion.symbols)
    ],
    interval: IntervalOption = "1d",
    tz: Annotated[str, typer.Option(help="Time zone of times without one, e.g. America/New_York.")] = "",
    mic: Annotated[
        str, typer.Option(help="Market, e.g. XNYS: its calendar says which days are right.", show_default="")
    ] = "",
    currency: Annotated[str, typer.Option(help="Currency of a new instrument.")] = "USD",
    column: Annotated[
        list[str] | None,
        typer.Option(help="A column that is not called as usual, e.g. open=Open_Price; as often as needed."),
    ] = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Take bars from CSV, TradingView's too, Parquet or Arrow. Rows that cannot be true are set aside."""
    header = import_service_pb2.ImportHeader(
        request_id=secrets.token_hex(16),
        interval=parse_interval(interval),
        format=_format(file),
        columns=_column_names(column or ()),
        time_zone=tz,
        sha256=_sha256(file),
    )
    async with Target.find(home, edge).connect() as client:
        await _set_target(client, header, symbol.upper(), mic.upper(), currency.upper())
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(
            *columns, console=err, transient=True, disable=as_json or not err.is_terminal
        ) as progress:
            answer = await upload(
                client,
                _IMPORT_BARS,
                _requests(header, file, progress),
                import_service_pb2.ImportBarsResponse,
                timeout_s=_LONGEST_S,
            )
    if as_json:
        print_json(as_dict(answer))
        return
    _show(symbol.upper(), short_interval(interval), answer)


def _format(file: Path) -> import_service_pb2.FileFormat:
    """By what it begins with, so that no name can deceive."""
    try:
        with file.open("rb") as content:
            beginning = content.read(8)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    for mark, what in _NOT_READ.items():
        if beginning.startswith(mark):
            raise UsageError(
                f"{file} is {what}; write it as CSV, Parquet or an Arrow file (Feather version 2)"
            )
    for mark, found in _FORMATS.items():
        if beginning.startswith(mark):
            return found
    return import_service_pb2.FILE_FORMAT_CSV


def _column_names(pairs: Sequence[str]) -> import_service_pb2.BarColumnNames:
    """Of open=Open and the like."""
    names = import_service_pb2.BarColumnNames()
    ours = [field.name for field in names.DESCRIPTOR.fields]
    for pair in pairs:
        name, equals, theirs = pair.partition("=")
        if not equals or not theirs or name not in ours:
            raise UsageError(f"a column is written NAME=ITS_NAME with one of {', '.join(ours)}, not {pair}")
        setattr(names, name, theirs)
    return names


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None


async def _set_target(
    client: EdgeClient, header: import_service_pb2.ImportHeader, symbol: str, mic: str, currency: str
) -> None:
    """The listing held, or a new one: without a market when none is named."""
    ref = value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol, mic=mic))
    stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
    try:
        request = instrument_service_pb2.GetInstrumentRequest(instrument=ref)
        held = (await stub.GetInstrument(request, timeout=10)).instrument
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
        header.new_instrument.symbol = symbol
        header.new_instrument.mic = mic or _NO_MARKET
        header.new_instrument.currency = currency
    else:
        header.instrument.instrument_id = held.instrument_id


def _requests(
    header: import_service_pb2.ImportHeader, file: Path, progress: Progress
) -> Iterator[import_service_pb2.ImportBarsRequest]:
    yield import_service_pb2.ImportBarsRequest(header=header)
    task = progress.add_task(file.name, total=file.stat().st_size)
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield import_service_pb2.ImportBarsRequest(chunk=chunk)
            progress.advance(task, len(chunk))


def _show(symbol: str, interval: str, answer: import_service_pb2.ImportBarsResponse) -> None:
    out.print(f"{symbol}: {answer.rows_read:,} rows read, {answer.rows_stored:,} stored", end="")
    for count, what in (
        (answer.rows_unchanged, "held already"),
        (answer.rows_differing, "held with other values, which stay"),
        (answer.rows_quarantined, "set aside"),
        (answer.rows_without_volume, "without volume"),
    ):
        if count:
            out.print(f", {count:,} {what}", end="")
    out.print()
    if answer.last_open_time_ns:
        first, last = (
            dt.datetime.fromtimestamp(ns / _NANOS, dt.UTC)
            for ns in (answer.first_open_time_ns, answer.last_open_time_ns)
        )
        out.print(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    reason = import_service_pb2.QuarantineReason
    if answer.problems:
        rows = [
            [str(one.line), one.column, short_name(reason, one.reason).replace("_", " ")]
            for one in answer.problems
        ]
        out.print(table("set aside, the first of them", ("line", "column", "reason"), rows, right=("line",)))
    if answer.rows_stored:
        length = "" if interval == "1d" else f" --interval {interval}"
        out.print(f"See them: bifrost bars {symbol}{length}")
