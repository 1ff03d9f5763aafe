"""What members may ask of the exchange; recorded with their positions, they rebuild a session exactly."""

from __future__ import annotations

from dataclasses import dataclass

from services.venue.domain.order import OrderTerms


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Enter an order under the member's own id, which is used once for ever."""

    account_id: str
    client_order_id: str
    instrument_id: str
    terms: OrderTerms


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel what is left of an order."""

    account_id: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Give an order new terms of the same side, type and time in force; the quantity includes what is filled.

    `terms_version` is one more than the order's present one.
    """

    account_id: str
    client_order_id: str
    terms: OrderTerms
    terms_version: int


@dataclass(frozen=True, slots=True)
class ResolveOrder:
    """Ask what became of an id; one that was never seen is refused from then on."""

    account_id: str
    client_order_id: str


Command = SubmitOrder | CancelOrder | ReplaceOrder | ResolveOrder


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command and the position of the replay at which it was executed."""

    position: int
    command: Command
