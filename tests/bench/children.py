"""Processes a benchmark starts: a JSON line to say something, a JSON line to answer, dead when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, BinaryIO, TextIO, TypeAlias

import uvloop

# Any: what a child says is its own affair.
Answer: TypeAlias = dict[str, Any]
_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0
_PATIENCE_S = 120.0
_LOG_END = 2_000
_LONGEST_LINE = 2**24
_libc = ctypes.CDLL(None, use_errno=True)
_to_parent: TextIO = sys.stdout


class ChildError(RuntimeError):
    """A child process ended instead of answering."""


class Child:
    """A running `python -m tests.bench.peers.<name>`; its first line was `ready`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: BinaryIO) -> None:
        self._name = name
        self._process = process
        self._log = log
        self.ready: Answer = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.ready["port"])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, **question: object) -> Answer:
        """Say something and wait for the answer."""
        self.say(**question)
        return await self.hear()

    def say(self, **question: object) -> None:
        """Say something that it answers later."""
        if self._process.stdin is None:
            raise ChildError(f"{self._name} cannot be spoken to")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")

    async def hear(self) -> Answer:
        """Its next line.

        Raises:
            ChildError: it ended.
        """
        line = b""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if self._process.stdout is not None:
                    line = await self._process.stdout.readline()
        except TimeoutError:
            raise ChildError(f"{self._name} said nothing for {_PATIENCE_S:.0f} s{self._log_end()}") from None
        if not line:
            raise ChildError(f"{self._name} ended with {await self._process.wait()}{self._log_end()}")
        answer: Answer = json.loads(line)
        return answer

    async def stop(self) -> None:
        """End it, kindly first."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _log_end(self) -> str:
        self._log.seek(0)
        return "; it wrote:\n" + self._log.read().decode(errors="replace")[-_LOG_END:]


@contextlib.asynccontextmanager
async def child(name: str, *arguments: str, **environment: str) -> AsyncIterator[Child]:
    """Start tests/bench/peers/<name>.py and stop it at the end of the block."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"tests.bench.peers.{name}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "GRPC_VERBOSITY": "ERROR", **environment},
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            preexec_fn=_die_with_parent,
            limit=_LONGEST_LINE,
        )
        started = Child(name, process, log)
        try:
            started.ready = await started.hear()
            yield started
        finally:
            await started.stop()


def serve_child(main: Callable[[], Awaitable[None]]) -> None:
    """Run the child's side; it ends when `main` does, or at SIGTERM."""
    global _to_parent  # noqa: PLW0603  logs go to standard output: from here on that is another file
    _to_parent = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    async def cancellable() -> None:
        task = asyncio.ensure_future(main())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(cancellable())


def answer(**content: object) -> None:
    """The child's line to its parent."""
    _to_parent.write(json.dumps(content) + "\n")
    _to_parent.flush()


async def questions() -> AsyncIterator[Answer]:
    """The parent's lines, until it closes the pipe."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        transport.close()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
