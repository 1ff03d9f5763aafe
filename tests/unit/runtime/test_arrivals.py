"""What has arrived is taken together; what may wait comes with what follows, in order, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.arrivals import Patience, arriving

LONG_S = 60.0


def may_wait(item: int) -> bool:
    return item < 0


async def endless(*items: int) -> AsyncIterator[int]:
    for item in items:
        yield item
    await asyncio.Event().wait()


async def ending(items: list[int], error: Exception | None = None) -> AsyncIterator[int]:
    for item in items:
        yield item
        await asyncio.sleep(0)  # so that they arrive one by one
    if error is not None:
        raise error


@given(st.lists(st.integers(-5, 5)), st.integers(1, 4), st.booleans())
def test_every_item_comes_once_and_in_order(items: list[int], batch: int, is_patient: bool) -> None:
    async def read() -> list[int]:
        patience = Patience(may_wait, LONG_S) if is_patient else None
        taken: list[int] = []
        async with arriving(ending(items), batch=batch, silence_s=LONG_S, patience=patience) as arrivals:
            while some := await arrivals.take():
                assert len(some) <= batch
                taken += some
        return taken

    assert asyncio.run(read()) == items


async def test_an_item_that_may_not_wait_brings_those_before_it() -> None:
    patience = Patience(may_wait, LONG_S)
    async with arriving(endless(-1, -2, 3), batch=10, silence_s=LONG_S, patience=patience) as arrivals:
        assert await arrivals.take() == [-1, -2, 3]


async def test_an_item_that_may_not_wait_does_not_wait_for_those_that_may() -> None:
    async def late() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()
        yield -1

    async with arriving(late(), batch=10, silence_s=LONG_S, patience=Patience(may_wait, LONG_S)) as arrivals:
        assert await arrivals.take() == [1]


async def test_items_that_may_wait_do_so_only_for_a_while() -> None:
    patience = Patience(may_wait, 0.01)
    async with arriving(endless(-1, -2), batch=10, silence_s=LONG_S, patience=patience) as arrivals:
        assert await arrivals.take() == [-1, -2]


async def test_a_full_batch_waits_no_longer() -> None:
    patience = Patience(may_wait, LONG_S)
    async with arriving(endless(-1, -2, -3), batch=2, silence_s=LONG_S, patience=patience) as arrivals:
        assert await arrivals.take() == [-1, -2]


async def test_an_error_comes_after_what_was_held() -> None:
    stream = ending([-1], ConnectionError("gone"))
    async with arriving(stream, batch=10, silence_s=LONG_S, patience=Patience(may_wait, LONG_S)) as arrivals:
        assert await arrivals.take() == [-1]
        with pytest.raises(ConnectionError):
            await arrivals.take()


async def test_silence_is_an_error() -> None:
    async with arriving(endless(), batch=10, silence_s=0.01, patience=Patience(may_wait, LONG_S)) as arrivals:
        with pytest.raises(TimeoutError):
            await arrivals.take()


async def test_leaving_cancels_the_stream() -> None:
    class Call:
        cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

        def __aiter__(self) -> AsyncIterator[int]:
            return endless(1)

    call = Call()
    async with arriving(call, batch=10, silence_s=LONG_S) as arrivals:
        assert await arrivals.take() == [1]
    assert call.cancelled
