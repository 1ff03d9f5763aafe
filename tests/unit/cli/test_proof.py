"""The proof must fail for every kind of error it is there to find."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.cli.proof import Records, check
from services.cli.proof.check import FillRecord, OrderRecord

BUY = FillRecord("x1", "o1", "i1", True, Decimal(10), Decimal("100.125"), Decimal("0.05"))
SELL = FillRecord("x2", "o2", "i1", False, Decimal(4), Decimal("101.30"), Decimal("0.02"))
# Deposits 5,000.00; the buy costs 1,001.30, the sale brings 405.18.
TRUE = Records(
    deposits=Decimal("5000.00"),
    cash=Decimal("4403.88"),
    holdings={"i1": Decimal(6)},
    venue_orders=[OrderRecord("o1", "", Decimal(10), True), OrderRecord("o2", "", Decimal(4), True)],
    venue_fills=[BUY, SELL],
    orders=[
        OrderRecord("o1", "r1", Decimal(10), True),
        OrderRecord("o2", "r2", Decimal(4), True),
        OrderRecord("o3", "r3", Decimal(0), False),
    ],
    fills=[BUY, SELL],
    events=[(1, 0), (2, 1), (5, 2)],
)


def test_records_that_agree_hold() -> None:
    proof = check(TRUE)
    assert proof.holds
    assert proof.cash_difference == 0


def test_a_planted_cent_is_found() -> None:
    proof = check(replace(TRUE, cash=TRUE.cash + Decimal("0.01")))
    assert not proof.holds
    assert proof.cash_difference == Decimal("0.01")


def test_a_cent_off_in_one_of_the_two_fill_records_is_found() -> None:
    wrong = replace(SELL, price=SELL.price + Decimal("0.0025"))
    proof = check(replace(TRUE, fills=[BUY, wrong]))
    assert proof.cash_difference == Decimal("0.01")


def test_a_planted_duplicate_order_is_found() -> None:
    proof = check(replace(TRUE, venue_orders=[*TRUE.venue_orders, TRUE.venue_orders[0]]))
    assert not proof.holds
    assert proof.orders_duplicated == 1


def test_a_request_that_made_two_orders_is_found() -> None:
    twin = OrderRecord("o4", "r1", Decimal(0), True)
    proof = check(
        replace(
            TRUE,
            orders=[*TRUE.orders, twin],
            venue_orders=[*TRUE.venue_orders, OrderRecord("o4", "", Decimal(0), True)],
        )
    )
    assert proof.orders_duplicated == 1


def test_a_fill_posted_twice_is_found_in_cash_and_holdings() -> None:
    proof = check(replace(TRUE, venue_fills=[BUY, SELL, SELL]))
    assert proof.orders_duplicated == 1
    assert proof.cash_difference == Decimal("405.18")
    assert proof.holdings_difference == 4


@pytest.mark.parametrize(
    "records",
    [
        replace(TRUE, venue_orders=TRUE.venue_orders[:1]),
        replace(TRUE, orders=TRUE.orders[1:]),
        replace(TRUE, venue_orders=[*TRUE.venue_orders, OrderRecord("o3", "", Decimal(0), True)]),
        replace(TRUE, orders=[replace(TRUE.orders[0], filled=Decimal(9)), *TRUE.orders[1:]]),
        replace(TRUE, fills=[BUY, replace(SELL, execution_id="x9")]),
    ],
    ids=["lost at the venue", "lost here", "refused, yet sent", "filled otherwise", "another fill"],
)
def test_lost_or_unequal_orders_and_fills_are_found(records: Records) -> None:
    proof = check(records)
    assert not proof.holds
    assert proof.orders_missing > 0


@pytest.mark.parametrize(
    "events",
    [[(1, 0), (5, 2)], [(1, 0), (1, 0), (2, 1)], [(2, 0), (1, 2)], [(2, 1)]],
    ids=["lost", "doubled", "out of order", "the first lost"],
)
def test_gaps_in_the_events_are_found(events: list[tuple[int, int]]) -> None:
    proof = check(replace(TRUE, events=events))
    assert not proof.holds
    assert proof.event_gaps > 0


def test_holdings_off_by_a_share_are_found() -> None:
    assert check(replace(TRUE, holdings={"i1": Decimal(7)})).holdings_difference == 1
    assert check(replace(TRUE, holdings={"i1": Decimal(6), "i2": Decimal(1)})).holdings_difference == 1
