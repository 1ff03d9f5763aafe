"""What may wait comes with what follows, in order, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.patience import held_back


def may_wait(item: int) -> bool:
    return item < 0


async def endless(*items: int) -> AsyncIterator[int]:
    for item in items:
        yield item
    await asyncio.Event().wait()


async def ending(items: list[int], error: Exception | None = None) -> AsyncIterator[int]:
    for item in items:
        yield item
    if error is not None:
        raise error


@given(st.lists(st.integers(-5, 5)), st.integers(1, 4))
def test_every_item_comes_once_and_in_order(items: list[int], limit: int) -> None:
    async def read() -> list[int]:
        return [item async for item in held_back(ending(items), may_wait, wait_s=60, limit=limit)]

    assert asyncio.run(read()) == items


async def test_an_item_that_may_not_wait_brings_those_before_it() -> None:
    stream = held_back(endless(-1, -2, 3), may_wait, wait_s=60)
    assert [await anext(stream) for _ in range(3)] == [-1, -2, 3]
    await stream.aclose()


async def test_items_that_may_wait_do_so_only_for_a_while() -> None:
    stream = held_back(endless(-1, -2), may_wait, wait_s=0.01)
    assert [await anext(stream) for _ in range(2)] == [-1, -2]
    await stream.aclose()


async def test_an_error_comes_after_what_was_held() -> None:
    stream = held_back(ending([-1], ConnectionError("gone")), may_wait, wait_s=60)
    assert await anext(stream) == -1
    with pytest.raises(ConnectionError):
        await anext(stream)


async def test_leaving_cancels_the_stream() -> None:
    class Call:
        cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

        def __aiter__(self) -> AsyncIterator[int]:
            return endless(1)

    call = Call()
    stream = held_back(call, may_wait, wait_s=60)
    assert await anext(stream) == 1
    await stream.aclose()
    assert call.cancelled
