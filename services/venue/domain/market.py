"""One instrument's market: its book, its waiting stops, and how users' orders act in it."""

from __future__ import annotations

from datetime import date

from services.venue.domain.book import Book
from services.venue.domain.events import BookChanged, Liquidity, TradePrinted
from services.venue.domain.journal import Journal
from services.venue.domain.matching import (
    BAND_PERCENT,
    COLLAR_PERCENT,
    Match,
    is_fillable,
    sweep,
    worst_within,
)
from services.venue.domain.order import (
    CancelReason,
    EngineTerms,
    Order,
    OrderStatus,
    OrderTerms,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from services.venue.domain.price import Instrument
from services.venue.domain.replay import LEVELS
from services.venue.domain.stops import StopBook


class Market:
    """The order-driven part of one instrument; `generator.Generator` is the part that is replayed.

    Every method writes its events to the journal. `last` is the last traded price in units of 0.0001, None
    before the first trade ever; `trading` tells whether a session of the instrument is open.
    """

    def __init__(self, instrument: Instrument, journal: Journal) -> None:
        self.instrument = instrument
        self.book = Book()
        self.stops = StopBook()
        self.working: dict[str, Order] = {}
        self.last: int | None = None
        self.trading = False
        self.worst_shown: dict[Side, tuple[int, int]] = {}
        self._journal = journal
        self._session_date = date.min
        self._trades = 0
        self._high = 0
        self._low = 0

    def open(self, session_date: date) -> None:
        """Begin a session."""
        self.trading = True
        self._session_date = session_date
        self._trades = 0

    def refusal(self, order: Order) -> RejectReason | None:
        """Return why a new order is refused, or None."""
        if not self.trading or self.last is None:
            return RejectReason.MARKET_CLOSED
        if self.is_outside_band(order.side, order.limit_price):
            return RejectReason.PRICE_BAND
        if order.waits_for_trigger:
            return None
        resting = self.book.side(order.side.opposite)
        if order.terms.order_type is OrderType.MARKET and resting.best is None:
            return RejectReason.NO_LIQUIDITY
        if order.time_in_force is TimeInForce.FILL_OR_KILL and not self._is_fillable(order):
            return RejectReason.NO_LIQUIDITY
        return None

    def is_outside_band(self, side: Side, limit_price: int | None) -> bool:
        """Tell whether a limit lies so far through the last trade that it must be a mistake."""
        if limit_price is None or self.last is None:
            return False
        bound = worst_within(side, self.last, BAND_PERCENT)
        return limit_price > bound if side is Side.BUY else limit_price < bound

    def accept(self, order: Order) -> None:
        """Take in a new order and let it act."""
        self.working[order.order_id] = order
        self._journal.accepted(order)
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

    def replace(self, order: Order, terms: OrderTerms, engine_terms: EngineTerms) -> None:
        """Give an order new terms; only a smaller quantity at the same prices keeps its place in time."""
        keeps_place = (
            engine_terms.quantity <= order.quantity
            and engine_terms.limit_price == order.limit_price
            and (order.triggered or engine_terms.stop_price == order.stop_price)
        )
        if not keeps_place:
            self._take_out(order)
        elif not order.waits_for_trigger:
            self.book.shrink(order, order.quantity - engine_terms.quantity)
        order.terms, order.engine_terms = terms, engine_terms
        order.terms_version += 1
        if not keeps_place:
            order.priority = self._journal.new_priority()
            order.queue_ahead = 0
        self._journal.replaced(order)
        if not keeps_place:
            self._enter(order)
            self.run_stops()

    def expire(self, *, all_orders: bool) -> None:
        """End what does not outlive the session, oldest first; with `all_orders` also GTC orders."""
        for order in sorted(self.working.values(), key=lambda order: order.priority):
            if all_orders or order.time_in_force is not TimeInForce.GOOD_TILL_CANCELLED:
                self._take_out(order)
                del self.working[order.order_id]
                self._journal.expired(order)

    def trade_with_users(self, matches: list[Match], aggressor: Side) -> None:
        """Record trades in which generated flow met users' orders."""
        for match in matches:
            self._record(match, taker=None, aggressor=aggressor)

    def print_trade(
        self, price: int, quantity: int, aggressor: Side, *, synthetic: bool, session_end: bool = False
    ) -> int:
        """Print a trade, remember its price for the collar and the stops, and return its number."""
        self._trades += 1
        self.last = price
        self._high = max(self._high, price)
        self._low = min(self._low or price, price)
        self._journal.events.append(
            TradePrinted(
                self._journal.now_ns,
                self.instrument.instrument_id,
                self._session_date,
                self._trades,
                price,
                quantity,
                aggressor,
                synthetic,
                session_end,
            )
        )
        return self._trades

    def show_book(self) -> None:
        """Tell the market how the book stands."""
        self._journal.events.append(self.state())

    def state(self) -> BookChanged:
        """Return how the book stands."""
        return BookChanged(
            self._journal.now_ns,
            self.instrument.instrument_id,
            self.book.bids.depth(LEVELS),
            self.book.asks.depth(LEVELS),
            self.last,
            self.trading,
        )

    def run_stops(self) -> None:
        """Release the stops that trades have reached, and those which their own trades reach in turn."""
        if self.last is None:
            return
        while (
            order := self.stops.pop_triggered(self._high or self.last, self._low or self.last)
        ) is not None:
            order.priority = self._journal.new_priority()
            self._journal.triggered(order)
            self._enter(order)
        self._high = self._low = 0

    def _enter(self, order: Order) -> None:
        """Let an order that is in no queue act: wait for its stop, or trade and rest or end."""
        if order.waits_for_trigger:
            self.stops.add(order)
            return
        if order.time_in_force is TimeInForce.FILL_OR_KILL and not self._is_fillable(order):
            self._finish(order, CancelReason.NOT_FILLABLE)
            return
        swept = sweep(
            self.book.side(order.side.opposite), order.unfilled, self._reach(order), order.account_id
        )
        for match in swept.matches:
            order.fill(match.price, match.quantity)
            self._record(match, taker=order, aggressor=order.side)
        if order.status is OrderStatus.FILLED:
            del self.working[order.order_id]
        elif swept.self_trade:
            self._finish(order, CancelReason.SELF_TRADE)
        elif order.limit_price is None:
            self._finish(order, CancelReason.BEYOND_PROTECTION)
        elif order.time_in_force in {TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL}:
            self._finish(order, CancelReason.IMMEDIATE_REMAINDER)
        else:
            self._rest(order, order.limit_price)

    def _is_fillable(self, order: Order) -> bool:
        resting = self.book.side(order.side.opposite)
        return is_fillable(resting, order.unfilled, self._reach(order), order.account_id)

    def _reach(self, order: Order) -> int:
        """Return the worst price to trade at: the limit or the collar, never beyond the protection."""
        if order.limit_price is not None:
            return order.limit_price
        if self.last is None:
            raise ValueError("a market order before the first trade")
        collar = worst_within(order.side, self.last, COLLAR_PERCENT)
        protection = order.engine_terms.protection_price
        if protection is None:
            return collar
        return min(collar, protection) if order.side is Side.BUY else max(collar, protection)

    def _rest(self, order: Order, limit_price: int) -> None:
        """Rest the order; beyond the levels shown, the book is taken to be as deep as at the last one."""
        side = self.book.side(order.side)
        price, size = self.worst_shown.get(order.side, (limit_price, 0))
        if limit_price not in side.levels and price != limit_price and side.reaches(price, limit_price):
            order.queue_ahead = size
        self.book.rest(order)

    def _record(self, match: Match, taker: Order | None, aggressor: Side) -> None:
        number = self.print_trade(match.price, match.quantity, aggressor, synthetic=False)
        maker = match.maker
        if maker is not None:
            self._journal.filled(
                maker, number, match.price, match.quantity, Liquidity.MAKER, against_synthetic=taker is None
            )
            if not maker.unfilled:
                del self.working[maker.order_id]
        if taker is not None:
            self._journal.filled(
                taker, number, match.price, match.quantity, Liquidity.TAKER, against_synthetic=maker is None
            )

    def _take_out(self, order: Order) -> None:
        if order.waits_for_trigger:
            self.stops.remove(order)
        else:
            self.book.remove(order)

    def _finish(self, order: Order, reason: CancelReason) -> None:
        del self.working[order.order_id]
        self._journal.cancelled(order, reason)
