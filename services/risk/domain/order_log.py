"""What an entry of execution's order log does to a book."""

from __future__ import annotations

from collections.abc import Sequence
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
    terms_version: int = FIRST_VERSION
    """Of these terms; new ones that are asked for are the next."""
    replace: ReplaceStep = ReplaceStep.NONE
    fill: Fill | None = None


def lacks_hold(book: AccountBook, change: OrderChange) -> bool:
    """Whether a live order does not hold for its terms, or for those asked for: given up wrongly."""
    if change.has_ended:
        return False
    order = book.orders.get(change.order_id)
    if order is None or not _in_force(order, change.terms):
        return True
    return change.replace is ReplaceStep.REQUESTED and _asked(order, change) is None


def lost_holds(book: AccountBook, change: OrderChange, granted: Sequence[Hold]) -> list[Hold]:
    """What must be held again where `lacks_hold`; `granted` are the order's holds so far, oldest first.

    That is what execution's log had not told of when it was given up, and for terms in force the newest hold,
    even if the log had settled it: a venue may put terms in force that it has refused before. An order that
    holds nothing and was confirmed has ended, for only that gives back what is in force; its old entries,
    told again, bring nothing back.
    """
    order = book.orders.get(change.order_id)
    if order is None:
        return [hold for hold in granted if not hold.confirmed]
    given_up = [hold for hold in granted if hold not in order.holds]
    newest: list[Hold] = []
    if not _in_force(order, change.terms):
        newest = [hold for hold in given_up if hold.terms == change.terms][-1:]
    return [hold for hold in given_up if hold in newest or not hold.confirmed]


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
        asked = _asked(order, change)
        if asked is not None:
            book.confirm(asked)
    elif change.replace is not ReplaceStep.NONE:
        _settle_replace(book, order, change)
    if change.has_ended:
        for hold in touched:
            book.drop_hold(hold)
    return touched


def _settle_replace(book: AccountBook, order: HeldOrder, change: OrderChange) -> None:
    in_force = _in_force(order, change.terms)
    if not in_force:
        return  # what is in force is not held for: give nothing back
    for hold in in_force:
        if hold.key.terms_version <= change.terms_version:  # a later version is the log's to confirm yet
            book.confirm(hold)
    for hold in list(order.holds):
        if hold.confirmed and hold not in in_force:
            book.drop_hold(hold)


def _in_force(order: HeldOrder, terms: Terms) -> list[Hold]:
    return [hold for hold in order.holds if hold.terms == terms]


def _asked(order: HeldOrder, change: OrderChange) -> Hold | None:
    """The hold for new terms that are asked for: the oldest of their version that the log has not told."""
    version = change.terms_version + 1
    return next(
        (hold for hold in order.holds if hold.key.terms_version == version and not hold.confirmed), None
    )
