"""Lengths of bars as they are typed: 5m or five-minutes, 1d or day."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bifrost.data.v1 import bar_pb2
from bifrost_sdk.reading import INTERVALS
from services.cli.console import UsageError

_BY_NAME: Final = {name.lower(): short for short, name in INTERVALS.items()}


def parse_interval(text: str) -> str:
    """The contract's name of an interval; UsageError when there is none."""
    return f"BAR_INTERVAL_{INTERVALS[short_interval(text)]}"


def short_interval(text: str) -> str:
    """As the Python client has it, e.g. "5m"; UsageError when there is none."""
    typed = text.strip().lower()
    short = typed if typed in INTERVALS else _BY_NAME.get(typed.replace("-", "_"))
    if short is None:
        raise UsageError(f"there is no interval {text}; there are {', '.join(INTERVALS)}")
    return short


def interval_of(value: bar_pb2.BarInterval) -> str:
    """A contract's interval as it is typed, e.g. "5m"."""
    return short_interval(bar_pb2.BarInterval.Name(value).removeprefix("BAR_INTERVAL_"))


def _offer(incomplete: str) -> list[str]:
    return [name for name in INTERVALS if name.startswith(incomplete)]


IntervalOption = Annotated[
    str,
    typer.Option("--interval", help=f"Length of the bars: {', '.join(INTERVALS)}.", autocompletion=_offer),
]
