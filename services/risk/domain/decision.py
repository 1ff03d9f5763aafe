"""Judging an order against an account's book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.risk.domain.book import FIRST_VERSION, ZERO, AccountBook
from services.risk.domain.cash import cash_for, cash_per_lot
from services.risk.domain.limits import KillSwitch, Limits
from services.risk.domain.market import Instrument, ReferencePrice
from services.risk.domain.rules import OrderContext, evaluate, passes
from services.risk.domain.terms import Side, Terms, worst_price
from services.risk.domain.verdict import RuleResult

_MS: Final = 1_000_000
_SECOND_NS: Final = 1_000_000_000
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order to be judged; a dry run has neither order_id nor request_id."""

    account_id: str
    terms: Terms
    instrument_id: str
    instrument: Instrument | None
    order_id: str = ""
    request_id: str = ""
    terms_version: int = 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What besides the account's book decides."""

    limits: Limits
    kill_switch: KillSwitch | None
    reference: ReferencePrice | None
    fee_per_share: Decimal
    now_ns: int
    """Wall clock."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, and what is held when it passed."""

    passed: bool
    results: list[RuleResult]
    reference: ReferencePrice | None
    worst_price: Decimal | None
    lot_size: Decimal
    per_lot: Decimal
    """Cash a lot takes at most; zero for sells."""
    reserved_cash: Decimal
    reserved_quantity: Decimal


def judge(proposal: Proposal, book: AccountBook, around: Surroundings) -> Decision:
    """Evaluate every rule. What the order itself holds already, in a replace, counts as free."""
    terms, instrument = proposal.terms, proposal.instrument
    own = book.orders.get(proposal.order_id)
    own_cash, own_quantity, filled = (own.cash, own.quantity, own.filled) if own else (ZERO, ZERO, ZERO)
    remaining = max(terms.quantity - filled, ZERO)
    tick_size, lot_size = (instrument.tick_size, instrument.lot_size) if instrument else (_ONE, _ONE)
    reference = around.reference
    worst = worst_price(
        terms,
        reference=None if reference is None else reference.price,
        collar=around.limits.price_collar,
        tick_size=tick_size,
    )
    per_lot = _per_lot(terms, worst, lot_size, around.fee_per_share, book.currency)
    needed = None if per_lot is None else cash_for(remaining, per_lot=per_lot, lot_size=lot_size)
    results = evaluate(
        OrderContext(
            terms=terms,
            currency=book.currency,
            instrument=instrument,
            reference=reference,
            worst_price=worst,
            remaining=remaining,
            cash_needed=needed,
            cash_available=book.cash - (book.reserved - own_cash),
            position=book.position(proposal.instrument_id),
            open_same_side=book.open_quantity(proposal.instrument_id, terms.side) - own_quantity,
            orders_last_second=sum(1 for _ in book.recent_since(around.now_ns - _SECOND_NS)),
            twin_age_ms=_twin_age_ms(proposal, book, around),
            kill_switch=around.kill_switch,
            limits=around.limits,
        )
    )
    passed = passes(results)
    return Decision(
        passed=passed,
        results=results,
        reference=reference,
        worst_price=worst,
        lot_size=lot_size,
        per_lot=per_lot or ZERO,
        reserved_cash=(needed or ZERO) if passed else ZERO,
        reserved_quantity=remaining if passed and terms.side is Side.SELL else ZERO,
    )


def _per_lot(
    terms: Terms, worst: Decimal | None, lot_size: Decimal, fee_per_share: Decimal, currency: str
) -> Decimal | None:
    if terms.side is Side.SELL:
        return ZERO
    if worst is None:
        return None
    return cash_per_lot(worst_price=worst, fee_per_share=fee_per_share, lot_size=lot_size, currency=currency)


def _twin_age_ms(proposal: Proposal, book: AccountBook, around: Surroundings) -> int | None:
    if proposal.terms_version > FIRST_VERSION:
        return None
    since = around.now_ns - around.limits.duplicate_window_ms * _MS
    for order in book.recent_since(since):
        if (
            order.instrument_id == proposal.instrument_id
            and order.terms == proposal.terms
            and order.request_id != proposal.request_id
        ):
            return max(0, (around.now_ns - order.decided_ns) // _MS)
    return None
