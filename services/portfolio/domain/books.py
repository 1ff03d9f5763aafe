"""The books of an account at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.portfolio.domain.ledger import Cash
from services.portfolio.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one instrument, without its lots."""

    account_id: str
    instrument_id: str
    symbol: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    event_time_ns: int = 0
    """Market time of its last fill, nanoseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Books:
    """Cash and every position that was ever traded, by symbol, at one sequence of execution's order log."""

    cash: Cash
    positions: tuple[Position, ...]
    order_log_sequence: int
