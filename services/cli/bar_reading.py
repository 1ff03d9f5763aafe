"""Whole ranges of bars, and files of them: Parquet, Arrow or CSV by the name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bifrost_sdk.frames import Frame
from bifrost_sdk.reading import READ_BARS, BarReading, Range
from services.cli.client import EdgeClient
from services.cli.console import UsageError, err

_LONGEST_S: Final = 3600.0


def check_file(file: Path) -> None:
    """UsageError when the file's name says no format, or it cannot be written."""
    if file.suffix.lower() not in _WRITERS:
        raise UsageError(f"{file.name} must end in {', '.join(_WRITERS)}")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}")


async def read_bars(client: EdgeClient, symbol: str, asked: Range, *, progress: bool) -> Frame:
    """The whole range; with a line of progress where somebody looks."""
    reading = BarReading(symbol, asked)
    # Any: grpc's types do not know methods whose answers stay bytes.
    stream: Any = client.channel.unary_stream(
        READ_BARS, request_serializer=lambda request: request.SerializeToString()
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    hidden = not (progress and err.is_terminal)
    with Progress(*columns, console=err, transient=True, disable=hidden) as shown:
        task = shown.add_task(f"{symbol}: reading")
        async for message in stream(reading.request(), timeout=_LONGEST_S):
            reading.take(message)
            shown.update(task, description=f"{symbol}: {len(reading):,} bars read")
    return reading.frame()


def write_bars(frame: Frame, file: Path) -> None:
    """Write all; a file of that name is replaced when the new one is whole. UsageError when it cannot be."""
    part = file.with_name(f".{file.name}.part")
    try:
        _WRITERS[file.suffix.lower()](frame, part)
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _parquet(frame: Frame, file: Path) -> None:
    frame.to_polars().write_parquet(file)


def _arrow(frame: Frame, file: Path) -> None:
    frame.to_polars().write_ipc(file)


def _csv(frame: Frame, file: Path) -> None:
    frame.to_polars().write_csv(file, datetime_format="%Y-%m-%dT%H:%M:%SZ")


_WRITERS: Final[dict[str, Callable[[Frame, Path], None]]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".csv": _csv,
}
