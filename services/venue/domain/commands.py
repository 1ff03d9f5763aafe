"""What members may ask of the exchange; recorded with their positions, they rebuild a session exactly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.venue.domain.order import OrderTerms


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Enter an order under the member's own id, which is used once for ever."""

    account_id: str
    client_order_id: str
    terms: OrderTerms


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel what is left of an order."""

    account_id: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Change an order's terms; None leaves one as it is. `quantity` is the new total, filled included."""

    account_id: str
    client_order_id: str
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


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
