"""Who owns what: portfolios and the accounts in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AccountType(Enum):
    """What an account may do."""

    CASH = "cash"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A user's grouping of accounts."""

    portfolio_id: str
    owner_user_id: str
    name: str
    create_time_ns: int


@dataclass(frozen=True, slots=True)
class Account:
    """Cash of one currency and positions at one venue."""

    account_id: str
    portfolio_id: str
    owner_user_id: str
    name: str
    currency: str
    venue: str
    type: AccountType
    create_time_ns: int
