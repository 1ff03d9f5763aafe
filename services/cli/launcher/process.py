"""A supervised child process: started, watched, restarted when it dies, stopped with us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.cli.launcher.state import start_ticks

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STEADY_S = 3.0
_DIE_WITH_PARENT = str(Path(__file__).with_name("die_with_parent.py"))


class SupervisedProcess:
    """One program. It dies with the launcher, and comes back, with growing pauses, when it dies alone."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log_file: Path,
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.restarts = 0
        self.last_exit = ""
        self._command = list(command)
        self._environment = dict(environment)
        self._next_environment: dict[str, str] = {}
        self._log_file = log_file
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self.started: int | None = None
        """Clock ticks since boot at which it was started last."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start it and keep it up until `stop`."""
        self._stopping = False
        await self._spawn()
        self._watch = asyncio.create_task(self._keep_up(), name=f"watch {self.name}")

    async def stop(self, grace_s: float) -> None:
        """Ask it to end; kill it when it has not after `grace_s` seconds. Safe to call twice."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), grace_s)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):  # it ended just now
                    process.kill()
                await process.wait()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None

    def kill(self) -> None:
        """SIGKILL, as a crash would; the supervisor brings it back."""
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGKILL)

    def set_next_environment(self, environment: Mapping[str, str]) -> None:
        """Variables for the next start only, e.g. a failpoint."""
        self._next_environment = dict(environment)

    async def _spawn(self) -> None:
        environment = self._environment | self._next_environment
        self._next_environment = {}
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _DIE_WITH_PARENT, str(os.getpid())),
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C in the terminal is the launcher's to handle
            )
        self.started = start_ticks(self._process.pid)
        self._changed()

    async def _keep_up(self) -> None:
        pause = _FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while self._process is not None:
            began = loop.time()
            code = await self._process.wait()
            if self._stopping:
                return
            self.last_exit = f"signal {-code}" if code < 0 else f"exit {code}"
            self.restarts += 1
            self._changed()
            pause = _FIRST_PAUSE_S if loop.time() - began > _STEADY_S else min(2 * pause, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)
            await self._spawn()
