"""The exchange: a state machine of commands and steps that answers with events.

It holds what one session needs: the orders carried into it and those sent during it. Ids of earlier sessions
are the store's to know, so a caller asks the store first for an id of which `knows` says no.

Recovery re-runs the session: `Exchange.restore` takes the state carried into it and the recorded commands,
and arrives at the very same state, generated queues included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.venue.domain.commands import (
    CancelOrder,
    Command,
    RecordedCommand,
    ReplaceOrder,
    ResolveOrder,
    SubmitOrder,
)
from services.venue.domain.events import (
    CommandRejected,
    Event,
    IdFenced,
    OrderKnown,
    OrderRejected,
    SessionClosed,
    SessionOpened,
)
from services.venue.domain.generator import Generator
from services.venue.domain.journal import Journal
from services.venue.domain.market import Market
from services.venue.domain.order import (
    EngineTerms,
    Order,
    OrderStatus,
    RejectedOrder,
    RejectReason,
    TermsError,
    check_shape,
    check_terms,
)
from services.venue.domain.plan import CarriedState, ReplayPlan
from services.venue.domain.replay import generate_session
from services.venue.domain.session import Phase, TradingSession

OrderKey = tuple[str, str]
"""Account id and client order id."""


class Exchange:
    """One replayed exchange. Not thread-safe: one owner calls `step` and `execute` in turn.

    `position` counts the steps of the whole replay, -1 before the first; a command acts at the step executed
    last.
    """

    def __init__(self, plan: ReplayPlan, carried: CarriedState | None = None) -> None:
        carried = carried or CarriedState()
        self.plan = plan
        self.carried = carried
        self.position = carried.next_session * plan.steps_per_session - 1
        ended = carried.next_session == len(plan.sessions)
        self.phase = Phase.ENDED if ended else Phase.PRE_OPEN
        self._journal = Journal(plan.prefix, replace(carried.counters))
        self._journal.now_ns = carried.closed_ns if ended else plan.sessions[carried.next_session].open_ns
        self._markets = {each.instrument_id: Market(each, self._journal) for each in plan.instruments}
        self._generators: dict[str, Generator] = {}
        self._orders: dict[OrderKey, Order] = {}
        self._rejected: dict[OrderKey, RejectedOrder] = {}
        self._fenced: set[OrderKey] = set()
        for instrument_id, price in carried.last_prices.items():
            self._markets[instrument_id].last = price
        for order in carried.orders:
            own = order.snapshot()
            self._orders[own.account_id, own.client_order_id] = own
            self._markets[own.instrument_id].carry(own)

    @classmethod
    def restore(
        cls, plan: ReplayPlan, carried: CarriedState, commands: Sequence[RecordedCommand], position: int
    ) -> Exchange:
        """Return the exchange as it was at `position` after `commands`.

        `commands` are all those executed since `carried` was the carried state, in order. The events of the
        re-run are dropped: they were told before. ValueError when position or commands lie in another
        session.
        """
        exchange = cls(plan, carried)
        if exchange.phase is Phase.ENDED:
            exchange.position = position
        first = exchange.position + 1
        if not first - 1 <= position < first + plan.steps_per_session:
            raise ValueError(f"position {position} is not in session {carried.next_session}")
        recorded = iter(commands)
        following = next(recorded, None)
        while True:
            while following is not None and following.position == exchange.position:
                exchange.execute(following.command)
                following = next(recorded, None)
            if exchange.position == position:
                break
            exchange.step()
        if following is not None:
            raise ValueError(f"command at {following.position} is out of order or past position {position}")
        return exchange

    @property
    def session(self) -> TradingSession | None:
        """Return the open session, or None."""
        index = self.position // self.plan.steps_per_session
        return self.plan.sessions[index] if self.phase is Phase.OPEN else None

    @property
    def now_ns(self) -> int:
        """Return market time; before the first step, the time at which it will be."""
        return self._journal.now_ns

    def knows(self, account_id: str, client_order_id: str) -> bool:
        """Tell whether this session has an order, a refusal or a fence under the id."""
        key = (account_id, client_order_id)
        return key in self._orders or key in self._rejected or key in self._fenced

    def order(self, account_id: str, client_order_id: str) -> Order | None:
        """Return a copy of the accepted order as it is now, or None when the session has none of that id."""
        order = self._orders.get((account_id, client_order_id))
        return None if order is None else order.snapshot()

    def rejected_order(self, account_id: str, client_order_id: str) -> RejectedOrder | None:
        """Return the submission refused under the id in this session, or None."""
        return self._rejected.get((account_id, client_order_id))

    def working_orders(self) -> list[Order]:
        """Return copies of all working orders, oldest first."""
        working = (order for market in self._markets.values() for order in market.working.values())
        return [order.snapshot() for order in sorted(working, key=lambda order: order.priority)]

    def market(self, instrument_id: str) -> Market:
        """Return the market of an instrument, to be read only. KeyError when it is not listed."""
        return self._markets[instrument_id]

    def step(self) -> list[Event]:
        """Move the replay on by one step, first over the close of one session to the next when that is due.

        `carried` is a new object when the step closed a session. After the last session the phase is ENDED.
        """
        if self.phase is Phase.ENDED:
            return []
        step = (self.position + 1) % self.plan.steps_per_session
        if step == 0:
            index = (self.position + 1) // self.plan.steps_per_session
            if index == len(self.plan.sessions):
                return self.end()
            if self.phase is Phase.OPEN:
                self._close_session(index)
            self._open_session(index)
        self.position += 1
        session = self.plan.sessions[self.position // self.plan.steps_per_session]
        self._journal.now_ns = session.step_time_ns(step, self.plan.steps_per_session)
        for generator in self._generators.values():
            generator.step(step)
        return self._journal.take_events()

    def end(self) -> list[Event]:
        """End the replay: close its session, expire every open order, refuse what comes later."""
        if self.phase is not Phase.ENDED:
            self._close_session(len(self.plan.sessions))
            self.phase = Phase.ENDED
            for market in self._markets.values():
                market.show_book()
        return self._journal.take_events()

    def execute(self, command: Command) -> list[Event]:
        """Carry out a member's command now. ValueError when it makes no sense; then nothing has changed.

        The answer is the first event: OrderAccepted, OrderRejected, OrderCancelled, OrderReplaced or IdFenced
        when it had its effect; OrderKnown or CommandRejected when it changed nothing.
        """
        key = (command.account_id, command.client_order_id)
        match command:
            case SubmitOrder():
                self._submit(key, command)
            case CancelOrder():
                self._cancel(key)
            case ReplaceOrder():
                self._replace(key, command)
            case ResolveOrder():
                self._resolve(key)
        return self._journal.take_events()

    def _submit(self, key: OrderKey, command: SubmitOrder) -> None:
        check_shape(command.terms)
        if self._tell_known(key):
            return
        order_id = self._journal.new_order_id()
        market = self._markets.get(command.instrument_id)
        if market is None:
            self._refuse(command, order_id, RejectReason.UNKNOWN_INSTRUMENT)
            return
        try:
            engine_terms = check_terms(command.terms, market.instrument)
        except TermsError as error:
            self._refuse(command, order_id, error.reason)
            return
        order = Order(
            order_id=order_id,
            client_order_id=command.client_order_id,
            account_id=command.account_id,
            instrument_id=command.instrument_id,
            terms=command.terms,
            engine_terms=engine_terms,
            accepted_ns=self.now_ns,
            updated_ns=self.now_ns,
            priority=self._journal.new_priority(),
        )
        reason = market.refusal(order)
        if reason is not None:
            self._refuse(command, order_id, reason)
            return
        self._orders[key] = order
        market.accept(order)
        market.show_book()

    def _cancel(self, key: OrderKey) -> None:
        order = self._working(key)
        if order is not None:
            market = self._markets[order.instrument_id]
            market.cancel(order)
            market.show_book()

    def _replace(self, key: OrderKey, command: ReplaceOrder) -> None:
        check_shape(command.terms)
        known = self._orders.get(key)
        if known is not None and known.terms_version == command.terms_version:
            self._tell_known(key)
            return
        order = self._working(key)
        if order is None:
            return
        market = self._markets[order.instrument_id]
        try:
            engine_terms = _new_terms(order, command, market)
        except TermsError as error:
            self._reject(key, error.reason)
            return
        market.replace(order, command.terms, engine_terms)
        market.show_book()

    def _resolve(self, key: OrderKey) -> None:
        if not self._tell_known(key):
            self._fenced.add(key)
            self._journal.events.append(IdFenced(self._journal.now_ns, *key))

    def _tell_known(self, key: OrderKey) -> bool:
        """Answer for an id that was used before as it was answered then; False when it is new."""
        if key in self._orders:
            self._journal.events.append(OrderKnown(self._journal.now_ns, self._orders[key].snapshot()))
        elif key in self._fenced:
            self._reject(key, RejectReason.ORDER_ID_FENCED)
        elif key in self._rejected:
            self._journal.events.append(OrderKnown(self.now_ns, self._rejected[key]))
        else:
            return False
        return True

    def _working(self, key: OrderKey) -> Order | None:
        order = self._orders.get(key)
        if order is None:
            ended = key in self._rejected
            self._reject(key, RejectReason.ORDER_ENDED if ended else RejectReason.UNKNOWN_ORDER)
        elif order.status is not OrderStatus.WORKING:
            self._reject(key, RejectReason.ORDER_ENDED)
        else:
            return order
        return None

    def _refuse(self, command: SubmitOrder, order_id: str, reason: RejectReason) -> None:
        """Reject a submission for ever: the id is used up."""
        rejected = RejectedOrder(
            order_id,
            command.client_order_id,
            command.account_id,
            command.instrument_id,
            command.terms,
            reason,
            self.now_ns,
        )
        self._rejected[command.account_id, command.client_order_id] = rejected
        self._journal.events.append(OrderRejected(self.now_ns, rejected))

    def _reject(self, key: OrderKey, reason: RejectReason) -> None:
        self._journal.events.append(CommandRejected(self._journal.now_ns, *key, reason))

    def _open_session(self, index: int) -> None:
        session = self.plan.sessions[index]
        self.phase = Phase.OPEN
        self._journal.now_ns = session.open_ns
        self._journal.events.append(SessionOpened(session.open_ns, session.session_date))
        for instrument_id, market in self._markets.items():
            bar = self.plan.bars.get((session.session_date, instrument_id))
            if bar is None:
                market.show_book()
                continue
            tape = generate_session(
                bar,
                seed=self.plan.seed,
                session_date=session.session_date,
                instrument_id=instrument_id,
                steps=self.plan.steps_per_session,
                ticks=market.instrument.ticks,
            )
            market.open(session.session_date)
            self._generators[instrument_id] = Generator(market, tape)

    def _close_session(self, following: int) -> None:
        """Close the open session, if one is; `following` is the index of the one to come, or their number."""
        session = self.session
        if session is not None:
            self._journal.now_ns = session.close_ns
        for generator in self._generators.values():
            generator.close()
        self._generators.clear()
        for market in self._markets.values():
            market.trading = False
            market.expire(all_orders=following == len(self.plan.sessions))
        if session is not None:
            self._journal.events.append(SessionClosed(session.close_ns, session.session_date))
        self._orders = {
            key: order for key, order in self._orders.items() if order.status is OrderStatus.WORKING
        }
        self._rejected.clear()
        self._fenced.clear()
        self.carried = CarriedState(
            next_session=following,
            closed_ns=self.now_ns,
            orders=tuple(self.working_orders()),
            last_prices={key: each.last for key, each in self._markets.items() if each.last is not None},
            counters=replace(self._journal.counters),
        )


def _new_terms(order: Order, command: ReplaceOrder, market: Market) -> EngineTerms:
    """Return the terms of a replacement. TermsError when the order cannot have them."""
    terms = command.terms
    if (terms.side, terms.order_type, terms.time_in_force) != (
        order.side,
        order.terms.order_type,
        order.time_in_force,
    ):
        raise ValueError("a replacement keeps side, type and time in force")
    if command.terms_version != order.terms_version + 1:
        raise TermsError(RejectReason.TERMS_VERSION)
    if not market.trading:
        raise TermsError(RejectReason.MARKET_CLOSED)
    engine_terms = check_terms(terms, market.instrument)
    if engine_terms.quantity <= order.filled:
        raise TermsError(RejectReason.QUANTITY_FILLED)
    if market.is_outside_band(order.side, engine_terms.limit_price):
        raise TermsError(RejectReason.PRICE_BAND)
    return engine_terms
