"""What an entry of execution's order log does to a book."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from services.risk.domain.book import FIRST_VERSION, AccountBook, HeldOrder, Hold
from services.risk.domain.cash import Fill
from services.risk.domain.terms import Terms


class ReplaceStep(Enum):
    """What an entry says about new terms."""

    NONE = auto()
    REQUESTED = auto()
    DONE = auto()
    REJECTED = auto()


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One entry of the log, as far as risk cares."""

    order_id: str
    account_id: str
    terms: Terms
    """The order's present terms."""
    has_ended: bool
    replace: ReplaceStep = ReplaceStep.NONE
    fill: Fill | None = None


def lacks_hold(book: AccountBook, change: OrderChange) -> bool:
    """Whether a live order holds nothing, or not for its terms: a hold was given up that should not be."""
    if change.has_ended:
        return False
    order = book.orders.get(change.order_id)
    if order is None:
        return True
    if change.replace is ReplaceStep.REQUESTED:
        return _next_replace(order) is None
    return change.replace is ReplaceStep.DONE and not _in_force(order, change.terms)


def apply_change(book: AccountBook, change: OrderChange) -> list[Hold]:
    """Enter a change whose fill, if any, is new; returns the order's holds as they were before it.

    A final state gives everything back. A replace that is done gives back all terms but those in force, one
    that was rejected the terms it asked for. A later replace, not in the log yet, is left alone.
    """
    if change.fill is not None:
        book.fill(change.fill)
    order = book.orders.get(change.order_id)
    if order is None:
        return []
    touched = list(order.holds)
    for hold in touched:
        if hold.key.terms_version == FIRST_VERSION:
            book.confirm(hold)
    if change.replace is ReplaceStep.REQUESTED:
        asked = _next_replace(order)
        if asked is not None:
            book.confirm(asked)
    elif change.replace is not ReplaceStep.NONE:
        _settle_replace(book, order, change.terms)
    if change.has_ended:
        for hold in touched:
            book.drop_hold(hold)
    return touched


def _settle_replace(book: AccountBook, order: HeldOrder, terms: Terms) -> None:
    in_force = _in_force(order, terms)
    if not in_force:
        return  # what is in force is not held for: give nothing back
    for hold in in_force:
        book.confirm(hold)
    for hold in list(order.holds):
        if hold.confirmed and hold not in in_force:
            book.drop_hold(hold)


def _in_force(order: HeldOrder, terms: Terms) -> list[Hold]:
    return [hold for hold in order.holds if hold.terms == terms]


def _next_replace(order: HeldOrder) -> Hold | None:
    """The oldest replace that execution has not recorded yet."""
    return next(
        (hold for hold in order.holds if hold.key.terms_version > FIRST_VERSION and not hold.confirmed), None
    )
