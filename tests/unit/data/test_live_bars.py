"""Bars of prints: those that are told of are those that were traded."""

from collections.abc import Sequence
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.bars import BarInterval
from services.data.domain.live_bars import BarBuilder, LiveBar, Stretch, Trade

OPEN_NS = 1_337_347_800 * 10**9
MINUTE = 60 * 10**9
DAY, MIN = BarInterval.DAY, BarInterval.MINUTE


Print: TypeAlias = tuple[float, float, int, bool]


def tape(prints: Sequence[Print], *, day: int = 1) -> list[Trade]:
    """A session of (price, size, minutes since the print before, user)."""
    trades, now = [], OPEN_NS + day * 1440 * MINUTE
    last = max((n for n, one in enumerate(prints) if not one[3]), default=-1)
    for number, (price, size, minutes, user) in enumerate(prints):
        now += minutes * MINUTE if number else 0
        trades.append(Trade("a", price, size, now, number + 1, user, day, number == last))
    return trades


DAY_NS = 1440 * MINUTE


def day_of(at_ns: int) -> Stretch:
    begin = at_ns - at_ns % DAY_NS
    return Stretch(begin, begin + DAY_NS, begin)


def builder_of_a() -> BarBuilder:
    return BarBuilder("a", day_of)


def feed(builder: BarBuilder, trades: Sequence[Trade]) -> list[LiveBar]:
    return [bar for trade in trades for bar in builder.add(trade)]


def closed(bars: Sequence[LiveBar], interval: BarInterval) -> list[LiveBar]:
    return [bar for bar in bars if bar.interval is interval and bar.is_closed]


def bar_of(trades: Sequence[Trade], interval: BarInterval, open_time_ns: int) -> LiveBar:
    prices = [trade.price for trade in trades]
    volume = 0.0
    for trade in trades:
        volume += trade.size
    return LiveBar(
        "a", interval, open_time_ns, prices[0], max(prices), min(prices), prices[-1], volume, is_closed=True
    )


PRINTS = st.lists(
    st.tuples(st.floats(1, 1000), st.integers(0, 10**6).map(float), st.integers(0, 2), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(PRINTS)
def test_closed_bars_are_those_of_the_replayed_prints(prints: list[Print]) -> None:
    trades = tape(prints)
    bars = feed(builder_of_a(), trades)
    replayed = [trade for trade in trades if not trade.is_user]
    if not replayed:
        assert bars == []
        return
    assert closed(bars, DAY) == [bar_of(replayed, DAY, replayed[0].event_time_ns)]
    by_minute: dict[int, list[Trade]] = {}
    for trade in replayed:
        by_minute.setdefault(trade.event_time_ns // MINUTE * MINUTE, []).append(trade)
    assert closed(bars, MIN) == [bar_of(some, MIN, start) for start, some in by_minute.items()]


@given(PRINTS, st.data())
def test_no_bar_is_closed_that_lacks_a_print(prints: list[Print], data: st.DataObject) -> None:
    trades = tape(prints)
    missed = data.draw(st.sets(st.integers(0, len(trades) - 1), min_size=1))
    seen = [trade for number, trade in enumerate(trades) if number not in missed]
    whole = feed(builder_of_a(), trades)
    bars = feed(builder_of_a(), seen)
    assert [bar for bar in bars if bar.is_closed and bar not in whole] == []


def test_progress_is_told_with_each_print() -> None:
    bars = feed(builder_of_a(), tape([(10, 1, 0, False), (12, 2, 0, False), (9, 3, 1, False)]))
    days = [(bar.close, bar.volume, bar.is_closed) for bar in bars if bar.interval is DAY]
    assert days == [(10, 1, False), (12, 3, False), (9, 6, True)]
    minutes = [(bar.close, bar.volume, bar.is_closed) for bar in bars if bar.interval is MIN]
    assert minutes == [(10, 1, False), (12, 3, False), (12, 3, True), (9, 3, True)]


def test_a_reader_from_the_middle_waits_for_the_next_session() -> None:
    builder = builder_of_a()
    session = tape([(10, 1, 0, False), (11, 1, 1, False), (12, 1, 1, False), (13, 1, 1, False)])
    bars = feed(builder, session[1:])
    assert [bar for bar in bars if bar.interval is DAY] == []
    assert [bar.open for bar in closed(bars, MIN)] == [12, 13]
    following = feed(builder, tape([(20, 1, 0, False), (21, 1, 1, False)], day=2))
    assert [bar.open for bar in closed(following, DAY)] == [20]


def test_a_session_replayed_again_begins_anew() -> None:
    builder = builder_of_a()
    session = tape([(10, 1, 0, False), (11, 1, 1, False)])
    feed(builder, session[:1])
    again = feed(builder, session)
    assert closed(again, DAY) == [bar_of(session, DAY, session[0].event_time_ns)]


def test_another_session_from_its_middle_is_a_gap() -> None:
    builder = builder_of_a()
    feed(builder, tape([(10, 1, 0, False), (11, 1, 1, False), (12, 1, 1, False)])[:1])
    bars = feed(builder, tape([(20, 1, 0, False), (21, 1, 1, False), (22, 1, 1, False)], day=2)[1:])
    assert [bar.open for bar in closed(bars, MIN)] == [22]
    assert [bar for bar in bars if bar.interval is DAY] == []


@given(PRINTS, st.data())
def test_prints_told_again_are_known_and_change_nothing(prints: list[Print], data: st.DataObject) -> None:
    trades = tape(prints)
    again = data.draw(st.integers(1, len(trades)))
    builder = builder_of_a()
    first = feed(builder, trades[:again])
    repeated = [trade for trade in trades[:again] if trade.trade_number > 1]
    assert all(builder.has_seen(trade) for trade in repeated)
    rest = trades[again:]
    assert not any(builder.has_seen(trade) for trade in rest)
    assert first + feed(builder, rest) == feed(builder_of_a(), trades)
