"""What runs where, in a file beside the mesh: how other commands find it, and what a killed one left."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

_STATE_FIELD = 0
_START_TICKS_FIELD = 19


@dataclass
class ProcessState:
    """One process of the mesh."""

    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    last_exit: str = ""
    """How it ended last, e.g. "signal 9"; empty when it never did."""
    started: int | None = None
    """Clock ticks since boot at which it was started: with the pid, which process is meant."""

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return self.pid is not None and is_alive(self.pid, self.started)


@dataclass
class MeshState:
    """A mesh, as its launcher last wrote it."""

    launcher_pid: int
    launcher_started: int | None
    edge: str
    """host:port of the edge."""
    edge_admin: str
    """host:port of Envoy's own pages."""
    addresses: dict[str, str]
    """Service name to host:port."""
    metrics: dict[str, str]
    processes: dict[str, ProcessState] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> MeshState | None:
        """The state of a running mesh; None when none runs (its launcher is gone)."""
        state = cls.load(path)
        return state if state is not None and state.is_running else None

    @classmethod
    def load(cls, path: Path) -> MeshState | None:
        """The state as it was written last, running or killed; None when it cannot be read."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            state = cls(**document)
            state.processes = {name: ProcessState(**entry) for name, entry in document["processes"].items()}
        except (OSError, ValueError, TypeError):
            return None
        return state

    @property
    def is_running(self) -> bool:
        """Whether its launcher runs."""
        return is_alive(self.launcher_pid, self.launcher_started)

    def write(self, path: Path) -> None:
        """Replace the file atomically."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(path)


def is_alive(pid: int, started: int | None = None) -> bool:
    """Whether the process of that id runs and, when told, is the one started then: ids are used again."""
    fields = _stat(pid)
    if not fields or fields[_STATE_FIELD] == "Z":
        return False
    return started is None or int(fields[_START_TICKS_FIELD]) == started


def start_ticks(pid: int) -> int | None:
    """Clock ticks since boot at which a process was started; None when there is none."""
    fields = _stat(pid)
    return int(fields[_START_TICKS_FIELD]) if fields else None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name (proc(5)); the name may hold spaces and brackets."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return line.rpartition(")")[2].split()
