from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portfolio.domain.valuation import Mark, mark_price, unrealized_pnl, worth
from services.runtime.decimals import install_context, round_money


@pytest.fixture(autouse=True, scope="module")
def _context() -> None:
    install_context()


def mark(price: str, *, stale: bool = False) -> Mark:
    return Mark(Decimal(price), stale, 0)


@pytest.mark.parametrize(
    ("bid", "ask", "last", "price"),
    [
        (0.1, 0.2, 9.0, "0.15"),  # the doubles' own middle is 0.15000000000000002
        (10.01, 10.02, 0.0, "10.015"),
        (0.0, 10.02, 10.5, "10.5"),
        (10.01, 0.0, 10.5, "10.5"),
        (0.0, 0.0, 0.1, "0.1"),
        (0.0, 1.0, 0.0, None),
    ],
)
def test_mark_price(bid: float, ask: float, last: float, price: str | None) -> None:
    assert mark_price(bid, ask, last) == (None if price is None else Decimal(price))


def test_unrealized_is_rounded_half_even_and_needs_a_mark() -> None:
    assert unrealized_pnl(Decimal(1), Decimal("10.00"), mark("10.005"), "USD") == Decimal("0.00")
    assert unrealized_pnl(Decimal(-1), Decimal("-10.00"), mark("9.985"), "USD") == Decimal("0.02")
    assert unrealized_pnl(Decimal(1), Decimal("10.00"), None, "USD") is None


def test_worth_is_empty_when_a_mark_of_something_held_is_missing() -> None:
    held, flat = (Decimal(2), Decimal("10.00"), None), (Decimal(0), Decimal(0), None)
    assert worth([flat], "USD").market_value == 0
    assert worth([held, flat], "USD").market_value is None
    assert worth([held], "USD").unrealized_pnl is None


def test_worth_is_stale_when_a_mark_of_something_held_is() -> None:
    fresh = (Decimal(2), Decimal("10.00"), mark("5"))
    stale = (Decimal(1), Decimal("10.00"), mark("5", stale=True))
    flat = (Decimal(0), Decimal(0), mark("5", stale=True))
    assert not worth([fresh, flat], "USD").is_stale
    assert worth([fresh, stale], "USD").is_stale


@given(
    st.lists(
        st.tuples(
            st.decimals(-100, 100, places=3),
            st.decimals(-1000, 1000, places=2),
            st.decimals("0.0001", 500, places=4).map(lambda price: Mark(price, False, 0)),
        )
    )
)
def test_market_value_is_cost_and_unrealized_and_within_a_tie_of_quantity_times_mark(
    positions: list[tuple[Decimal, Decimal, Mark]],
) -> None:
    total = worth(positions, "USD")
    held = [position for position in positions if position[0]]
    assert total.market_value is not None
    assert total.unrealized_pnl is not None
    assert total.market_value == sum(cost for _, cost, _ in held) + total.unrealized_pnl
    off = total.market_value - sum(q * m.price for q, _, m in held)
    assert abs(off) <= Decimal("0.005") * len(held)
    assert round_money(total.market_value, "USD") == total.market_value
