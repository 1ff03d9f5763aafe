"""Reserving: decisions of one flush are made one after another in memory and committed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial

import asyncpg

from services.risk.books import Books
from services.risk.convert import from_decision
from services.risk.domain.book import FIRST_VERSION, ZERO, AccountBook, Hold, HoldKey, RecentOrder
from services.risk.domain.decision import Decision, Proposal, Surroundings, judge
from services.risk.market import Quotes
from services.risk.reservation_store import (
    HoldState,
    HoldUpdate,
    ReservationRow,
    insert_decisions,
    rows_of_orders,
    update_holds,
)
from services.runtime.clock import Clock
from services.runtime.database import driver_of
from services.runtime.errors import ApiError, already_exists, not_found
from services.runtime.failpoints import failpoint
from services.runtime.group_commit import GroupCommit


class Reservations:
    """Judges orders against the books and holds for those that pass."""

    def __init__(self, books: Books, quotes: Quotes, *, clock: Clock, fee_per_share: Decimal) -> None:
        self._books = books
        self._quotes = quotes
        self._clock = clock
        self._fee_per_share = fee_per_share
        self._commits = GroupCommit[Sequence[Proposal], list[bytes]](self._flush)

    async def reserve(self, proposals: Sequence[Proposal]) -> list[bytes]:
        """Judge orders of known accounts one after the other; returns serialised ReserveOrderResponses.

        Durable when it returns. The same order, version and terms again return the first answer.

        Raises:
            ApiError: ALREADY_EXISTS REQUEST_ID_REUSED for an order_id with other terms; NOT_FOUND
                RESERVATION_NOT_FOUND for new terms of an order that has ended. Nothing is held.
        """
        return await self._commits.submit(proposals)

    async def check(self, proposal: Proposal) -> Decision:
        """Judge an order of a known account without holding anything."""
        async with self._books.reading():
            book = self._books.account(proposal.account_id)
            return judge(proposal, book, self.surroundings(proposal))

    async def release(self, account_id: str, order_id: str, terms_version: int = 0) -> bool:
        """Give back what execution's log has not confirmed of this order, or of one version of its terms.

        Returns whether some of it stays held: what is confirmed, or in force though the log is late.
        """
        async with self._books.reading():
            kept, free = self._releasable(account_id, order_id, terms_version)
            if not free:
                return bool(kept)
        async with self._books.transaction() as connection:
            kept, free = self._releasable(account_id, order_id, terms_version)
            for hold in free:
                self._books.accounts[account_id].drop_hold(hold)
            updates = [HoldUpdate(hold.key, HoldState.RELEASED, False, None) for hold in free]
            await update_holds(await driver_of(connection), updates)
        return bool(kept)

    async def release_hold(self, account_id: str, hold: Hold, *, asked_ns: int) -> bool:
        """Give back a hold if it is unconfirmed still and was not asked for since; returns whether it was."""
        async with self._books.transaction() as connection:
            key = hold.key
            present = [h for h in self._unconfirmed(account_id, key.order_id) if h.key == key]
            if not present or present[0].asked_ns != asked_ns:
                return False
            self._books.accounts[account_id].drop_hold(present[0])
            update = HoldUpdate(key, HoldState.RELEASED, False, None)
            await update_holds(await driver_of(connection), [update])
            return True

    async def close(self) -> None:
        """Finish what was begun."""
        await self._commits.close()

    def surroundings(self, proposal: Proposal) -> Surroundings:
        """Limits, switches and prices as they are now."""
        return Surroundings(
            limits=self._books.limits(proposal.account_id),
            kill_switch=self._books.halt(proposal.account_id),
            reference=self._quotes.reference(proposal.instrument_id),
            fee_per_share=self._fee_per_share,
            monotonic_ns=self._clock.monotonic_ns(),
        )

    def _releasable(
        self, account_id: str, order_id: str, terms_version: int
    ) -> tuple[list[Hold], list[Hold]]:
        """The holds of this version (0: of any) that must stay, and those that may go."""
        holds = self._holds(account_id, order_id)
        # New terms are asked for only when those before them are in force.
        newest = max((hold.key.terms_version for hold in holds), default=0)
        free = self._unconfirmed(account_id, order_id)
        if terms_version:
            holds = [hold for hold in holds if hold.key.terms_version == terms_version]
            free = [hold for hold in free if hold.key.terms_version == terms_version == newest]
        return [hold for hold in holds if hold not in free], free

    def _holds(self, account_id: str, order_id: str) -> list[Hold]:
        book = self._books.accounts.get(account_id)
        order = None if book is None else book.orders.get(order_id)
        return [] if order is None else list(order.holds)

    def _unconfirmed(self, account_id: str, order_id: str) -> list[Hold]:
        holds = self._holds(account_id, order_id)
        # Where a replace was asked for, the order itself has been recorded, though the log may be late.
        is_recorded = any(hold.key.terms_version > FIRST_VERSION for hold in holds)
        return [
            hold
            for hold in holds
            if not hold.confirmed and not (is_recorded and hold.key.terms_version == FIRST_VERSION)
        ]

    async def _flush(self, batch: list[Sequence[Proposal]]) -> list[list[bytes] | Exception]:
        async with self._books.changing():
            draft = _Draft(self._books, self.surroundings, self._clock, known=())
            outcomes = draft.decide_all(batch)
            try:
                await self._commit(draft)
            except asyncpg.UniqueViolationError:
                # Some were decided in an earlier life, or refused a while ago: look, and begin again.
                draft.undo()
                known = await self._known(batch)
                draft = _Draft(self._books, self.surroundings, self._clock, known=known)
                outcomes = draft.decide_all(batch)
                await self._commit(draft)
            return outcomes

    async def _commit(self, draft: _Draft) -> None:
        if not draft.rows:
            return
        failpoint("risk.reserve.before_commit")
        async with self._books.database.raw() as driver:
            await insert_decisions(
                driver, list(draft.rows.values()), draft.given_up, token=self._books.writer_token
            )
        failpoint("risk.reserve.after_commit")

    async def _known(self, batch: Iterable[Sequence[Proposal]]) -> list[ReservationRow]:
        order_ids = {proposal.order_id for proposals in batch for proposal in proposals}
        async with self._books.database.raw() as driver:
            return await rows_of_orders(driver, order_ids)


class _Draft:
    """Decisions made in memory and not yet committed; `known` are the orders' rows, if they were read."""

    def __init__(
        self,
        books: Books,
        surroundings: Callable[[Proposal], Surroundings],
        clock: Clock,
        *,
        known: Iterable[ReservationRow],
    ) -> None:
        self.rows: dict[HoldKey, ReservationRow] = {}
        self.given_up: list[HoldKey] = []
        self._books = books
        self._surroundings = surroundings
        self._clock = clock
        self._known = {row.hold.key: row for row in known}
        self._undo: list[Callable[[], object]] = []

    def decide_all(self, batch: Iterable[Sequence[Proposal]]) -> list[list[bytes] | Exception]:
        """Answers for each call; a call with a proposal that cannot be answered leaves nothing behind."""
        outcomes: list[list[bytes] | Exception] = []
        for proposals in batch:
            begun = len(self._undo)
            try:
                outcomes.append([self._decide(proposal) for proposal in proposals])
            except ApiError as error:
                self.undo(begun)
                outcomes.append(error)
        return outcomes

    def undo(self, down_to: int = 0) -> None:
        """Take back what was done in memory, newest first."""
        while len(self._undo) > down_to:
            self._undo.pop()()

    def _decide(self, proposal: Proposal) -> bytes:
        book = self._books.account(proposal.account_id)
        around = self._surroundings(proposal)
        earlier = self._earlier(book, proposal)
        answered = _answered(earlier, proposal)
        if answered is not None:
            answered.hold.asked_ns = around.monotonic_ns
            return answered.hold.answer
        if proposal.terms_version == FIRST_VERSION:
            self._give_up_twin(book, proposal)
        elif proposal.order_id not in book.orders:
            raise not_found(  # no entry of the log would ever give back what was held for it now
                "RESERVATION_NOT_FOUND",
                f"order {proposal.order_id} holds nothing: it has ended, or was never reserved",
                order_id=proposal.order_id,
            )
        decision = judge(proposal, book, around)
        attempt = 1 + max((row.hold.key.attempt for row in earlier), default=0)
        hold = Hold(
            key=HoldKey(proposal.order_id, proposal.terms_version, attempt),
            request_id=proposal.request_id,
            terms=proposal.terms,
            lot_size=decision.lot_size,
            per_lot=decision.per_lot,
            answer=from_decision(decision).SerializeToString(),
            asked_ns=around.monotonic_ns,
        )
        filled = self._filled(book, proposal.order_id)
        if decision.passed:
            self._hold(book, proposal, hold, filled)
        state = HoldState.HELD if decision.passed else HoldState.REFUSED
        self.rows[hold.key] = ReservationRow(
            book.account_id, proposal.instrument_id, hold, filled, state, self._clock.now_ns()
        )
        self._undo.append(partial(self.rows.pop, hold.key))
        return hold.answer

    def _earlier(self, book: AccountBook, proposal: Proposal) -> list[ReservationRow]:
        """Decisions on this version of the order, as they stand now."""
        order = book.orders.get(proposal.order_id)
        held = {} if order is None else {hold.key: hold for hold in order.holds}
        rows = self._known | self.rows
        for key, hold in held.items():
            if key not in rows and order is not None:
                rows[key] = ReservationRow(
                    book.account_id, order.instrument_id, hold, order.filled, HoldState.HELD, 0
                )
        return [
            row
            for key, row in rows.items()
            if key.order_id == proposal.order_id and key.terms_version == proposal.terms_version
        ]

    def _filled(self, book: AccountBook, order_id: str) -> Decimal:
        order = book.orders.get(order_id)
        if order is not None:
            return order.filled
        return max(
            (row.filled for row in self._known.values() if row.hold.key.order_id == order_id), default=ZERO
        )

    def _give_up_twin(self, book: AccountBook, proposal: Proposal) -> None:
        """The submission was begun before under another order_id, which was never recorded."""
        twin = book.unconfirmed_order(proposal.request_id)
        if twin is None or twin.order_id == proposal.order_id:
            return
        for hold in list(twin.holds):
            book.drop_hold(hold)
            self._undo.append(partial(book.add_hold, twin.instrument_id, hold, filled=twin.filled))
            row = self.rows.get(hold.key)
            if row is not None:
                row.state = HoldState.RELEASED
                self._undo.append(partial(setattr, row, "state", HoldState.HELD))
            else:
                self.given_up.append(hold.key)
                self._undo.append(self.given_up.pop)

    def _hold(self, book: AccountBook, proposal: Proposal, hold: Hold, filled: Decimal) -> None:
        book.add_hold(proposal.instrument_id, hold, filled=filled)
        self._undo.append(partial(book.drop_hold, hold))
        passed_ns = hold.asked_ns
        book.remember(RecentOrder(proposal.request_id, proposal.instrument_id, proposal.terms, passed_ns))
        self._undo.append(book.recent.pop)


def _answered(earlier: Iterable[ReservationRow], proposal: Proposal) -> ReservationRow | None:
    """The decision whose answer still stands, if any.

    A new order has one decision for good, unless what it held was given up. A replace has one until execution
    records it: the same terms may be asked for again after the venue, or a rule, has refused them.
    """
    for row in earlier:
        if proposal.terms_version > FIRST_VERSION:
            is_open = row.state is HoldState.HELD and not row.hold.confirmed
            if is_open and _is_same(row, proposal):
                return row
        elif row.state is not HoldState.RELEASED or row.hold.confirmed:
            if not _is_same(row, proposal):
                raise already_exists(
                    "REQUEST_ID_REUSED",
                    f"order {proposal.order_id} was judged before with other content",
                    order_id=proposal.order_id,
                )
            return row
    return None


def _is_same(row: ReservationRow, proposal: Proposal) -> bool:
    return (
        row.account_id == proposal.account_id
        and row.instrument_id == proposal.instrument_id
        and row.hold.terms == proposal.terms
    )
