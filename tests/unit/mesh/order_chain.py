"""An account's orders from risk to the exchange and back, in memory.

The real rules of each service, joined by their real messages, and logs that are read as late as a test likes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace as with_changes
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import count

from bifrost.execution.v1 import order_pb2
from bifrost.venue.v1 import venue_order_pb2
from services.execution.adapters.venue import ReportType, VenueOrder, VenueReport
from services.execution.adapters.xsim.data import report_of, venue_order_of
from services.execution.convert import event_message, optional_text, terms_message
from services.execution.desk import is_behind
from services.execution.domain import lifecycle
from services.execution.domain.order import FINAL, WORKING, Order, Replacement, Transition
from services.execution.domain.terms import OrderTerms
from services.portfolio.convert import fill_of
from services.portfolio.domain.ledger import Cash, post_fill
from services.portfolio.domain.lot import Holding
from services.risk.convert import to_change, to_terms
from services.risk.domain.book import AccountBook, Hold, HoldKey
from services.risk.domain.decision import Proposal, Surroundings, judge
from services.risk.domain.limits import Limits
from services.risk.domain.market import Instrument, ReferencePrice
from services.risk.domain.order_log import apply_change
from services.runtime.steps import Steps
from services.venue.convert import order_message, order_terms
from services.venue.domain.commands import CancelOrder, ReplaceOrder, SubmitOrder
from services.venue.domain.events import (
    CommandRejected,
    Event,
    OrderCancelled,
    OrderFilled,
    OrderKnown,
    OrderReplaced,
)
from services.venue.domain.exchange import Exchange
from services.venue.domain.order import RejectReason
from services.venue.domain.order import Side as VenueSide
from services.venue.order_store import Changes
from services.venue.records import OrderRecord
from services.venue.reports import take_down
from tests.unit.venue.venue_replays import replay_plan

LISTED = Instrument("aaa", "AAA", "XNAS", "USD", Steps.of(Decimal("0.01")), Decimal(1), True, "active")
LIMITS = Limits(duplicate_window_ms=0, max_orders_per_second=10_000)
FEE = Decimal("0.005")
CENT, ROUNDING = Decimal("0.01"), Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[])
AT_NS = 1


class Chain:
    """One account that trades one instrument.

    `cash` and `shares` are the truth: what the exchange has done, reckoned apart from every service.
    """

    def __init__(self, cash: Decimal) -> None:
        self.exchange = Exchange(replay_plan(sessions=2, steps=12))
        self.cash, self.shares = cash, 0
        self.orders: dict[str, Order] = {}
        self.book = AccountBook("acc", "USD", cash)
        self.ledger, self.holding = Cash("acc", "USD", cash, Decimal(0), 0), Holding()
        self.venue_log: deque[bytes] = deque()
        self.order_log: deque[bytes] = deque()
        self._numbers = count(1)
        self.step()

    # What the user does.

    def submit(self, terms: OrderTerms, *, is_answered: bool) -> None:
        """Submit for as many shares as risk lets through, at most those of the terms."""
        order_id = f"o{next(self._numbers)}"
        reserved = self._reserve(order_id, terms, 1)
        if reserved is None:
            return
        terms, worst = reserved
        drafted = Order(
            order_id,
            "acc",
            f"r-{order_id}",
            "",
            "aaa",
            "AAA",
            "USD",
            "XSIM",
            "u",
            "",
            terms,
            worst,
            AT_NS,
            AT_NS,
        )
        self.orders[order_id] = drafted
        self._take(order_id, lifecycle.submit_order(drafted))
        wanted = order_terms(terms_message(terms), optional_text(worst))
        told = self._told(self._execute(SubmitOrder("acc", order_id, "aaa", wanted)))
        if told is not None and is_answered:
            self._change(order_id, lifecycle.accept if not told.rejected else _rejected)

    def replace(self, order_id: str, terms: OrderTerms, *, steps: int, is_answered: bool) -> None:
        """Ask for new terms, again for as much as risk lets through.

        The market moves on by `steps` before the exchange has them.
        """
        order = self.orders[order_id]
        if order.state not in WORKING or terms.quantity <= order.filled_quantity:
            return
        if order_id not in self.book.orders:
            return
        reserved = self._reserve(order_id, terms, order.terms_version + 1, more_than=order.filled_quantity)
        if reserved is None:
            return
        terms, worst = reserved
        asked = Replacement(terms, worst)
        self._take(order_id, lifecycle.request_replace(order, asked, at_ns=AT_NS))
        for _ in range(steps):
            self.step()
        self._send_replace(order_id, is_answered=is_answered)

    def cancel(self, order_id: str, *, is_answered: bool) -> None:
        order = self.orders[order_id]
        if order.state in WORKING:
            self._take(order_id, lifecycle.request_cancel(order, at_ns=AT_NS))
            self._send_cancel(order_id, is_answered=is_answered)

    # What goes on meanwhile.

    def step(self) -> None:
        self._note(self.exchange.step())

    def read_venue_log(self, most: int) -> None:
        for _ in range(min(most, len(self.venue_log))):
            report = report_of(venue_order_pb2.ExecutionReport.FromString(self.venue_log.popleft()))
            order_id = report.order.order_id
            self._take(order_id, _reported(self.orders[order_id], report))

    def read_order_log(self, most: int) -> None:
        """risk and portfolio read the next events."""
        for _ in range(min(most, len(self.order_log))):
            event = order_pb2.OrderEvent.FromString(self.order_log.popleft())
            change = to_change(event)
            if not change.has_ended:
                held = self.book.orders[change.order_id].holds
                assert any(hold.terms == change.terms for hold in held), "nothing is held for terms in force"
            apply_change(self.book, change)
            if event.HasField("fill"):
                fill = fill_of(event.fill)
                self.ledger, self.holding, _ = post_fill(
                    self.ledger, self.holding, fill, entry_id="", post_time_ns=AT_NS
                )

    def finish(self) -> None:
        """The replay ends, and all logs are read."""
        self._note(self.exchange.end())
        self.read_venue_log(len(self.venue_log))
        for order in self.orders.values():
            assert order.state in FINAL, order
        self.read_order_log(len(self.order_log))

    def _send_replace(self, order_id: str, *, is_answered: bool) -> None:
        order = self.orders[order_id]
        asked = order.replacement
        assert asked is not None
        wanted = order_terms(terms_message(asked.terms), optional_text(asked.protection_price))
        command = ReplaceOrder("acc", order_id, wanted, order.terms_version + 1)
        events = self._execute(command)
        if not is_answered:
            return
        if isinstance(events[0], CommandRejected):
            if events[0].reason is not RejectReason.ORDER_ENDED:
                self._change(order_id, lambda o, at_ns: lifecycle.reject_replace(o, "no", at_ns=at_ns))
            return
        told = self._told(events)
        assert told is not None
        if not is_behind(self.orders[order_id], told):
            self._change(
                order_id,
                lambda o, at_ns: lifecycle.replace(o, told.terms, told.terms_version, at_ns=at_ns),
            )

    def _send_cancel(self, order_id: str, *, is_answered: bool) -> None:
        told = self._told(self._execute(CancelOrder("acc", order_id)))
        if told is None or not is_answered:
            return
        if told.cancelled and not is_behind(self.orders[order_id], told):
            self._change(order_id, lambda o, at_ns: lifecycle.cancel(o, "", at_ns=at_ns))

    def _reserve(
        self, order_id: str, terms: OrderTerms, version: int, *, more_than: Decimal = Decimal(0)
    ) -> tuple[OrderTerms, Decimal | None] | None:
        """Have risk judge with what it has read so far; the terms it lets through and their worst price."""
        last = self.exchange.market("aaa").last
        assert last is not None
        reference = ReferencePrice(Decimal(last) / 10_000, 0, is_stale=False)
        around = Surroundings(LIMITS, None, reference, FEE, AT_NS)
        while terms.quantity > more_than:
            wanted = to_terms(terms_message(terms))
            proposal = Proposal("acc", wanted, "aaa", LISTED, order_id, f"r-{order_id}", version)
            decision = judge(proposal, self.book, around)
            if decision.passed:
                key = HoldKey(order_id, version, next(self._numbers))
                hold = Hold(
                    key, f"r-{order_id}", wanted, decision.lot_size, decision.per_lot, b"", asked_ns=AT_NS
                )
                self.book.add_hold("aaa", hold)
                return terms, decision.worst_price
            terms = with_changes(terms, quantity=terms.quantity - 1)
        return None

    def _execute(self, command: SubmitOrder | CancelOrder | ReplaceOrder) -> list[Event]:
        events = self.exchange.execute(command)
        self._note(events)
        return events

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderFilled):
                sign = 1 if event.order.side is VenueSide.BUY else -1
                self.shares += sign * event.quantity
                exact = -sign * Decimal(event.price) * event.quantity / 10_000 - FEE * event.quantity
                self.cash += exact.quantize(CENT, context=ROUNDING)
            assert self.cash >= 0, "overdrawn"
            assert self.shares >= 0, "short"
        self.venue_log.extend(entry.payload for entry in take_down(events, self.exchange, Changes()))

    def _told(self, events: list[Event]) -> VenueOrder | None:
        """The direct answer: the order as it is after the command; None when the command was refused."""
        first = events[0]
        if isinstance(first, CommandRejected):
            return None
        assert not isinstance(first, OrderKnown)
        account_id, order_id = first.order.account_id, first.order.client_order_id  # type: ignore[union-attr]
        if isinstance(first, OrderCancelled | OrderReplaced):
            assert order_id in self.orders
        now = self.exchange.order(account_id, order_id) or self.exchange.rejected_order(account_id, order_id)
        assert now is not None
        return venue_order_of(order_message(OrderRecord.of(now)))

    def _change(self, order_id: str, decide: object) -> None:
        assert callable(decide)
        self._take(order_id, decide(self.orders[order_id], at_ns=AT_NS))

    def _take(self, order_id: str, transition: Transition) -> None:
        assert transition.alarm is None, transition.alarm
        self.orders[order_id] = transition.order
        self.order_log.extend(event_message(event).SerializeToString() for event in transition.events)


def _rejected(order: Order, *, at_ns: int) -> Transition:
    return lifecycle.reject(order, ["X"], "", at_ns=at_ns)


def _reported(order: Order, report: VenueReport) -> Transition:
    told, execution = report.order, report.execution
    match report.type:
        case ReportType.ACCEPTED:
            return lifecycle.accept(order, at_ns=AT_NS)
        case ReportType.REJECTED:
            return lifecycle.reject(order, told.reject_reasons, "", at_ns=AT_NS)
        case ReportType.CANCELLED:
            return lifecycle.cancel(order, "", at_ns=AT_NS)
        case ReportType.REPLACED:
            return lifecycle.replace(order, told.terms, told.terms_version, at_ns=AT_NS)
        case ReportType.EXPIRED:
            return lifecycle.expire(order, "", at_ns=AT_NS)
        case ReportType.TRIGGERED:
            return lifecycle.trigger(order, at_ns=AT_NS)
        case ReportType.FILLED:
            assert execution is not None
            return lifecycle.apply_fill(order, execution, execution.execution_id, at_ns=AT_NS)
