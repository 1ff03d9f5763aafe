"""What an operator must look at, counted and logged; what was told is recorded all the same."""

from __future__ import annotations

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.execution.domain.order import Alarm, Order

_log = structlog.get_logger(__name__)


class Alarms:
    """The alarms of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._raised = Counter(
            "bifrost_execution_alarms",
            "Reports of a venue that contradict what is known of an order.",
            ["kind"],
            registry=registry,
        )

    def raise_for(self, alarm: Alarm, order: Order) -> None:
        """A venue said what it should never say of an order."""
        self._raised.labels(alarm.value).inc()
        _log.error(
            "order_alarm",
            kind=alarm.value,
            order_id=order.order_id,
            account_id=order.account_id,
            state=order.state.name,
            filled_quantity=str(order.filled_quantity),
            quantity=str(order.terms.quantity),
        )

    def unknown_order(self, venue: str, order_id: str) -> None:
        """A venue reports an order that was never recorded here."""
        self._raised.labels("unknown_order").inc()
        _log.error("order_alarm", kind="unknown_order", venue=venue, order_id=order_id)
