"""What the exchange says about orders, as rows to keep and entries of the execution log."""

from __future__ import annotations

from collections.abc import Sequence

from bifrost.venue.v1 import venue_order_pb2 as pb
from services.runtime.event_log import NewEvent
from services.venue.convert import execution_message, order_message
from services.venue.domain.events import (
    CommandRejected,
    Event,
    IdFenced,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderKnown,
    OrderRejected,
    OrderReplaced,
    StopTriggered,
)
from services.venue.domain.exchange import Exchange
from services.venue.order_store import Changes
from services.venue.records import ExecutionRecord, OrderRecord

_TYPES = {
    OrderAccepted: pb.EXECUTION_REPORT_TYPE_ACCEPTED,
    OrderRejected: pb.EXECUTION_REPORT_TYPE_REJECTED,
    OrderFilled: pb.EXECUTION_REPORT_TYPE_FILL,
    OrderCancelled: pb.EXECUTION_REPORT_TYPE_CANCELLED,
    OrderReplaced: pb.EXECUTION_REPORT_TYPE_REPLACED,
    OrderExpired: pb.EXECUTION_REPORT_TYPE_EXPIRED,
    StopTriggered: pb.EXECUTION_REPORT_TYPE_TRIGGERED,
}
Reported = (
    OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCancelled
    | OrderReplaced
    | OrderExpired
    | StopTriggered
)


def take_down(events: Sequence[Event], exchange: Exchange, changes: Changes) -> list[NewEvent]:
    """Add the events' effects to `changes` and return the log entries, in order."""
    entries = []
    for event in events:
        if isinstance(event, IdFenced):
            changes.fences.append((event.account_id, event.client_order_id))
        elif isinstance(event, Reported):
            entries.append(_report(event, exchange, changes))
    return entries


def changed_nothing(events: Sequence[Event]) -> bool:
    """Tell whether a command's answer says that it had no effect."""
    return all(isinstance(event, CommandRejected | OrderKnown) for event in events)


def _report(event: Reported, exchange: Exchange, changes: Changes) -> NewEvent:
    record = OrderRecord.of(event.order)
    changes.orders[record.venue_order_id] = record
    kind = _TYPES[type(event)]
    report = pb.ExecutionReport(type=kind, order=order_message(record))
    if isinstance(event, OrderFilled):
        currency = exchange.market(record.instrument_id).instrument.currency
        execution = ExecutionRecord.of(event, currency)
        changes.executions.append(execution)
        report.execution.CopyFrom(execution_message(execution))
    return NewEvent(
        key=record.account_id,
        kind=pb.ExecutionReportType.Name(kind),
        event_time_ns=event.event_time_ns,
        payload=report.SerializeToString(),
    )
