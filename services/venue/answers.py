"""Answering a member's command: by the exchange, or from the record of earlier sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.runtime.errors import invalid_argument
from services.venue.controls import no_session
from services.venue.domain.commands import (
    CancelOrder,
    Command,
    RecordedCommand,
    ReplaceOrder,
    ResolveOrder,
    SubmitOrder,
)
from services.venue.domain.events import CommandRejected, Event, IdFenced, OrderKnown
from services.venue.domain.exchange import Exchange
from services.venue.domain.order import RejectReason
from services.venue.order_store import Changes, Known, OrderKey
from services.venue.records import OrderRecord


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: the order after it, None when there is none.

    `duplicate`: nothing was done, the order is as it was. `not_seen`: the id was never seen and is fenced.
    `refusal`: why nothing was done.
    """

    order: OrderRecord | None
    duplicate: bool = False
    not_seen: bool = False
    refusal: RejectReason | None = None


def carry_out(
    command: Command, exchange: Exchange, known: Mapping[OrderKey, Known], changes: Changes
) -> tuple[Answer | Exception, Sequence[Event]]:
    """Execute a command and record it when it had an effect; return its answer and what the exchange said."""
    key = command.account_id, command.client_order_id
    if key in known and not exchange.knows(*key):
        return _from_record(command, known[key]), ()
    day_no, position = exchange.carried.next_session, exchange.position
    try:
        events = exchange.execute(command)
    except ValueError as error:
        return invalid_argument("FIELD_INVALID", str(error), field="terms"), ()
    first = events[0]
    if isinstance(first, CommandRejected):
        not_seen = first.reason is RejectReason.ORDER_ID_FENCED and isinstance(command, ResolveOrder)
        return Answer(_present(exchange, key), not_seen=not_seen, refusal=first.reason), events
    if isinstance(first, OrderKnown):
        return Answer(OrderRecord.of(first.order), duplicate=True), events
    changes.commands.append((day_no, RecordedCommand(position, command)))
    return Answer(_present(exchange, key), not_seen=isinstance(first, IdFenced)), events


def answer_without_session(
    command: Command, known: Mapping[OrderKey, Known], changes: Changes
) -> Answer | Exception:
    """Answer while nothing was ever replayed: there can be fences, and no orders."""
    key = command.account_id, command.client_order_id
    if key in known:
        return _from_record(command, known[key])
    match command:
        case SubmitOrder():
            return no_session()
        case ResolveOrder():
            changes.fences.append(key)
            return Answer(None, not_seen=True)
        case CancelOrder() | ReplaceOrder():
            return Answer(None, refusal=RejectReason.UNKNOWN_ORDER)


def _present(exchange: Exchange, key: OrderKey) -> OrderRecord | None:
    order = exchange.order(*key) or exchange.rejected_order(*key)
    return None if order is None else OrderRecord.of(order)


def _from_record(command: Command, known: Known) -> Answer:
    """Answer for an id of an earlier session: its order has ended, or it is fenced."""
    if known.order is None:
        fenced = isinstance(command, SubmitOrder | ResolveOrder)
        reason = RejectReason.ORDER_ID_FENCED if fenced else RejectReason.UNKNOWN_ORDER
        return Answer(None, not_seen=isinstance(command, ResolveOrder), refusal=reason)
    is_repeat = isinstance(command, ReplaceOrder) and command.terms_version == known.order.terms_version
    if isinstance(command, SubmitOrder | ResolveOrder) or is_repeat:
        return Answer(known.order, duplicate=True)
    return Answer(known.order, refusal=RejectReason.ORDER_ENDED)
