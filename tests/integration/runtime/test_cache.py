"""The cache over a real Valkey: killed, restarted, silent and with entries that were tampered with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import valkey
from prometheus_client import CollectorRegistry

from services.runtime import cache as caches
from services.runtime.cache import Cache, LocalEntries
from services.runtime.embedded.valkey import EmbeddedValkey


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedValkey]:
    running = EmbeddedValkey()
    running.start()
    yield running
    running.stop()


class Counted:
    """A cache without memory of its own, and its figures."""

    def __init__(self, url: str | None, *, local_bytes: int = 0, **settings: float) -> None:
        self.registry = CollectorRegistry()
        self.cache = Cache(url, registry=self.registry, local_bytes=local_bytes, **settings)  # type: ignore[arg-type]

    def reads(self, outcome: str) -> float:
        labels = {"kind": "k", "outcome": outcome}
        return self.registry.get_sample_value("bifrost_cache_reads_total", labels) or 0

    def writes(self, outcome: str) -> float:
        labels = {"kind": "k", "outcome": outcome}
        return self.registry.get_sample_value("bifrost_cache_writes_total", labels) or 0

    @property
    def up(self) -> float | None:
        return self.registry.get_sample_value("bifrost_cache_up")


@pytest.fixture
async def counted(server: EmbeddedValkey) -> AsyncIterator[Counted]:
    one = Counted(server.url)
    yield one
    await one.cache.close()


def direct(server: EmbeddedValkey) -> valkey.Valkey:
    client: valkey.Valkey = valkey.Valkey.from_url(server.url.replace("redis://", "valkey://"))
    return client


async def test_what_was_put_is_found_until_it_is_too_old(server: EmbeddedValkey, counted: Counted) -> None:
    assert await counted.cache.get("k", "a") is None
    counted.cache.put("k", "a", b"value")
    await counted.cache.settle()
    found = await counted.cache.get("k", "a")
    assert found is not None
    assert bytes(found) == b"value"
    assert (counted.reads("miss"), counted.reads("hit"), counted.writes("kept")) == (1, 1, 1)
    with direct(server) as client:
        assert 0 < int(client.ttl("k:a")) <= 24 * 3600


@pytest.mark.parametrize("change", ["cut", "flipped", "of another form", "of another key"])
async def test_a_corrupt_entry_is_a_miss(server: EmbeddedValkey, counted: Counted, change: str) -> None:
    counted.cache.put("k", "b", b"a long value")
    counted.cache.put("k", "c", b"another")
    await counted.cache.settle()
    with direct(server) as client:
        stored = bytes(client.get("k:b"))
        other = bytes(client.get("k:c"))
        changed = {
            "cut": stored[:-1],
            "flipped": stored[:-1] + bytes([stored[-1] ^ 1]),
            "of another form": b"bc0\n" + stored[4:],
            "of another key": other,
        }[change]
        client.set("k:b", changed)
    assert await counted.cache.get("k", "b") is None
    assert counted.reads("corrupt") == 1
    counted.cache.put("k", "b", b"mended")
    await counted.cache.settle()
    assert bytes(await counted.cache.get("k", "b") or b"") == b"mended"


async def test_a_killed_server_is_missed_by_nobody_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "_FIRST_PAUSE_S", 0.01)
    server = EmbeddedValkey()
    server.start()
    one = Counted(server.url)
    try:
        one.cache.put("k", "a", b"value")
        await one.cache.settle()
        assert await one.cache.get("k", "a") is not None
        server.stop()
        for _ in range(3):
            assert await one.cache.get("k", "a") is None
        assert (one.reads("error"), one.up) == (3, 0)
        assert await one.cache.get("k", "a") is None
        assert one.reads("skipped") == 1  # not asked again at once
        one.cache.put("k", "a", b"value")
        await one.cache.settle()
        await asyncio.to_thread(server.start)

        async def is_back() -> bool:
            one.cache.put("k", "a", b"value")
            await one.cache.settle()
            return await one.cache.get("k", "a") is not None

        async with asyncio.timeout(60):
            while not await is_back():  # noqa: ASYNC110  nothing tells it
                await asyncio.sleep(0.01)
        assert one.up == 1
    finally:
        server.stop()
        await one.cache.close()


async def test_a_silent_server_costs_its_time_limit_and_then_nothing() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    one = Counted(f"redis://127.0.0.1:{port}/0", timeout_s=0.05)
    for _ in range(50):
        assert await one.cache.get("k", "a") is None
    # A second later one more is asked, should this machine need so long for fifty.
    assert 3 <= one.reads("error") < 10
    assert one.reads("skipped") == 50 - one.reads("error")
    await one.cache.close()
    silent.close()


async def test_a_busy_server_is_asked_by_few_at_once(counted: Counted) -> None:
    for number in range(100):
        counted.cache.put("k", f"n{number}", bytes([number]))
    await counted.cache.settle()
    found = await asyncio.gather(*(counted.cache.get("k", f"n{number}") for number in range(100)))
    assert [bytes(one or b"") for one in found] == [bytes([number]) for number in range(100)]


async def test_a_cancelled_read_leaves_no_answer_to_the_next(counted: Counted) -> None:
    for name in "xy":
        counted.cache.put("k", name, name.encode() * 2_000_000)
    await counted.cache.settle()
    for _ in range(20):
        reading = asyncio.create_task(counted.cache.get("k", "x"))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        found = await counted.cache.get("k", "y")
        assert found is not None
        assert bytes(found[:1]) == b"y"


async def test_memory_is_bounded(server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Counted(server.url, entry_bytes=10)
    one.cache.put("k", "large", b"x" * 11)
    assert await one.cache.get("k", "large") is None
    assert one.writes("too_large") == 1
    monkeypatch.setattr(caches, "_WAITING_BYTES", 15)
    for number in range(3):
        one.cache.put("k", str(number), b"x" * 10)
    assert one.writes("dropped") == 2
    await one.cache.settle()
    await one.cache.close()


async def test_without_a_server_memory_alone_holds_entries() -> None:
    one = Counted(None, local_bytes=10)
    one.cache.put("k", "a", b"12345")
    one.cache.put("k", "b", b"12345")
    assert await one.cache.get("k", "a") is not None
    one.cache.put("k", "c", b"12345")  # b is the one not used for longest
    assert [await one.cache.get("k", key) is not None for key in "abc"] == [True, False, True]
    assert (one.reads("local"), one.reads("miss"), one.up) == (3, 1, 0)
    await one.cache.close()


def test_local_entries_count_what_they_replace() -> None:
    entries = LocalEntries(10)
    for _ in range(5):
        entries.put("a", memoryview(b"12345"))
    entries.put("b", memoryview(b"12345"))
    entries.put("huge", memoryview(b"12345678901"))
    assert entries.get("a") is not None
    assert entries.get("b") is not None
    assert entries.get("huge") is None
