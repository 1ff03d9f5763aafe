import uuid

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.clock import NANOS, ManualClock, SystemClock, from_timestamp, to_timestamp
from services.runtime.ids import new_id


@given(st.integers(min_value=-2_000_000_000 * NANOS, max_value=4_000_000_000 * NANOS))
def test_a_timestamp_keeps_every_nanosecond(ns: int) -> None:
    timestamp = to_timestamp(ns)
    assert 0 <= timestamp.nanos < NANOS
    assert from_timestamp(timestamp) == ns


def test_an_unset_timestamp_is_the_epoch() -> None:
    assert from_timestamp(Timestamp()) == 0


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(1_000)
    clock.advance(5)
    assert (clock.now_ns(), clock.monotonic_ns()) == (1_005, 5)
    with pytest.raises(ValueError, match="-1"):
        clock.advance(-1)


def test_the_system_clock_runs() -> None:
    clock = SystemClock()
    assert clock.now_ns() > 1_700_000_000 * NANOS
    assert clock.monotonic_ns() <= clock.monotonic_ns()


@given(st.lists(st.integers(min_value=0, max_value=3_000_000), max_size=50))
def test_ids_are_version_7_ordered_and_of_their_clocks_time(steps: list[int]) -> None:
    clock = ManualClock(1_338_000_000 * NANOS)
    ids = [new_id(clock)]
    for step in steps:
        clock.advance(step)
        ids.append(new_id(clock))
    assert ids == sorted(set(ids))
    last = uuid.UUID(ids[-1])
    assert (last.version, last.variant) == (7, uuid.RFC_4122)
    # Many ids in one instant run ahead of the clock by 1/4096 ms each, no more.
    assert 0 <= (last.int >> 80) - clock.now_ns() // 1_000_000 <= 1


def test_ids_stay_ordered_over_all_system_clocks() -> None:
    ids = [new_id(SystemClock()) for _ in range(5_000)]
    assert ids == sorted(set(ids))
