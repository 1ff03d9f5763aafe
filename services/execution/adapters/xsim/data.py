"""The exchange's messages <-> what adapters speak, nothing else."""

from __future__ import annotations

from typing import Final

from bifrost.venue.v1 import error_reason_pb2, venue_order_pb2
from services.execution.adapters.venue import ReportType, VenueOrder, VenueReport
from services.execution.convert import terms_of
from services.execution.domain.order import Execution
from services.runtime.clock import from_timestamp
from services.runtime.decimals import parse_decimal

_TYPES: Final = {
    venue_order_pb2.EXECUTION_REPORT_TYPE_ACCEPTED: ReportType.ACCEPTED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_REJECTED: ReportType.REJECTED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_FILL: ReportType.FILLED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_CANCELLED: ReportType.CANCELLED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_REPLACED: ReportType.REPLACED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_EXPIRED: ReportType.EXPIRED,
    venue_order_pb2.EXECUTION_REPORT_TYPE_TRIGGERED: ReportType.TRIGGERED,
}


def venue_order_of(message: venue_order_pb2.VenueOrder) -> VenueOrder:
    """The exchange's record of an order."""
    state = message.state
    rejected = state == venue_order_pb2.VENUE_ORDER_STATE_REJECTED
    return VenueOrder(
        order_id=message.client_order_id,
        terms=terms_of(message.terms),
        terms_version=message.terms_version,
        filled_quantity=parse_decimal(message.filled_quantity or "0", field="filled_quantity"),
        ended=state != venue_order_pb2.VENUE_ORDER_STATE_WORKING,
        rejected=rejected,
        cancelled=state == venue_order_pb2.VENUE_ORDER_STATE_CANCELLED,
        reject_reasons=(reject_reason(message.reject_reason),) if rejected else (),
        message=message.message,
        time_ns=from_timestamp(message.update_time),
    )


def reject_reason(value: error_reason_pb2.RejectReason) -> str:
    """The name of a RejectReason without its prefix."""
    return error_reason_pb2.RejectReason.Name(value).removeprefix("REJECT_REASON_")


def report_of(message: venue_order_pb2.ExecutionReport) -> VenueReport:
    """One entry of the exchange's execution log; ValueError for a type unknown here."""
    kind = _TYPES.get(message.type)
    if kind is None:
        raise ValueError(f"execution report of unknown type {message.type}")
    execution = _execution_of(message.execution) if kind is ReportType.FILLED else None
    return VenueReport(kind, venue_order_of(message.order), execution)


def _execution_of(message: venue_order_pb2.Execution) -> Execution:
    return Execution(
        execution_id=message.execution_id,
        quantity=parse_decimal(message.quantity, field="execution.quantity"),
        price=parse_decimal(message.price, field="execution.price"),
        fee=parse_decimal(message.fee, field="execution.fee"),
        currency=message.currency,
        event_time_ns=from_timestamp(message.event_time),
    )
