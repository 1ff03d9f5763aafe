"""Plays a session's tape into a market: quotes, prints, and what they do to users' orders.

Conservative on purpose: generated liquidity keeps its time priority while its level stands, users are behind
all that was there before them, a print serves a user only with what is left after the queue ahead, and no
user ever changes a print.
"""

from __future__ import annotations

from services.venue.domain.market import Market
from services.venue.domain.matching import meet_print, sweep
from services.venue.domain.order import Side
from services.venue.domain.replay import Quote, SessionTape


class Generator:
    """The generated participants of one market in one session."""

    def __init__(self, market: Market, tape: SessionTape) -> None:
        self._market = market
        self._tape = tape
        self._quoted: dict[Side, tuple[Quote, ...]] = {Side.BUY: (), Side.SELL: ()}

    def step(self, step: int) -> None:
        """Quote around the step's price, print its trade, refill, and show the book."""
        market, tape = self._market, self._tape
        quotes = {Side.BUY: tape.bids[step], Side.SELL: tape.asks[step]}
        for side, levels in quotes.items():
            self._withdraw(side, {price for price, _ in levels})
        for side in (Side.SELL, Side.BUY):
            for price, size in quotes[side]:
                self._quote(side, price, size)
        self._quoted = quotes
        market.worst_shown = {side: levels[-1] for side, levels in quotes.items() if levels}
        self._print(step)
        market.run_stops()
        market.show_book()

    def close(self) -> None:
        """Take all generated liquidity out of the book."""
        for side in (Side.BUY, Side.SELL):
            self._withdraw(side, set())
        self._market.worst_shown = {}

    def _withdraw(self, side: Side, keep: set[int]) -> None:
        book_side = self._market.book.side(side)
        for price, _ in self._quoted[side]:
            level = book_side.levels.get(price)
            if price not in keep and level is not None and level.synthetic:
                level.withdraw_synthetic()
                book_side.drop_if_empty(level)

    def _quote(self, side: Side, price: int, size: int) -> None:
        """Make the generated quantity at `price` be `size`: less leaves from the back, more queues up."""
        own = self._market.book.side(side)
        level = own.levels.get(price)
        shown = level.synthetic if level is not None else 0
        if level is not None and shown > size:
            level.reduce_synthetic(shown - size)
        elif shown < size:
            added = size - shown - self._cross(side, price, size - shown)
            if added:
                own.level(price).add_synthetic(added)

    def _cross(self, side: Side, price: int, quantity: int) -> int:
        """Trade a new generated order with users' orders, at their prices; return the quantity traded."""
        opposite = self._market.book.side(side.opposite)
        best = opposite.best
        if best is None or not opposite.reaches(best.price, price):
            return 0
        swept = sweep(opposite, quantity, price, account_id=None)
        self._market.trade_with_users(swept.matches, aggressor=side)
        return sum(match.quantity for match in swept.matches)

    def _print(self, step: int) -> None:
        """Print the tape's trade in full, after it has met the users' orders it cannot pass by."""
        price, volume = self._tape.prices[step], self._tape.volumes[step]
        if not volume:
            return
        market, left, aggressor = self._market, volume, self._tape.aggressors[step]
        for side, through in ((Side.BUY, price + 1), (Side.SELL, price - 1)):
            swept = sweep(market.book.side(side), left, through, account_id=None)
            market.trade_with_users(swept.matches, aggressor=side.opposite)
            left -= sum(match.quantity for match in swept.matches)
        passive = market.book.side(aggressor.opposite)
        level = passive.levels.get(price)
        if level is not None:
            stood = level.synthetic
            market.trade_with_users(meet_print(level, left), aggressor)
            passive.drop_if_empty(level)
            self._quote(passive.side, price, stood)
        session_end = step == len(self._tape.prices) - 1
        market.print_trade(price, volume, aggressor, synthetic=True, session_end=session_end)
