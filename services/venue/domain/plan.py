"""What a replay is made from, and what passes from one of its sessions to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.venue.domain.journal import Counters
from services.venue.domain.order import Order
from services.venue.domain.price import Instrument
from services.venue.domain.replay import DailyBar
from services.venue.domain.session import TradingSession


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Everything a replay is made from.

    An instrument without a bar for a date does not trade in that session. `prefix` begins every id the
    exchange gives out and must be unique among replays.
    """

    prefix: str
    seed: int
    steps_per_session: int
    instruments: Sequence[Instrument]
    sessions: Sequence[TradingSession]
    bars: Mapping[tuple[date, str], DailyBar]


@dataclass(frozen=True, slots=True)
class CarriedState:
    """What passes from one session to the next; `last_prices` by instrument id, in price units.

    `closed_ns` is the market time of the close. A `next_session` past the last one means the replay ended.
    """

    next_session: int = 0
    closed_ns: int = 0
    orders: tuple[Order, ...] = ()
    last_prices: Mapping[str, int] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
