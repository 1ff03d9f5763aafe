"""What runs where, in a file beside the mesh: how other commands find it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class ProcessState:
    """One process of the mesh."""

    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    last_exit: str = ""
    """How it ended last, e.g. "signal 9"; empty when it never did."""


@dataclass
class MeshState:
    """The running mesh, as its launcher last wrote it."""

    launcher_pid: int
    edge: str
    """host:port of the edge."""
    addresses: dict[str, str]
    """Service name to host:port."""
    metrics: dict[str, str]
    processes: dict[str, ProcessState] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> MeshState | None:
        """The state of a running mesh; None when none runs (its launcher is gone)."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        state = cls(**document)
        state.processes = {name: ProcessState(**entry) for name, entry in document["processes"].items()}
        return state if is_alive(state.launcher_pid) else None

    def write(self, path: Path) -> None:
        """Replace the file atomically."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(path)


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
