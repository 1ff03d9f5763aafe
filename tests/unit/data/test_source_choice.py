"""Which source serves, by what is heard of each."""

from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.source_choice import SourceChange, SourceChangeReason, SourceChoice

LOST, PREFERRED = SourceChangeReason.LOST, SourceChangeReason.PREFERRED
NAMES = ("first", "second", "third")


def choice() -> SourceChoice:
    return SourceChoice(NAMES, silence_ns=10, recovery_ns=30, now_ns=0)


def test_the_next_serves_when_the_first_is_silent_and_others_are_followed_only_then() -> None:
    sources = choice()
    sources.heard("first", 5)
    assert sources.wanted(15) == {"first"}
    assert sources.choose(15) is None
    assert sources.wanted(16) == set(NAMES)
    assert sources.choose(16) is None  # none is known to be well: it stays
    sources.heard("third", 17)
    assert sources.choose(17) == SourceChange("third", "first", LOST)
    assert sources.wanted(18) == set(NAMES)
    sources.heard("second", 18)
    assert sources.choose(18) is None


def test_one_break_is_no_loss_and_two_in_a_row_are() -> None:
    sources = choice()
    sources.heard("first", 1)
    sources.heard("second", 1)
    sources.failed("first")
    assert sources.choose(2) is None
    sources.heard("first", 3)
    sources.failed("first")
    assert sources.choose(4) is None
    sources.failed("first")
    assert sources.choose(4) == SourceChange("second", "first", LOST)
    assert sources.wanted(5) == {"first", "second"}


def test_the_preferred_serves_again_after_it_has_been_well_for_a_while() -> None:
    sources = choice()
    sources.heard("second", 11)
    assert sources.choose(11) is not None
    for at in range(12, 42):
        for name in ("first", "second"):
            sources.heard(name, at)
        if at == 20:
            sources.failed("first")  # it begins anew
        assert sources.choose(at) is None
    for at in range(42, 51):
        sources.heard("first", at)
        sources.heard("second", at)
        assert sources.choose(at) is None
    sources.heard("first", 51)
    assert sources.choose(51) == SourceChange("first", "second", PREFERRED)


@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from(["heard", "failed", "choose"]), st.sampled_from(NAMES)),
        max_size=80,
    )
)
def test_never_a_source_that_is_not_well_instead_of_one_that_is(
    steps: list[tuple[int, str, str]],
) -> None:
    sources, now = choice(), 0
    heard: dict[str, int] = {}
    for pause, what, name in steps:
        now += pause
        if what == "heard":
            sources.heard(name, now)
            heard[name] = now
        elif what == "failed":
            sources.failed(name)
            heard.pop(name, None)
        else:
            change = sources.choose(now)
            if change is not None:
                assert change.source == sources.serving != change.previous
                assert now - heard[change.source] <= 10
