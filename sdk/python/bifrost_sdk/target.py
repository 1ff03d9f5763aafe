"""Where a client connects to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}
OPTIONS: Final[Sequence[tuple[str, int]]] = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


@dataclass(frozen=True, slots=True)
class Target:
    """An edge."""

    address: str
    """host:port."""
    secure: bool


def parse_url(url: str) -> Target:
    """ "https://host", "http://127.0.0.1:8080" or "127.0.0.1:8080" (in clear); ValueError for others."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{url!r} is no address of an edge; write it like https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Target(f"{host}:{parts.port or _PORTS[parts.scheme]}", parts.scheme == "https")
