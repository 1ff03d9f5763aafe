"""Small replays and hand-made tapes for the tests of the exchange."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from services.venue.domain.commands import SubmitOrder
from services.venue.domain.events import Event
from services.venue.domain.exchange import Exchange
from services.venue.domain.generator import Generator
from services.venue.domain.journal import Counters, Journal
from services.venue.domain.market import Market
from services.venue.domain.order import OrderTerms, OrderType, Side, TimeInForce
from services.venue.domain.plan import ReplayPlan
from services.venue.domain.price import Instrument
from services.venue.domain.replay import DailyBar, Quote, SessionTape
from services.venue.domain.session import TradingSession

E = TypeVar("E")
DAY_NS = 86_400 * 10**9
FIRST_DATE = date(2012, 5, 18)
OPEN_NS = 1_337_347_800 * 10**9
LISTED = (Instrument("aaa", "AAA", "USD"), Instrument("bbb", "BBB", "USD"))
BAR = DailyBar(1_000_000, 1_030_000, 985_000, 1_010_050, 200_000)
CHEAP_BAR = DailyBar(50_000, 50_900, 49_500, 50_100, 3_000)


def trading_sessions(count: int) -> list[TradingSession]:
    return [
        TradingSession(
            FIRST_DATE + timedelta(days=day),
            OPEN_NS + day * DAY_NS,
            OPEN_NS + day * DAY_NS + 23_400 * 10**9,
        )
        for day in range(count)
    ]


def replay_plan(sessions: int = 2, steps: int = 12, seed: int = 4) -> ReplayPlan:
    """Two instruments; the second does not trade in the second session."""
    calendar = trading_sessions(sessions)
    bars = {(each.session_date, "aaa"): BAR for each in calendar}
    bars |= {(each.session_date, "bbb"): CHEAP_BAR for index, each in enumerate(calendar) if index != 1}
    return ReplayPlan("r1", seed, steps, LISTED, calendar, bars)


def order_terms(
    side: Side,
    quantity: int | str,
    limit: str | None = None,
    *,
    stop: str | None = None,
    time_in_force: TimeInForce = TimeInForce.DAY,
    protection: str | None = None,
) -> OrderTerms:
    types = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    return OrderTerms(
        side,
        types[limit is not None, stop is not None],
        time_in_force,
        Decimal(quantity),
        None if limit is None else Decimal(limit),
        None if stop is None else Decimal(stop),
        None if protection is None else Decimal(protection),
    )


def submit(
    exchange: Exchange, client_order_id: str, terms: OrderTerms, *, account: str = "alice"
) -> list[Event]:
    return exchange.execute(SubmitOrder(account, client_order_id, "aaa", terms))


def only(events: Sequence[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def hand_made_market(
    steps: Sequence[tuple[int, int, Side, Sequence[Quote], Sequence[Quote]]],
) -> tuple[Market, Generator, Journal]:
    """Return a market and a generator that plays `steps`: price, volume, aggressor, bids, asks, in cents."""
    journal = Journal("t", Counters())
    market = Market(LISTED[0], journal)
    market.open(FIRST_DATE)
    tape = SessionTape(
        [price * 100 for price, *_ in steps],
        [volume for _, volume, *_ in steps],
        [aggressor for _, _, aggressor, *_ in steps],
        [tuple((price * 100, size) for price, size in bids) for *_, bids, _ in steps],
        [tuple((price * 100, size) for price, size in asks) for *_, asks in steps],
    )
    return market, Generator(market, tape), journal
