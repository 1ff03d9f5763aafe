from decimal import Decimal

import pytest

from bifrost.data.v1.quote_pb2 import Quote
from services.portfolio.marks import Marks
from services.runtime.clock import ManualClock

SECOND = 1_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


@pytest.fixture
async def marks(clock: ManualClock) -> Marks:
    return Marks(clock=clock, stale_s=10)


def is_stale(marks: Marks, instrument_id: str) -> bool:
    mark = marks.get(instrument_id)
    assert mark is not None
    return mark.is_stale


async def test_no_quote_no_mark(marks: Marks) -> None:
    assert marks.get("a") is None
    marks.take([Quote(instrument_id="a")])
    assert marks.get("a") is None


async def test_a_quote_without_prices_leaves_the_mark_as_it_was(marks: Marks) -> None:
    marks.take([Quote(instrument_id="a", bid=1, ask=2, event_time_ns=5)])
    marks.take([Quote(instrument_id="a", event_time_ns=6)])
    mark = marks.get("a")
    assert mark is not None
    assert (mark.price, mark.event_time_ns) == (Decimal("1.5"), 5)


async def test_a_mark_is_stale_beyond_the_limit_counting_its_age_at_data(
    marks: Marks, clock: ManualClock
) -> None:
    marks.take([Quote(instrument_id="a", last=1, age_ms=4000), Quote(instrument_id="b", last=1, age_ms=-5)])
    clock.advance(6 * SECOND)
    assert [is_stale(marks, name) for name in "ab"] == [False, False]
    clock.advance(1)
    assert [is_stale(marks, name) for name in "ab"] == [True, False]


async def test_a_mark_is_stale_when_data_says_so_and_fresh_with_the_next_quote(marks: Marks) -> None:
    marks.take([Quote(instrument_id="a", last=1, stale=True)])
    assert is_stale(marks, "a")
    marks.take([Quote(instrument_id="a", last=1)])
    assert not is_stale(marks, "a")


async def test_readers_are_told(marks: Marks) -> None:
    changed = marks.changed
    marks.take([])
    assert changed.done()
    assert not marks.changed.done()
