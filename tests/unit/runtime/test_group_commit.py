"""Many submitters, one flush at a time."""

import asyncio
from collections.abc import Sequence

import pytest

from services.runtime.group_commit import GroupCommit
from services.runtime.waiting import until


class Store:
    """Flushes when told to; even numbers are refused."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = 0

    async def flush(self, items: list[int]) -> Sequence[int | Exception]:
        self.running += 1
        assert self.running == 1
        self.batches.append(items)
        await self.gate.wait()
        self.running -= 1
        return [n * 10 if n % 2 else ValueError(str(n)) for n in items]


async def test_idle_flushes_at_once_and_load_gathers() -> None:
    store = Store()
    group = GroupCommit(store.flush, max_batch=4)
    assert await group.submit(1) == 10
    store.gate.clear()
    first = asyncio.create_task(group.submit(3))
    await until(lambda: len(store.batches) == 2, timeout_s=60)
    rest = [asyncio.create_task(group.submit(n)) for n in range(11, 23, 2)]
    await asyncio.sleep(0)
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [30, 110, 130, 150, 170, 190, 210]
    assert store.batches == [[1], [3], [11, 13, 15, 17], [19, 21]]


async def test_outcome_belongs_to_its_submitter() -> None:
    group = GroupCommit(Store().flush)
    outcomes = await asyncio.gather(*(group.submit(n) for n in (1, 2, 3)), return_exceptions=True)
    assert outcomes[0::2] == [10, 30]
    assert isinstance(outcomes[1], ValueError)


async def test_failed_flush_fails_its_batch_and_no_other() -> None:
    async def flush(items: list[int]) -> Sequence[int]:
        if 0 in items:
            raise ConnectionError("away")
        return items if 5 not in items else []

    group = GroupCommit(flush)
    with pytest.raises(ConnectionError):
        await group.submit(0)
    with pytest.raises(RuntimeError, match="0 outcomes for 1"):
        await group.submit(5)
    assert await group.submit(1) == 1


async def test_cancelled_submitter_neither_stops_nor_loses_the_batch() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store.flush)
    gone, stays = asyncio.create_task(group.submit(1)), asyncio.create_task(group.submit(3))
    await until(lambda: bool(store.batches), timeout_s=60)
    gone.cancel()
    store.gate.set()
    assert await stays == 30
    await group.close()
    assert store.batches == [[1, 3]]
    assert gone.cancelled()
