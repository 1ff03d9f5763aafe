"""Judging an order against an account's book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.risk.domain.book import FIRST_VERSION, ZERO, AccountBook
from services.risk.domain.cash import Held, cash_per_lot, cash_to_hold, held_lot
from services.risk.domain.limits import KillSwitch, Limits
from services.risk.domain.market import Instrument, ReferencePrice
from services.risk.domain.rules import OrderContext, evaluate, passes
from services.risk.domain.terms import Side, Terms, worst_price
from services.risk.domain.verdict import RuleResult
from services.runtime.steps import Steps

_MS: Final = 1_000_000
_SECOND_NS: Final = 1_000_000_000
_ONE: Final = Decimal(1)
_WHOLE: Final = Steps.of(_ONE)


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
    monotonic_ns: int
    """Now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, and what is held when it passed."""

    passed: bool
    results: list[RuleResult]
    reference: ReferencePrice | None
    worst_price: Decimal | None
    lot_size: Decimal
    """What cash is held by: see `held_lot`."""
    per_lot: Decimal
    """Cash a lot takes at most; zero for sells."""
    reserved_cash: Decimal
    reserved_quantity: Decimal


def judge(proposal: Proposal, book: AccountBook, around: Surroundings) -> Decision:
    """Evaluate every rule.

    A replace needs what the order holds already, which counts as free, and what new terms take beyond that.
    """
    terms, instrument = proposal.terms, proposal.instrument
    own = book.orders.get(proposal.order_id)
    own_cash, own_quantity, filled = (own.cash, own.quantity, own.filled) if own else (ZERO, ZERO, ZERO)
    remaining = max(terms.quantity - filled, ZERO)
    ticks, lot_size = (instrument.ticks, held_lot(instrument.lot_size)) if instrument else (_WHOLE, _ONE)
    reference = around.reference
    worst = worst_price(
        terms,
        reference=None if reference is None else reference.price,
        collar=around.limits.price_collar,
        ticks=ticks,
    )
    per_lot = _per_lot(terms, worst, lot_size, around.fee_per_share, book.currency)
    needed = None
    if per_lot is not None:
        versions = own.versions() if own else []
        needed = cash_to_hold([*versions, Held(remaining, per_lot, lot_size)])
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
            orders_last_second=sum(1 for _ in book.recent_since(around.monotonic_ns - _SECOND_NS)),
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
    since = around.monotonic_ns - around.limits.duplicate_window_ms * _MS
    for order in book.recent_since(since):
        if (
            order.instrument_id == proposal.instrument_id
            and order.terms == proposal.terms
            and order.request_id != proposal.request_id
        ):
            return max(0, (around.monotonic_ns - order.passed_ns) // _MS)
    return None
