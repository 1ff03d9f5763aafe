"""When steps are due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.venue.pacing import Pacer


def test_steps_come_at_their_pace() -> None:
    pacer = Pacer(0.5, first_s=10.0)
    assert pacer.wait_s(9.75) == 0.25
    assert pacer.take(9.75, most=10) == 0
    assert pacer.take(10.0, most=10) == 1
    assert pacer.wait_s(10.0) == 0.5
    assert pacer.take(11.6, most=10) == 3
    assert pacer.wait_s(11.75) == 0.25


def test_what_cannot_be_played_in_time_is_forgotten() -> None:
    pacer = Pacer(0.5, first_s=0.0)
    assert pacer.take(100.0, most=4) == 4
    assert pacer.wait_s(100.0) == 0
    assert pacer.take(100.0, most=4) == 1


@given(st.floats(0.001, 10), st.lists(st.floats(0, 5), min_size=1, max_size=50), st.integers(1, 40))
def test_never_faster_than_the_pace(interval_s: float, pauses: list[float], most: int) -> None:
    pacer, now_s, taken = Pacer(interval_s, first_s=0.0), 0.0, 0
    for pause in pauses:
        now_s += pause
        steps = pacer.take(now_s, most)
        assert steps <= most
        taken += steps
    assert taken <= now_s / interval_s + 1 + 1e-6
