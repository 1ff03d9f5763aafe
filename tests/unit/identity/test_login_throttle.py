"""The waits after failed logins, by a clock moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.login_throttle import (
    LONGEST_WAIT_NS,
    WINDOW_NS,
    FailedLogins,
    after_failure,
    forget_time_ns,
    wait_ns,
)
from services.runtime.clock import NANOS, ManualClock

START_NS = 1_700_000_000 * NANOS


def test_five_failures_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() -> None:
    clock, failed = ManualClock(START_NS), FailedLogins()
    waits: list[int] = []
    for _ in range(17):
        failed = after_failure(failed, clock.now_ns())
        wait = wait_ns(failed, clock.now_ns())
        waits.append(wait // NANOS)
        clock.advance(wait)
        assert wait_ns(failed, clock.now_ns()) == 0
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_four_failures_are_forgotten_a_quarter_of_an_hour_after_the_first() -> None:
    clock, failed = ManualClock(START_NS), FailedLogins()
    for _ in range(4):
        failed = after_failure(failed, clock.now_ns())
        clock.advance(WINDOW_NS // 4)
    failed = after_failure(failed, clock.now_ns())
    assert failed.count == 1
    assert wait_ns(failed, clock.now_ns()) == 0


def test_a_throttled_name_is_forgotten_only_after_its_last_wait() -> None:
    clock, failed = ManualClock(START_NS), FailedLogins()
    for _ in range(20):
        failed = after_failure(failed, clock.now_ns())
        clock.advance(wait_ns(failed, clock.now_ns()))
    assert forget_time_ns(failed) == clock.now_ns() + WINDOW_NS
    clock.advance(WINDOW_NS - 1)
    assert wait_ns(after_failure(failed, clock.now_ns()), clock.now_ns()) == LONGEST_WAIT_NS
    clock.advance(1)
    assert after_failure(failed, clock.now_ns()).count == 1


@given(st.lists(st.integers(0, WINDOW_NS // 4), min_size=1, max_size=60), st.integers(0, 10**6))
def test_no_schedule_of_guesses_beats_eighteen_in_any_quarter_of_an_hour(
    pauses: list[int], earlier: int
) -> None:
    now, failed = START_NS, FailedLogins(earlier, START_NS, START_NS)
    times: list[int] = []
    for pause in pauses:
        now += pause + wait_ns(failed, now + pause)
        failed = after_failure(failed, now)
        times.append(now)
        assert 0 <= wait_ns(failed, now) <= LONGEST_WAIT_NS
        assert forget_time_ns(failed) > now
    for start in times:
        # four before a count is forgotten, five free ones after, and nine waits of 1 to 256 s
        assert sum(start <= time < start + WINDOW_NS for time in times) <= 18
