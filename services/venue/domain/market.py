"""One instrument's market: its book, its waiting stops, and how users' orders act in it."""

from __future__ import annotations

from services.venue.domain.book import Book
from services.venue.domain.events import Liquidity
from services.venue.domain.journal import Journal
from services.venue.domain.matching import Match, collar_limit, is_fillable, sweep
from services.venue.domain.order import CancelReason, Order, OrderStatus, Side, TimeInForce
from services.venue.domain.price import Instrument
from services.venue.domain.stops import StopBook


class Market:
    """The order-driven part of one instrument; `generator.Generator` is the part that is replayed.

    Every method writes its events to the journal. `last` is the last traded price in units of 0.0001, None
    before the first trade ever.
    """

    def __init__(self, instrument: Instrument, journal: Journal) -> None:
        self.instrument = instrument
        self.journal = journal
        self.book = Book()
        self.stops = StopBook()
        self.working: dict[str, Order] = {}
        self.last: int | None = None
        self.worst_shown: dict[Side, tuple[int, int]] = {}
        self._high: int = 0
        self._low: int = 0

    def accept(self, order: Order) -> None:
        """Take in a new order and let it act."""
        self.working[order.order_id] = order
        self.journal.accepted(order)
        self._enter(order)
        self.run_stops()

    def carry(self, order: Order) -> None:
        """Put back an order that rested or waited when the last session closed."""
        self.working[order.order_id] = order
        if order.waits_for_trigger:
            self.stops.add(order)
        else:
            self.book.rest(order)

    def cancel(self, order: Order) -> None:
        """Cancel a working order at its owner's wish."""
        self._take_out(order)
        self._finish(order, CancelReason.REQUESTED)

    def replace(
        self, order: Order, *, quantity: int, limit_price: int | None, stop_price: int | None
    ) -> None:
        """Give a working order new terms. Only a smaller quantity alone keeps the order's place in time."""
        keeps_place = (
            quantity <= order.quantity and limit_price == order.limit_price and stop_price == order.stop_price
        )
        if keeps_place:
            self._reduce_in_place(order, quantity)
            self.journal.replaced(order)
            return
        self._take_out(order)
        order.quantity, order.limit_price, order.stop_price = quantity, limit_price, stop_price
        order.priority = self.journal.new_priority()
        order.queue_ahead = 0
        self.journal.replaced(order)
        self._enter(order)
        self.run_stops()

    def expire_day_orders(self) -> None:
        """End the DAY orders of the session that closes, oldest first."""
        for order in sorted(self.working.values(), key=lambda order: order.priority):
            if order.time_in_force is TimeInForce.DAY:
                self._take_out(order)
                del self.working[order.order_id]
                self.journal.expired(order)

    def trade_with_users(self, matches: list[Match], aggressor: Side) -> None:
        """Record trades in which generated flow met users' orders."""
        for match in matches:
            if match.maker is None:
                raise ValueError("generated flow does not trade with generated flow")
            self._record(match, taker=None, aggressor=aggressor)

    def note_trade(self, price: int) -> None:
        """Remember a traded price, for the collar and the stops."""
        self.last = price
        self._high = max(self._high, price) if self._high else price
        self._low = min(self._low, price) if self._low else price

    def run_stops(self) -> None:
        """Release the stops that trades have reached, and those which their own trades reach in turn."""
        if self.last is None:
            return
        while (
            order := self.stops.pop_triggered(self._high or self.last, self._low or self.last)
        ) is not None:
            order.priority = self.journal.new_priority()
            self.journal.triggered(order)
            self._enter(order)
        self._high = self._low = 0

    def _enter(self, order: Order) -> None:
        """Let an order that is in no queue act: wait for its stop, or trade and rest or end."""
        if order.waits_for_trigger:
            self.stops.add(order)
            return
        resting = self.book.side(order.side.opposite)
        limit = self._reach(order)
        if order.time_in_force is TimeInForce.FILL_OR_KILL and not is_fillable(
            resting, order.unfilled, limit, order.account_id
        ):
            self._finish(order, CancelReason.NOT_FILLABLE)
            return
        swept = sweep(resting, order.unfilled, limit, order.account_id)
        for match in swept.matches:
            order.fill(match.price, match.quantity)
            self._record(match, taker=order, aggressor=order.side)
        if order.status is OrderStatus.FILLED:
            del self.working[order.order_id]
        elif swept.self_trade:
            self._finish(order, CancelReason.SELF_TRADE)
        elif order.limit_price is None:
            self._finish(order, CancelReason.COLLAR)
        elif order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            self._finish(order, CancelReason.IMMEDIATE_REMAINDER)
        else:
            self._rest(order)

    def _reach(self, order: Order) -> int:
        """Return the worst price the order may trade at."""
        if order.limit_price is not None:
            return order.limit_price
        if self.last is None:
            raise ValueError("a market order before the first trade")
        return collar_limit(order.side, self.last, self.instrument.tick)

    def _rest(self, order: Order) -> None:
        """Rest the order; beyond the levels shown, the book is taken to be as deep as at the last one."""
        side = self.book.side(order.side)
        shown = self.worst_shown.get(order.side)
        if (
            shown is not None
            and order.limit_price not in side.levels
            and order.limit_price is not None
            and order.limit_price != shown[0]
            and side.reaches(shown[0], order.limit_price)
        ):
            order.queue_ahead = shown[1]
        self.book.rest(order)

    def _record(self, match: Match, taker: Order | None, aggressor: Side) -> None:
        trade_id = self.journal.trade(
            self.instrument.instrument_id, match.price, match.quantity, aggressor, synthetic=False
        )
        self.note_trade(match.price)
        if match.maker is not None:
            self.journal.filled(
                match.maker,
                trade_id,
                match.price,
                match.quantity,
                Liquidity.MAKER,
                against_synthetic=taker is None,
            )
            if not match.maker.unfilled:
                del self.working[match.maker.order_id]
        if taker is not None:
            self.journal.filled(
                taker,
                trade_id,
                match.price,
                match.quantity,
                Liquidity.TAKER,
                against_synthetic=match.maker is None,
            )

    def _take_out(self, order: Order) -> None:
        if order.waits_for_trigger:
            self.stops.remove(order)
        else:
            self.book.remove(order)

    def _reduce_in_place(self, order: Order, quantity: int) -> None:
        if not order.waits_for_trigger and order.limit_price is not None:
            self.book.side(order.side).levels[order.limit_price].user -= order.quantity - quantity
        order.quantity = quantity

    def _finish(self, order: Order, reason: CancelReason) -> None:
        del self.working[order.order_id]
        self.journal.cancelled(order, reason)
