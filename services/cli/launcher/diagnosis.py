"""Says which process keeps a mesh from coming up, with the end of its log."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from services.cli.launcher.process import SupervisedProcess

_TAIL_LINES = 12
_TAIL_BYTES = 16_384
_HOPELESS_RESTARTS = 3


def is_hopeless(processes: Iterable[SupervisedProcess]) -> bool:
    """Whether one ended again and again before it ever served."""
    return any(process.restarts >= _HOPELESS_RESTARTS for process in processes)


def explain(processes: Iterable[SupervisedProcess], serving: Collection[str], logs: Path) -> str:
    """What does not come up, each with its log's last lines."""
    lines = []
    for process in processes:
        if process.name in serving:
            continue
        log = logs / f"{process.name}.log"
        what = (
            f"ended {process.restarts} times, last with {process.last_exit}"
            if process.restarts
            else "does not answer"
        )
        lines += [f"{process.name} {what}; {log} ends:", *(f"  {line}" for line in tail(log))]
    return "\n".join(["the mesh did not come up:", *lines])


def tail(log: Path, lines: int = _TAIL_LINES) -> list[str]:
    """A log's last lines; none when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
