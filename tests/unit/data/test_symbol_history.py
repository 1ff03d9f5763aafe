"""Symbols over time: resolving by date as a naive model does, and histories that are wrong."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.instrument import Instrument, InstrumentStatus, Listing
from services.data.domain.instrument_change import as_held
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.symbol_history import SymbolPeriod, conflicting, history_problem

FIRST = date(2010, 1, 1)
SYMBOLS = ("AA", "BB", "CC")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@st.composite
def histories(draw: st.DrawFn) -> list[Listing]:
    """Listings whose symbols never name two at once."""
    taken: dict[tuple[str, int], int] = {}
    listings = []
    for number in range(draw(st.integers(1, 4))):
        cuts = sorted(draw(st.sets(st.integers(0, 30), min_size=2, max_size=4)))
        spans = list(pairwise(cuts))
        names: list[str] = []
        for begin, end in spans:
            free = [
                name
                for name in SYMBOLS
                if name not in names[-1:] and all((name, at) not in taken for at in range(begin, end))
            ]
            if not free:
                break
            names.append(draw(st.sampled_from(free)))
        if not names:
            continue
        for name, (begin, end) in zip(names, spans, strict=False):
            taken.update({(name, at): number for at in range(begin, end)})
        periods = [
            SymbolPeriod(name, "XNYS", day(a), day(b)) for name, (a, b) in zip(names, spans, strict=False)
        ]
        listings.append(
            Listing(
                symbol=names[-1],
                first_symbol=names[0],
                mic="XNYS",
                name=f"number {number}",
                listing_date=periods[0].from_date,
                delisting_date=day(spans[len(names) - 1][1] - 1),
                status=InstrumentStatus.DELISTED,
                former_symbols=tuple(periods[:-1]),
            )
        )
    return listings


@given(listings=histories(), symbol=st.sampled_from(SYMBOLS), on=st.integers(-1, 32))
def test_a_symbol_on_a_day_is_that_of_the_naive_model(listings: list[Listing], symbol: str, on: int) -> None:
    index = InstrumentIndex()
    for one in listings:
        assert history_problem(one.symbol_periods, listing_date=one.listing_date) == ""
        index.add(as_held(one), one.former_symbols)
    naive = [
        one.instrument_id
        for one in listings
        for period in one.symbol_periods
        if period.symbol == symbol and period.from_date <= day(on) and day(on) < (period.to_date or date.max)
    ]
    assert len(naive) <= 1
    assert [one.instrument_id for one in index.by_symbol(symbol, "", day(on))] == naive
    assert [one.instrument_id for one in index.by_symbol(symbol, "XLON", day(on))] == []


@given(
    listings=histories(),
    later=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(SYMBOLS), st.booleans()), max_size=6),
)
def test_what_is_put_in_the_place_of_another_is_found_as_if_it_alone_had_been_there(
    listings: list[Listing], later: list[tuple[int, str, bool]]
) -> None:
    index = InstrumentIndex()
    held = [(as_held(one), one.former_symbols) for one in listings]
    for one, former in held:
        assert index.put(one, former)
        assert not index.put(one, former)
    for place, symbol, with_ids in later:
        if place >= len(held):
            continue
        one, former = held[place]
        isin, figi = ("US0378331005", f"BBG00000000{place}") if with_ids else ("", "")
        changed = replace(one, symbol=symbol, isin=isin, figi=figi)
        held[place] = changed, former[:-1]
        index.put(*held[place])
    fresh = InstrumentIndex()
    for one, former in held:
        fresh.add(one, former)
    assert index.holds_same(fresh)
    for symbol in SYMBOLS:
        assert index.by_symbol(symbol) == fresh.by_symbol(symbol)
        assert index.formerly(symbol) == fresh.formerly(symbol)
        assert index.by_symbol(symbol, "", day(3)) == fresh.by_symbol(symbol, "", day(3))
    assert index.by_isin("US0378331005") == fresh.by_isin("US0378331005")
    for place in range(4):
        assert index.by_figi(f"BBG00000000{place}") == fresh.by_figi(f"BBG00000000{place}")


def instrument(symbol: str, status: InstrumentStatus, listed: int) -> Instrument:
    end = day(listed + 5) if status is InstrumentStatus.DELISTED else None
    return as_held(Listing(symbol, symbol, "XNYS", symbol, day(listed), status=status, delisting_date=end))


def test_without_a_day_what_is_listed_comes_before_what_is_not() -> None:
    old, new = instrument("AA", InstrumentStatus.DELISTED, 0), instrument("AA", InstrumentStatus.ACTIVE, 20)
    assert InstrumentIndex([old, new]).by_symbol("AA") == [new]
    assert InstrumentIndex([old]).by_symbol("AA") == [old]
    assert InstrumentIndex([old, new]).by_symbol("AA", "", day(3)) == [old]


def test_a_former_symbol_needs_a_day() -> None:
    now = instrument("META", InstrumentStatus.ACTIVE, 0)
    former = SymbolPeriod("FB", "XNYS", day(0), day(9))
    index = InstrumentIndex([now], {now.instrument_id: [former]})
    assert index.by_symbol("FB") == []
    assert index.by_symbol("FB", "", day(8)) == [now]
    assert index.by_symbol("FB", "", day(9)) == []
    assert index.by_symbol("META", "", day(8)) == []
    assert index.formerly("FB") == [(former, now)]


P = SymbolPeriod


@pytest.mark.parametrize(
    ("periods", "text"),
    [
        ([P("AA", "XNYS", day(1))], "begins on the listing date"),
        ([P("AA", "XNYS", day(0)), P("BB", "XNYS", day(5))], "has no last day"),
        ([P("AA", "XNYS", day(0), day(0)), P("BB", "XNYS", day(0))], "not after it began"),
        ([P("AA", "XNYS", day(0), day(6)), P("BB", "XNYS", day(5))], "overlap"),
        ([P("AA", "XNYS", day(0), day(4)), P("BB", "XNYS", day(5))], "no symbol from"),
        ([P("AA", "XNYS", day(0), day(4)), P("AA", "XNYS", day(4))], "follows itself"),
        ([P("AA", "XNYS", day(0), day(4)), P("BB", "XNYS", day(4), day(4))], "not after it began"),
    ],
)
def test_what_is_wrong_with_a_history(periods: list[SymbolPeriod], text: str) -> None:
    assert text in history_problem(periods, listing_date=day(0))


@given(a=st.integers(0, 9), b=st.integers(0, 9), c=st.integers(0, 9), d=st.integers(0, 9))
def test_periods_overlap_when_they_share_a_day(a: int, b: int, c: int, d: int) -> None:
    one, other = P("AA", "XNYS", day(a), day(b)), P("AA", "XNYS", day(c), day(d))
    shared = any(one.holds_on(day(at)) and other.holds_on(day(at)) for at in range(10))
    assert one.overlaps(other) == other.overlaps(one) == shared
    assert (conflicting([one], [other]) is other) == shared
