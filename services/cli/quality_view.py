"""Coverage and findings as a terminal shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from rich.text import Text

from bifrost.data.v1 import quality_pb2
from services.cli.console import short_name

_SHADES = ("·", "░", "▒", "▓", "█")
_MONTHS = "JFMAMJJASOND"
_COLORS = {
    quality_pb2.FINDING_SEVERITY_ERROR: "red",
    quality_pb2.FINDING_SEVERITY_WARNING: "yellow",
    quality_pb2.FINDING_SEVERITY_INFO: "dim",
}


def coverage_lines(months: Iterable[quality_pb2.MonthCoverage]) -> Iterator[Text]:
    """A line a year, a block a month: the fuller the more is held; with findings in it, yellow."""
    years: dict[str, dict[int, quality_pb2.MonthCoverage]] = {}
    for one in months:
        year, _, number = one.month.partition("-")
        years.setdefault(year, {})[int(number)] = one
    if years:
        yield Text(f"     {_MONTHS}", style="dim")
    for year, held in years.items():
        line = Text(f"{year} ", style="dim")
        for month in range(1, 13):
            line.append(*_block(held.get(month)))
        yield line


def _block(month: quality_pb2.MonthCoverage | None) -> tuple[str, str]:
    if month is None:
        return " ", "not dim"
    share = month.held / month.expected if month.expected else 1.0
    # Full only when nothing is missing, empty only when nothing is held.
    level = 4 if share >= 1 else 0 if month.held == 0 else 1 + int(share * 3)
    color = "yellow" if month.findings else "green" if level == len(_SHADES) - 1 else "red"
    return _SHADES[level], f"not dim {color}"


def finding_rows(findings: Iterable[quality_pb2.Finding]) -> list[list[str | Text]]:
    """When, what, how many bars, why."""
    return [
        [
            f"{dt.datetime.fromtimestamp(one.first_open_time_ns / 10**9, dt.UTC):%Y-%m-%d %H:%M}",
            Text(_kind(one.kind), style=_COLORS.get(one.severity, "")),
            f"{one.rows:,}",
            one.explanation,
        ]
        for one in findings
    ]


def _kind(kind: quality_pb2.FindingKind) -> str:
    return short_name(quality_pb2.FindingKind, kind).replace("_", " ")
