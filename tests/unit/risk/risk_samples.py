"""Samples of the domain for tests of risk."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from services.risk.domain.book import Hold, HoldKey
from services.risk.domain.cash import Fill, cash_per_lot
from services.risk.domain.limits import Limits
from services.risk.domain.market import Instrument, ReferencePrice
from services.risk.domain.rules import OrderContext
from services.risk.domain.terms import OrderType, Side, Terms
from services.runtime.steps import Steps

FEE = Decimal("0.005")
D = Decimal
AAPL = Instrument(
    instrument_id="aapl",
    symbol="AAPL",
    mic="XNAS",
    currency="USD",
    ticks=Steps.of(D("0.01")),
    lot_size=D(1),
    is_tradable=True,
    status="active",
)


def limit_terms(side: Side = Side.BUY, quantity: object = 10, price: object = "100") -> Terms:
    return Terms(side, OrderType.LIMIT, D(str(quantity)), limit_price=D(str(price)))


def market_terms(side: Side = Side.BUY, quantity: object = 10) -> Terms:
    return Terms(side, OrderType.MARKET, D(str(quantity)))


def context(**changes: Any) -> OrderContext:
    """A context in which every rule passes: a buy of 10 at 100, reference 100, 10,000 in cash."""
    sample = OrderContext(
        terms=limit_terms(),
        currency="USD",
        instrument=AAPL,
        reference=ReferencePrice(D(100), age_ms=5, is_stale=False),
        worst_price=D(100),
        remaining=D(10),
        cash_needed=D("1000.10"),
        cash_available=D(10_000),
        position=D(0),
        open_same_side=D(0),
        orders_last_second=0,
        twin_age_ms=None,
        kill_switch=None,
        limits=Limits(),
    )
    return replace(sample, **changes)


def hold_for(
    terms: Terms,
    order_id: str,
    *,
    version: int = 1,
    attempt: int = 1,
    request_id: str = "r",
    worst: Decimal | None = None,
    fee: Decimal = FEE,
) -> Hold:
    """A hold as a decision makes it."""
    price = worst if worst is not None else terms.limit_price
    per_lot = D(0)
    if terms.side is Side.BUY:
        assert price is not None
        per_lot = cash_per_lot(worst_price=price, fee_per_share=fee, lot_size=D(1), currency="USD")
    return Hold(HoldKey(order_id, version, attempt), request_id, terms, D(1), per_lot, b"", asked_ns=0)


def fill_of(
    order_id: str, execution_id: str, side: Side, quantity: object, price: object, fee: object = "0"
) -> Fill:
    return Fill(
        venue="XSIM",
        execution_id=execution_id,
        order_id=order_id,
        account_id="acc",
        instrument_id="aapl",
        side=side,
        quantity=D(str(quantity)),
        price=D(str(price)),
        fee=D(str(fee)),
        currency="USD",
    )
