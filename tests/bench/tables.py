"""The figures as people read them: a table in the terminal, the same in Markdown."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Result


def show(console: Console, results: list[Result]) -> None:
    """The figures with their limits, then what the notes say."""
    table = Table(title="benchmarks", title_justify="left")
    table.add_column("benchmark", no_wrap=True)
    for name in ("value", "unit", "peer value", "ratio", "spread", "limit"):
        table.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    for result in results:
        ratio = _figure(result.ratio)
        if result.limit is not None:
            ratio = f"[red]{ratio}" if result.missed else f"[green]{ratio}"
        table.add_row(
            result.name,
            _figure(result.value),
            result.unit,
            _figure(result.peer_value),
            ratio,
            _spread(result.spread),
            _figure(result.limit),
        )
    console.print(table)
    for result in results:
        if result.peer or result.note:
            against = f"against {result.peer}" if result.peer else ""
            text = "; ".join(part for part in (against, result.note) if part)
            console.print(f"[bold]{result.name}[/]: {text}", highlight=False)


# Any: entries of build/bench.json.
def markdown(entries: list[dict[str, Any]]) -> str:
    """The table of docs/performance.md from the entries of build/bench.json."""
    lines = [
        "| figure | value | against | its value | ratio (spread) | limit |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for entry in entries:
        spread = "" if entry["spread"] is None else f" ({_spread(tuple(entry['spread']))})"
        cells = [
            f"`{entry['name']}`",
            f"{_figure(entry['value'])} {entry['unit']}",
            entry["peer"],
            "" if entry["peer_value"] is None else f"{_figure(entry['peer_value'])} {entry['unit']}",
            f"{_figure(entry['ratio'])}{spread}",
            _figure(entry["limit"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- `{entry['name']}`: {entry['note']}" for entry in entries if entry["note"]]
    return "\n".join([*lines, "", *notes])


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _spread(spread: tuple[float, ...] | None) -> str:
    return "" if spread is None else f"{spread[0]:.2f} to {spread[-1]:.2f}"
