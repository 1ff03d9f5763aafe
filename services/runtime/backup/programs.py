"""PostgreSQL's own programs, run as children that end with the work they do."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy

from services.runtime.backup.errors import BackupError, disk_full
from services.runtime.embedded.postgres import client_program

_NO_ROOM = "No space left on device"
_TAIL = 40


async def run_program(
    name: str,
    arguments: Sequence[str],
    *,
    url: str | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run ``pg_dump`` or ``pg_restore`` to its end; cancelled, it is ended.

    Args:
        name: of the program.
        arguments: those after the connection.
        url: of the database it works on; the password goes by the environment, unseen in ps.
        on_line: told of each line the program says, in another thread.

    Raises:
        BackupError: BACKUP_DISK_FULL, or BACKUP_TOOL_FAILED with what the program said.
    """
    process = await asyncio.to_thread(_start, name, arguments, url)
    try:
        said = await asyncio.to_thread(_listen, process, on_line)
    finally:
        if process.poll() is None:
            process.terminate()
    if process.returncode == 0:
        return
    text = "; ".join(line for line in said if "error" in line or "detail" in line) or "; ".join(said)
    if _NO_ROOM in text:
        raise disk_full(text)
    raise BackupError("BACKUP_TOOL_FAILED", text or f"{name} ended with {process.returncode}")


def _start(name: str, arguments: Sequence[str], url: str | None) -> subprocess.Popen[str]:
    command, environment = [str(client_program(name))], {**os.environ, "LC_ALL": "C", "PGTZ": "UTC"}
    if url is not None:
        parsed = sqlalchemy.make_url(url)
        shown = parsed._replace(drivername="postgresql", password=None)
        command.append(f"--dbname={shown.render_as_string(hide_password=False)}")
        environment["PGPASSWORD"] = str(parsed.password or "")
    # A thread and Popen, not the loop's own way: no fork, which would wake gRPC's threads in the child.
    return subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        cwd=Path("/"),
        umask=0o077,
    )


def _listen(process: subprocess.Popen[str], on_line: Callable[[str], None] | None) -> Sequence[str]:
    said: deque[str] = deque(maxlen=_TAIL)
    if process.stderr is not None:
        with process.stderr:
            for line in process.stderr:
                said.append(line.strip())
                if on_line is not None:
                    on_line(line.strip())
    process.wait()
    return said
