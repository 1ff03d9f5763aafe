"""A cache in Valkey behind a small one in memory: losing either loses speed, never truth.

Whoever writes an entry puts into its key everything its value depends on (versions above all): an entry that
is found is right, whenever it was written, and nothing need be deleted when data changes. What is unused goes
by age and by the server's policy (allkeys-lru).
"""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict
from typing import Final

import structlog
import valkey.asyncio as valkey
from prometheus_client import CollectorRegistry, Counter, Gauge
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ValkeyError

_log = structlog.get_logger(__name__)
_MAGIC: Final = b"bc1\n"  # another one for another form
_HEAD: Final = len(_MAGIC) + 4  # and the CRC-32 of key and value
_CONNECTIONS: Final = 8
_FAILURES: Final = 3
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_WAITING_BYTES: Final = 32 * 1024 * 1024


class Breaker:
    """Says whether to ask a server that may be away: after a few failures only now and then."""

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._closed_until = 0.0

    @property
    def allows(self) -> bool:
        """Whether the server is to be asked now; when it was away, one caller may try."""
        if self._failures < _FAILURES:
            return True
        now = asyncio.get_running_loop().time()
        if now < self._closed_until:
            return False
        self._closed_until = now + self._pause_s
        return True

    def succeeded(self) -> bool:
        """It answered; returns whether it had been away."""
        was_away = self._failures >= _FAILURES
        self._failures, self._pause_s = 0, _FIRST_PAUSE_S
        return was_away

    def failed(self) -> bool:
        """It did not; returns whether it counts as away from now on."""
        self._failures += 1
        if self._failures < _FAILURES:
            return False
        self._closed_until = asyncio.get_running_loop().time() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return self._failures == _FAILURES


class LocalEntries:
    """Entries in memory; those least recently used go when there are too many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, memoryview] = OrderedDict()
        self._held = 0

    def get(self, key: str) -> memoryview | None:
        """The entry."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: str, value: memoryview) -> None:
        """Keep it."""
        if len(value) > self._most_bytes:
            return
        replaced = self._entries.pop(key, None)
        self._held += len(value) - (0 if replaced is None else len(replaced))
        self._entries[key] = value
        while self._held > self._most_bytes:
            _, oldest = self._entries.popitem(last=False)
            self._held -= len(oldest)


class Cache:
    """Entries of bytes by key; without a server, or while it is away, only what memory holds is found.

    Args:
        url: of the server; None or empty for none.
        local_bytes: how much is held in memory.
        entry_bytes: larger entries are not kept.
        ttl_s: how long the server keeps an entry.
        timeout_s: how long it may take to answer; what takes longer is a miss.
    """

    def __init__(
        self,
        url: str | None,
        *,
        registry: CollectorRegistry,
        local_bytes: int = 64 * 1024 * 1024,
        entry_bytes: int = 4 * 1024 * 1024,
        ttl_s: int = 24 * 3600,
        timeout_s: float = 0.5,
    ) -> None:
        self._client = _client(url, timeout_s) if url else None
        self._local = LocalEntries(local_bytes)
        self._entry_bytes = entry_bytes
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._breaker = Breaker()
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._waiting: OrderedDict[str, tuple[str, memoryview]] = OrderedDict()
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._reads = Counter(
            "bifrost_cache_reads",
            "Reads by what came of them: local, hit, miss, corrupt, error, skipped (the server is away).",
            ["kind", "outcome"],
            registry=registry,
        )
        self._writes = Counter(
            "bifrost_cache_writes",
            "Writes: kept, error, skipped, dropped (too many wait), too_large.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._up = Gauge("bifrost_cache_up", "1 while the cache's server answers.", registry=registry)
        self._up.set(0 if self._client is None else 1)

    async def get(self, kind: str, key: str) -> memoryview | None:
        """The entry, or None: never an error. ``kind`` is for the figures and part of the key."""
        name = f"{kind}:{key}"
        found = self._local.get(name)
        if found is not None:
            self._reads.labels(kind, "local").inc()
            return found
        outcome, found = await self._fetch(name)
        self._reads.labels(kind, outcome).inc()
        if found is not None:
            self._local.put(name, found)
        return found

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep the entry; it goes to the server in the background."""
        if len(value) > self._entry_bytes:
            self._writes.labels(kind, "too_large").inc()
            return
        name, view = f"{kind}:{key}", memoryview(value)
        self._local.put(name, view)
        if self._client is None:
            return
        if self._waiting_bytes + len(value) > _WAITING_BYTES:
            self._writes.labels(kind, "dropped").inc()
            return
        replaced = self._waiting.pop(name, None)
        self._waiting_bytes += len(value) - (0 if replaced is None else len(replaced[1]))
        self._waiting[name] = (kind, view)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting(), name="cache writes")

    async def settle(self) -> None:
        """Wait until what was put is with the server, or could not be."""
        if self._writer is not None:
            await self._writer

    async def close(self) -> None:
        """Drop what waits, and the connections."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _fetch(self, name: str) -> tuple[str, memoryview | None]:
        if self._client is None:
            return "miss", None
        if not self._breaker.allows:
            return "skipped", None
        try:
            async with self._turns, asyncio.timeout(self._timeout_s):
                stored = await self._client.get(name)
        except (ValkeyError, OSError) as error:
            self._failed(error)
            return "error", None
        self._answered()
        if stored is None:
            return "miss", None
        value = _open(name, stored)
        return ("hit", value) if value is not None else ("corrupt", None)

    async def _write_waiting(self) -> None:
        while self._waiting:
            name, (kind, value) = self._waiting.popitem(last=False)
            self._waiting_bytes -= len(value)
            self._writes.labels(kind, await self._store(name, value)).inc()

    async def _store(self, name: str, value: memoryview) -> str:
        if self._client is None or not self._breaker.allows:
            return "skipped"
        try:
            async with self._turns, asyncio.timeout(self._timeout_s):
                await self._client.set(name, _sealed(name, value), ex=self._ttl_s)
        except (ValkeyError, OSError) as error:
            self._failed(error)
            return "error"
        self._answered()
        return "kept"

    def _failed(self, error: Exception) -> None:
        if self._breaker.failed():
            self._up.set(0)
            _log.warning("cache_away", error=str(error) or type(error).__name__)

    def _answered(self) -> None:
        if self._breaker.succeeded():
            self._up.set(1)
            _log.info("cache_back")


def _client(url: str, timeout_s: float) -> valkey.Valkey:
    client: valkey.Valkey = valkey.Valkey.from_url(
        url.replace("redis://", "valkey://", 1).replace("rediss://", "valkeys://", 1),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # A connection that a restart of the server cut is made anew, once.
        retry=Retry(NoBackoff(), 1),
    )
    return client


def _sealed(name: str, value: memoryview) -> bytes:
    return b"".join((_MAGIC, _checksum(name, value), value))


def _open(name: str, stored: bytes) -> memoryview | None:
    """The value, if this is an entry of this form and whole, kept under this name."""
    value = memoryview(stored)[_HEAD:]
    if not stored.startswith(_MAGIC) or stored[len(_MAGIC) : _HEAD] != _checksum(name, value):
        return None
    return value


def _checksum(name: str, value: memoryview) -> bytes:
    return zlib.crc32(value, zlib.crc32(name.encode())).to_bytes(4, "big")
