"""Generated flow against users' orders: who is served first, at which price, and what is never changed."""

from __future__ import annotations

from services.venue.domain.events import BookChanged, OrderFilled, TradePrinted
from services.venue.domain.journal import Journal
from services.venue.domain.market import Market
from services.venue.domain.order import Order, Side, check_terms
from tests.unit.venue.venue_replays import hand_made_market, only, order_terms

BUY, SELL = Side.BUY, Side.SELL
BIDS = ((9_999, 100), (9_998, 200))
ASKS = ((10_001, 100), (10_002, 200))
QUIET = (9_999, 0, SELL, BIDS, ASKS)


def enter(market: Market, journal: Journal, side: Side, quantity: int, limit: str | None) -> Order:
    terms = order_terms(side, quantity, limit)
    order_id = journal.new_order_id()
    order = Order(
        order_id,
        order_id,
        f"owner of {order_id}",
        "aaa",
        terms,
        check_terms(terms, market.instrument),
        0,
        0,
        journal.new_priority(),
    )
    market.accept(order)
    return order


def fills(journal: Journal) -> list[tuple[str, int, int]]:
    return [(each.order.order_id, each.price, each.quantity) for each in only(journal.events, OrderFilled)]


def test_print_serves_the_queue_ahead_first() -> None:
    market, generator, journal = hand_made_market([QUIET, (9_999, 130, SELL, BIDS, ASKS)])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 50, "99.99")
    generator.step(1)
    assert fills(journal) == [(order.order_id, 999_900, 30)]
    printed = [(each.price, each.quantity) for each in only(journal.events, TradePrinted) if each.synthetic]
    assert printed == [(999_900, 130)]


def test_print_no_larger_than_the_queue_ahead_fills_nobody() -> None:
    market, generator, journal = hand_made_market([QUIET, (9_999, 100, SELL, BIDS, ASKS)])
    generator.step(0)
    market.last = 999_900
    enter(market, journal, BUY, 50, "99.99")
    generator.step(1)
    assert fills(journal) == []


def test_refill_after_a_print_queues_behind_the_user() -> None:
    again = (9_999, 130, SELL, BIDS, ASKS)
    market, generator, journal = hand_made_market([QUIET, again, (9_999, 20, SELL, BIDS, ASKS)])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 50, "99.99")
    generator.step(1)
    generator.step(2)
    assert fills(journal) == [(order.order_id, 999_900, 30), (order.order_id, 999_900, 20)]


def test_growing_level_queues_behind_and_shrinking_keeps_what_was_ahead() -> None:
    more, less = ((9_999, 500),), ((9_999, 60),)
    market, generator, journal = hand_made_market(
        [QUIET, (9_999, 0, SELL, more, ASKS), (9_999, 0, SELL, less, ASKS), (9_999, 70, SELL, less, ASKS)]
    )
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 50, "99.99")
    for step in (1, 2, 3):
        generator.step(step)
    assert fills(journal) == [(order.order_id, 999_900, 10)]


def test_level_that_goes_and_comes_back_gives_the_user_no_better_place() -> None:
    away = (9_990, 0, SELL, ((9_990, 10),), ((9_993, 10),))
    market, generator, journal = hand_made_market(
        [QUIET, (10_100, 0, SELL, ((10_100, 10),), ((10_101, 10),)), (9_999, 130, SELL, BIDS, ASKS), away]
    )
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 50, "99.99")
    generator.step(1)
    assert order.queue_ahead == 100
    generator.step(2)
    assert fills(journal) == [(order.order_id, 999_900, 30)]


def test_order_below_the_shown_levels_waits_behind_as_much_as_the_last_one_shows() -> None:
    market, generator, journal = hand_made_market(
        [QUIET, (9_990, 230, SELL, ((9_990, 10),), ((9_993, 10),)), QUIET]
    )
    generator.step(0)
    market.last = 999_900
    first = enter(market, journal, BUY, 50, "99.90")
    second = enter(market, journal, BUY, 50, "99.90")
    assert (first.queue_ahead, second.queue_ahead) == (200, 0)
    market.cancel(first)
    assert second.queue_ahead == 200, "a place in the queue is not won by cancelling another order"
    generator.step(1)
    assert fills(journal) == [(second.order_id, 999_000, 30)]


def test_print_through_a_users_price_fills_at_that_price_before_the_queue() -> None:
    market, generator, journal = hand_made_market([QUIET, (9_999, 70, SELL, BIDS, ASKS)])
    generator.step(0)
    market.last = 999_900
    inside = enter(market, journal, BUY, 50, "100.00")
    generator.step(1)
    assert fills(journal) == [(inside.order_id, 1_000_000, 50)]
    prints = [(each.price, each.quantity, each.synthetic) for each in only(journal.events, TradePrinted)]
    assert prints == [(1_000_000, 50, False), (999_900, 70, True)]
    assert market.last == 999_900


def test_generated_quote_through_a_users_price_trades_at_that_price() -> None:
    lower = (9_990, 0, SELL, ((9_990, 10),), ((9_993, 30), (9_994, 30)))
    market, generator, journal = hand_made_market([QUIET, lower])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 50, "99.98")
    generator.step(1)
    assert fills(journal) == [(order.order_id, 999_800, 30), (order.order_id, 999_800, 20)]
    assert [level[:2] for level in only(journal.events, BookChanged)[-1].asks] == [(999_400, 10)]


def test_taker_uses_up_depth_which_comes_back_with_the_next_step() -> None:
    market, generator, journal = hand_made_market([QUIET, QUIET])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 150, None)
    assert fills(journal) == [(order.order_id, 1_000_100, 100), (order.order_id, 1_000_200, 50)]
    assert [level[:2] for level in market.book.asks.depth(5)] == [(1_000_200, 150)]
    generator.step(1)
    assert [level[:2] for level in market.book.asks.depth(5)] == [(1_000_100, 100), (1_000_200, 200)]


def test_large_user_order_that_locks_the_market_is_never_traded_through() -> None:
    lower = (9_990, 40, BUY, ((9_988, 10),), ((9_990, 30),))
    market, generator, journal = hand_made_market([QUIET, lower])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, BUY, 500, "99.95")
    generator.step(1)
    assert fills(journal) == [(order.order_id, 999_500, 30), (order.order_id, 999_500, 40)]
    assert market.book.asks.best is None


def test_close_takes_generated_liquidity_away() -> None:
    market, generator, journal = hand_made_market([QUIET])
    generator.step(0)
    market.last = 999_900
    order = enter(market, journal, SELL, 50, "100.01")
    generator.close()
    assert market.book.bids.best is None
    assert [level[:4] for level in market.book.asks.depth(5)] == [(1_000_100, 50, 0, 1)]
    assert order.queue_ahead == 100


def test_sub_tick_print_passes_between_the_quotes() -> None:
    market, generator, journal = hand_made_market([QUIET])
    generator._tape.prices[0] = 999_950
    generator._tape.volumes[0] = 10
    generator.step(0)
    assert [(each.price, each.session_end) for each in only(journal.events, TradePrinted)] == [
        (999_950, True)
    ]
    assert [level[:2] for level in market.book.bids.depth(1)] == [(999_900, 100)]
