"""What every venue adapter does, whatever it speaks to."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from bifrost.type.v1.stream_pb2 import StreamPosition
from services.execution.domain.order import Execution, Order, Replacement
from services.execution.domain.terms import OrderTerms
from services.runtime.stream_client import StreamResponse


class ReportType(Enum):
    """What a venue tells of an order."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    EXPIRED = "expired"
    TRIGGERED = "triggered"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue has it after what it tells. `time_ns` is market time, 0 when not told."""

    order_id: str
    """Our id."""
    terms: OrderTerms
    terms_version: int
    filled_quantity: Decimal
    ended: bool
    """It can neither fill nor be changed any more."""
    rejected: bool
    cancelled: bool
    reject_reasons: tuple[str, ...]
    message: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class VenueReport:
    """One entry of the venue's execution log; `execution` is set for FILLED."""

    type: ReportType
    order: VenueOrder
    execution: Execution | None = None


class NoAnswerError(Exception):
    """The venue did not answer: what was asked may have been done, or may yet be.

    `late`: it was reached, and the time for its answer is over.
    """

    def __init__(self, message: str, *, late: bool) -> None:
        super().__init__(message)
        self.late = late


class RefusedError(Exception):
    """The venue understood and refused; nothing was changed there.

    `reason`: a RejectReason of the contract for a submission; else ORDER_ENDED, ORDER_NOT_FOUND,
    QUANTITY_FILLED or what the venue says.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class VenueAdapter(Protocol):
    """One venue. All calls end within the adapter's time limit: NoAnswerError; RefusedError as named."""

    code: str
    """As in accounts and orders, e.g. "XSIM"."""

    async def submit(self, order: Order) -> VenueOrder:
        """Send a new order under our order id; once in the life of an order. May be refused."""
        ...

    async def cancel(self, order: Order) -> VenueOrder:
        """Ask for what is left to be cancelled; may be repeated. May be refused."""
        ...

    async def replace(self, order: Order, replacement: Replacement) -> VenueOrder:
        """Ask for new terms as version `order.terms_version + 1`; may be repeated. May be refused.

        An answer with an older version means that the terms were refused, and its message says why.
        """
        ...

    async def resolve(self, order: Order) -> VenueOrder | None:
        """The order as the venue has it; None: it never saw it and from now on refuses its id."""
        ...

    def open_reports(self, after: StreamPosition | None) -> AsyncIterable[StreamResponse]:
        """The venue's execution log after a position, for a Follower."""
        ...

    def is_acceptance(self, response: StreamResponse) -> bool:
        """Whether a response of `open_reports` tells that an order was accepted, and nothing else."""
        ...

    def report(self, response: StreamResponse) -> VenueReport:
        """What a response of `open_reports` that carries an event tells."""
        ...
