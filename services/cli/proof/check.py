"""Compares the venue's record, execution's and portfolio's, recomputing cash and holdings from the fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

_CENT = Decimal("0.01")
# Said in full: what is left out would be whatever another part of the process has made the default.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True)
class FillRecord:
    """One fill as the venue or execution recorded it. Decimals are exact."""

    execution_id: str
    order_id: str
    instrument_id: str
    is_buy: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True)
class OrderRecord:
    """One order as the venue or execution recorded it."""

    order_id: str
    request_id: str
    """Empty in the venue's record, which does not know it."""
    filled: Decimal
    reached_venue: bool
    """False for what risk refused: the venue must not know it."""


@dataclass(frozen=True)
class Records:
    """Everything there is to compare, for one account."""

    deposits: Decimal
    cash: Decimal
    """As portfolio has it."""
    holdings: dict[str, Decimal]
    """Quantity by instrument, as portfolio has it."""
    venue_orders: Sequence[OrderRecord]
    venue_fills: Sequence[FillRecord]
    orders: Sequence[OrderRecord]
    """As execution has them."""
    fills: Sequence[FillRecord]
    """As execution has them."""
    events: Sequence[tuple[int, int]]
    """(sequence, previous sequence) of the order events as a stream delivered them, first to last."""


@dataclass(frozen=True)
class Proof:
    """Differences; all are zero when every record agrees."""

    cash_difference: Decimal
    holdings_difference: Decimal
    orders_missing: int
    orders_duplicated: int
    event_gaps: int

    @property
    def holds(self) -> bool:
        """True when nothing differs."""
        return not (
            self.cash_difference
            or self.holdings_difference
            or self.orders_missing
            or self.orders_duplicated
            or self.event_gaps
        )


def check(records: Records) -> Proof:
    """Compare the records; differences are the largest found between any two ways of reckoning."""
    recomputed = [
        (recompute_cash(records.deposits, fills), recompute_holdings(fills))
        for fills in (records.venue_fills, records.fills)
    ]
    return Proof(
        cash_difference=max(abs(records.cash - cash) for cash, _ in recomputed),
        holdings_difference=max(_distance(records.holdings, holdings) for _, holdings in recomputed),
        orders_missing=_missing(records),
        orders_duplicated=_duplicated(records),
        event_gaps=_gaps(records.events),
    )


def recompute_cash(deposits: Decimal, fills: Iterable[FillRecord]) -> Decimal:
    """Deposits less purchases plus sales with fees, rounded half-even to the cent fill by fill."""
    cash = deposits
    for fill in fills:
        notional = _CONTEXT.multiply(fill.quantity, fill.price)
        paid = notional if fill.is_buy else -notional
        amount = _CONTEXT.minus(_CONTEXT.add(paid, fill.fee))
        cash = _CONTEXT.add(cash, _CONTEXT.quantize(amount, _CENT))
    return cash


def recompute_holdings(fills: Iterable[FillRecord]) -> dict[str, Decimal]:
    """Bought less sold, by instrument."""
    holdings: dict[str, Decimal] = {}
    for fill in fills:
        signed = fill.quantity if fill.is_buy else -fill.quantity
        holdings[fill.instrument_id] = holdings.get(fill.instrument_id, Decimal(0)) + signed
    return holdings


def _distance(left: dict[str, Decimal], right: dict[str, Decimal]) -> Decimal:
    zero = Decimal(0)
    return sum((abs(left.get(key, zero) - right.get(key, zero)) for key in left.keys() | right.keys()), zero)


def _missing(records: Records) -> int:
    """Orders and fills that one side has and the other has not, and orders filled otherwise than there."""
    there = {order.order_id: order.filled for order in records.venue_orders}
    here = {order.order_id: order.filled for order in records.orders if order.reached_venue}
    unequal = sum(1 for order_id in there.keys() & here.keys() if there[order_id] != here[order_id])
    fills = {fill.execution_id for fill in records.venue_fills} ^ {
        fill.execution_id for fill in records.fills
    }
    return len(there.keys() ^ here.keys()) + unequal + len(fills)


def _duplicated(records: Records) -> int:
    keys = [
        [order.order_id for order in records.venue_orders],
        [order.order_id for order in records.orders],
        [order.request_id for order in records.orders],
        [fill.execution_id for fill in records.venue_fills],
        [fill.execution_id for fill in records.fills],
    ]
    return sum(count - 1 for column in keys for count in Counter(column).values() if count > 1)


def _gaps(events: Sequence[tuple[int, int]]) -> int:
    """Places where an event does not follow the one it names: lost, doubled or out of order."""
    gaps = 0
    last = 0
    for sequence, previous in events:
        if previous != last or sequence <= last:
            gaps += 1
        last = sequence
    return gaps
