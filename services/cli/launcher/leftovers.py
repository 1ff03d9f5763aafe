"""Ends what a launcher that was killed left running."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection

from services.cli.launcher.state import MeshState, ProcessState

_PAUSE_S = 0.05


def end_leftovers(state: MeshState, *, keep: Collection[str] = (), grace_s: float = 15.0) -> list[str]:
    """End the processes a dead launcher's state names, but those to keep; blocks. Returns their names.

    Only the very processes that were started then are touched, never another one under a used-again id.
    """
    left = {name: entry for name, entry in state.processes.items() if name not in keep and entry.is_alive}
    for name, entry in left.items():
        # PostgreSQL waits for its clients on SIGTERM, and ends them on SIGINT.
        _send(entry, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while any(entry.is_alive for entry in left.values()):
        if time.monotonic() > deadline:
            for entry in left.values():
                _send(entry, signal.SIGKILL)
        time.sleep(_PAUSE_S)
    return sorted(left)


def _send(entry: ProcessState, number: signal.Signals) -> None:
    if entry.pid is not None and entry.is_alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, number)
