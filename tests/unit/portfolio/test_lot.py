import dataclasses
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.portfolio.domain.lot import Holding, Trade, apply_trade
from services.portfolio.domain.money import posting_amount
from services.runtime.decimals import install_context, minor_unit

Fill = tuple[Decimal, Decimal, Decimal]  # signed quantity, price, fee


@pytest.fixture(autouse=True, scope="module")
def _context() -> None:
    install_context()


def decimals(places: int, top: str, bottom: str = "0") -> st.SearchStrategy[Decimal]:
    return st.decimals(bottom, top, places=places, allow_nan=False, allow_infinity=False)


quantities = st.one_of(
    st.integers(1, 500).map(Decimal),
    decimals(3, "100", "0.001"),
    decimals(9, "2", "0.000000001"),
).flatmap(lambda q: st.sampled_from([q, -q]))
fills = st.lists(st.tuples(quantities, decimals(9, "999.999999999"), decimals(4, "9.9999")), max_size=40)
currencies = st.sampled_from(["USD", "JPY", "KWD"])


def booked(sequence: list[Fill], currency: str) -> Iterator[tuple[Decimal, Holding]]:
    """Cash and holding after each fill."""
    cash, holding = Decimal(0), Holding()
    for number, (quantity, price, fee) in enumerate(sequence):
        amount = posting_amount(quantity, price, fee, currency)
        cash += amount
        holding = apply_trade(holding, Trade(f"f{number}", quantity, -amount, number), currency)
        yield cash, holding


@given(fills, currencies)
@settings(max_examples=150, deadline=None)
def test_cash_and_cost_and_realized_add_up_to_the_minor_unit_after_every_fill(
    sequence: list[Fill], currency: str
) -> None:
    for cash, holding in booked(sequence, currency):
        assert cash + holding.cost - holding.realized_pnl == 0
        for amount in (cash, holding.realized_pnl, *(lot.cost for lot in holding.lots)):
            assert amount == round(amount, minor_unit(currency))


@given(fills, currencies)
@settings(max_examples=150, deadline=None)
def test_quantity_is_the_sum_of_the_fills_and_lots_have_one_sign_and_are_in_order(
    sequence: list[Fill], currency: str
) -> None:
    held = Decimal(0)
    for (quantity, _, _), (_, holding) in zip(sequence, booked(sequence, currency), strict=True):
        held += quantity
        assert holding.quantity == held
        assert all(lot.quantity * held > 0 for lot in holding.lots)
        numbers = [lot.number for lot in holding.lots]
        assert numbers == sorted(set(numbers))


@dataclasses.dataclass
class NaiveLot:
    """A lot of the reference; `cost` in minor units."""

    fill_id: str
    quantity: Fraction
    cost: int


def naive_fifo(sequence: list[Fill], minor: int) -> tuple[list[NaiveLot], int]:
    """Integers of minor units and rationals, one queue, one loop: written apart from the code it judges."""

    def half_even(value: Fraction) -> int:
        return round(value)

    queue: deque[NaiveLot] = deque()
    realized = 0
    for number, (quantity, price, fee) in enumerate(sequence):
        left = Fraction(quantity)
        posted = half_even((Fraction(quantity) * Fraction(price) + Fraction(fee)) * 10**minor)
        in_queue = sum((lot.quantity for lot in queue), Fraction(0))
        if in_queue * left < 0:
            closing = min(abs(left), abs(in_queue))
            paid = posted if closing == abs(left) else half_even(posted * closing / abs(left))
            posted -= paid
            realized -= paid
            left = left + closing if left < 0 else left - closing
            while closing:
                lot = queue[0]
                if abs(lot.quantity) <= closing:
                    queue.popleft()
                    closing -= abs(lot.quantity)
                    realized -= lot.cost
                else:
                    part = half_even(lot.cost * closing / abs(lot.quantity))
                    lot.quantity += -closing if lot.quantity > 0 else closing
                    lot.cost -= part
                    realized -= part
                    closing = Fraction(0)
        if left:
            queue.append(NaiveLot(f"f{number}", left, posted))
    return list(queue), realized


@given(fills, currencies)
@settings(max_examples=150, deadline=None)
def test_lots_and_realized_equal_a_naive_first_in_first_out_reference(
    sequence: list[Fill], currency: str
) -> None:
    holding = [Holding(), *(after for _, after in booked(sequence, currency))][-1]
    minor = minor_unit(currency)
    queue, realized = naive_fifo(sequence, minor)
    assert [(lot.fill_id, Fraction(lot.quantity), lot.cost.scaleb(minor)) for lot in holding.lots] == [
        (lot.fill_id, lot.quantity, Decimal(lot.cost)) for lot in queue
    ]
    assert holding.realized_pnl.scaleb(minor) == realized


def test_a_sale_takes_the_oldest_lot_first_and_leaves_the_odd_cent_in_it() -> None:
    buy = apply_trade(Holding(), Trade("a", Decimal(3), Decimal("10.00"), 1), "USD")
    buy = apply_trade(buy, Trade("b", Decimal(3), Decimal("20.00"), 2), "USD")
    once = apply_trade(buy, Trade("c", Decimal(-1), Decimal("-5.00"), 3), "USD")
    assert (once.lots[0].quantity, once.lots[0].cost, once.realized_pnl) == (
        Decimal(2),
        Decimal("6.67"),
        Decimal("1.67"),
    )
    twice = apply_trade(once, Trade("d", Decimal(-3), Decimal("-30.00"), 4), "USD")
    assert [(lot.fill_id, lot.quantity, lot.cost) for lot in twice.lots] == [
        ("b", Decimal(2), Decimal("13.33"))
    ]
    assert twice.realized_pnl == Decimal("1.67") + Decimal("30.00") - Decimal("6.67") - Decimal("6.67")


def test_a_sale_of_more_than_is_held_opens_a_short_lot_that_a_buy_covers() -> None:
    held = apply_trade(Holding(), Trade("a", Decimal(2), Decimal("10.00"), 1), "USD")
    short = apply_trade(held, Trade("b", Decimal(-3), Decimal("-20.00"), 2), "USD")
    assert [(lot.fill_id, lot.quantity, lot.cost) for lot in short.lots] == [
        ("b", Decimal(-1), Decimal("-6.67"))
    ]
    assert short.realized_pnl == Decimal("3.33")
    covered = apply_trade(short, Trade("c", Decimal(1), Decimal("5.00"), 3), "USD")
    assert covered.lots == ()
    assert covered.realized_pnl == Decimal("3.33") + Decimal("1.67")
