"""`make bench`: run the benchmarks, show them, and write build/bench.json."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.bench.measure import Result
from tests.bench.tables import markdown, show

BENCHMARKS = (
    "rpc_overhead",
    "order_p50",
    "rest_vs_gateway",
    "quote_fanout",
    "live",
    "stalled_reader",
    "bars_100k",
    "history",
    "indicators",
    "ingest",
    "start_up",
)
"""A module each, in the order of docs/performance.md."""
_WIDTH = 110
OUTPUT = Path("build/bench.json")


def main() -> int:
    """Exit status: 0 unless a benchmark could not run."""
    arguments = _arguments()
    if arguments.markdown:
        print(markdown(json.loads(OUTPUT.read_text(encoding="utf-8"))))
        return 0
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its notices would tear the progress bar
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    try:
        results, failed = _run(arguments.only or BENCHMARKS, console)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        return 130
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([result.as_json() for result in results], indent=1) + "\n", encoding="utf-8")
    show(console, results)
    console.print(f"Written to {OUTPUT}.")
    if failed:
        console.print(f"[red]Could not run: {', '.join(failed)}")
    return 1 if failed else 0


def _run(names: tuple[str, ...], console: Console) -> tuple[list[Result], list[str]]:
    results: list[Result] = []
    failed: list[str] = []
    columns = (SpinnerColumn(), TextColumn("{task.description:<56}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(names))
        for name in names:
            progress.update(task, description=name)
            if not console.is_terminal:  # where the bar does not show
                progress.console.print(name)
            try:
                module = importlib.import_module(f"tests.bench.{name}")
                results += module.run(
                    lambda stage, name=name: progress.update(task, description=f"{name}: {stage}")
                )
            except Exception:  # noqa: BLE001  the others are still worth measuring
                failed.append(name)
                progress.console.print(f"[red]{name} could not run[/]\n{traceback.format_exc()}", markup=True)
            progress.advance(task)
    return results, failed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", type=_names, metavar="A,B", help=f"a part of: {', '.join(BENCHMARKS)}", default=()
    )
    parser.add_argument(
        "--markdown", action="store_true", help=f"print {OUTPUT} as the table of docs/performance.md"
    )
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        raise argparse.ArgumentTypeError(f"no benchmark {', '.join(unknown)}; there are {known}")
    return names


if __name__ == "__main__":
    sys.exit(main())
