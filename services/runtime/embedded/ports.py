"""Loopback ports that stay free until the server they are meant for binds them.

A port that was only looked for may be gone when it is bound: another mesh starts in the same second, or an
outgoing connection gets it. So a reserved port stays bound by a socket that never listens. The kernel then
gives it to nobody who asks for any port, and refuses it to who asks for it without ``SO_REUSEADDR``, as every
reservation does; servers set that option, so theirs is let in, and let in again after a crash.
"""

from __future__ import annotations

import os
import socket
import weakref
from typing import Final


class ReservedPorts:
    """Some loopback ports, kept from others as long as this object lives."""

    def __init__(self, count: int) -> None:
        files: list[int] = []
        weakref.finalize(self, _close, files)
        self.numbers: Final = [_reserve(files) for _ in range(count)]


def free_port() -> int:
    """A loopback port nobody else gets while this process lives."""
    _KEPT.append(reserved := ReservedPorts(1))
    return reserved.numbers[0]


_KEPT: Final[list[ReservedPorts]] = []


def _reserve(files: list[int]) -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        # Only now: bound without it, the port is nobody else's.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        number: int = held.getsockname()[1]
        files.append(held.detach())
        return number


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)
