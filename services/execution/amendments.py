"""Cancels and replaces: recorded first, then sent, and repeated until the venue has answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine

from bifrost.type.v1 import value_pb2
from services.execution.adapters.venue import NoAnswerError
from services.execution.blotter import Blotter, UnknownOrderError
from services.execution.clients import Accounts, Instruments, Reservation, Risk, release_all
from services.execution.desk import Answered, Desk
from services.execution.domain import lifecycle
from services.execution.domain.order import (
    FINAL,
    WORKING,
    Order,
    OrderError,
    OrderState,
    Replacement,
    Transition,
)
from services.execution.domain.terms import OrderTerms
from services.execution.in_flight import Claim, InFlight
from services.execution.reconciliation import Reconciliation
from services.execution.resolver import Resolver
from services.execution.store import OrderStore, ReplaceRequest
from services.execution.submission import check_terms
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import (
    ApiError,
    aborted,
    failed_precondition,
    invalid_argument,
    not_found,
    unavailable,
)
from services.runtime.event_log import TooLateError
from services.runtime.failpoints import failpoint
from services.runtime.failures import to_api_error
from services.runtime.idempotency import check_digest
from services.runtime.tasks import OwnedWork


class Amendments:
    """Changes of working orders."""

    def __init__(
        self,
        *,
        store: OrderStore,
        blotter: Blotter,
        accounts: Accounts,
        instruments: Instruments,
        risk: Risk,
        desk: Desk,
        resolver: Resolver,
        reconciliation: Reconciliation,
        work: OwnedWork,
        clock: Clock,
        reservation_valid_s: float,
    ) -> None:
        self._store = store
        self._blotter = blotter
        self._accounts = accounts
        self._instruments = instruments
        self._risk = risk
        self._desk = desk
        self._resolver = resolver
        self._reconciliation = reconciliation
        self._work = work
        self._clock = clock
        self._valid_ns = int(reservation_valid_s * NANOS)
        self._requests = InFlight()
        self._amended = InFlight()

    async def find(self, account_id: str, order_id: str) -> Order:
        """The account's order; ApiError NOT_FOUND (ORDER_NOT_FOUND)."""
        try:
            order = await self._blotter.find(order_id)
        except UnknownOrderError:
            raise _no_order(account_id, order_id) from None
        if order.account_id != account_id:
            raise _no_order(account_id, order_id)
        return order

    async def cancel(self, account_id: str, order_id: str, etag: str) -> Order:
        """Cancel what is left of an order; it is CANCELLED, or PENDING_CANCEL while the venue is silent."""
        await self.find(account_id, order_id)
        return await self._finish(self._cancel(order_id, etag), "CancelOrder")

    async def cancel_all(self, account_id: str, instrument_id: str) -> list[Order]:
        """Cancel the account's working orders; those a cancel was asked for, as they are now."""
        cancellable = WORKING | {OrderState.PENDING_CANCEL}
        orders = [
            order
            for order in self._blotter.open_orders(account_id)
            if order.state in cancellable and instrument_id in {"", order.instrument_id}
        ]
        if not orders:
            await self._accounts.get(account_id)
        work = asyncio.gather(*(self._work.start(self._cancel_one(order.order_id)) for order in orders))
        return [order for order in await asyncio.shield(work) if order is not None]

    async def replace(
        self, account_id: str, order_id: str, request_id: str, digest: str, terms: OrderTerms, etag: str
    ) -> tuple[Order, bool]:
        """Give an order new terms; the order, and whether this request had come before."""
        claim = await self._requests.claim(account_id, [request_id])
        try:
            before = await self._store.find_replace_request(account_id, request_id)
            if before is not None:
                check_digest(request_id, first=before.digest, again=digest)
                claim.release()
                return await self.find(account_id, before.order_id), True
            request = ReplaceRequest(account_id, request_id, digest, order_id, self._clock.now_ns())
            order = await self._check_replace(request, terms, etag)
        except BaseException:
            claim.release()
            raise
        work = self._replace(order, request, terms, etag, claim)
        return await self._finish(work, "ReplaceOrder"), False

    async def _finish(self, work: Coroutine[None, None, Order], method: str) -> Order:
        """Run to the end, whether or not the caller waits for it; an error is the caller's."""
        result = await asyncio.shield(self._work.start(_outcome(work, method)))
        if isinstance(result, ApiError):
            raise result
        return result

    async def _cancel(self, order_id: str, etag: str) -> Order:
        def decide(order: Order) -> Transition:
            if order.state not in {
                OrderState.PENDING_CANCEL,
                OrderState.CANCELLED,
            }:  # a repeat is no conflict
                _check_etag(order, etag)
            return lifecycle.request_cancel(order, at_ns=self._clock.now_ns())

        order = await self._change(order_id, decide)
        if order.state is OrderState.CANCELLED:
            return order
        failpoint("execution.cancel.after_commit")
        answered = await self._answer(order, self._desk.cancel)
        if answered.order.state in {OrderState.CANCELLED, OrderState.PENDING_CANCEL}:
            return answered.order
        raise _cancel_refused(answered)

    async def _cancel_one(self, order_id: str) -> Order | None:
        """None: no cancel could be asked for."""
        try:
            return await self._cancel(order_id, "")
        except ApiError as error:
            if error.reason == "ORDER_BUSY":
                return None
            return await self._blotter.find(order_id)

    async def _check_replace(self, request: ReplaceRequest, terms: OrderTerms, etag: str) -> Order:
        """What can be said before risk is asked."""
        order = await self.find(request.account_id, request.order_id)
        self._reconciliation.check_open(order.account_id, order.venue)
        _check_etag(order, etag)
        try:
            lifecycle.check_replace(order, terms)
        except OrderError as error:
            raise _refusal(error) from error
        ref = value_pb2.InstrumentRef(instrument_id=order.instrument_id)
        check_terms(terms, await self._instruments.get(ref))
        return order

    async def _replace(
        self, order: Order, request: ReplaceRequest, terms: OrderTerms, etag: str, claim: Claim
    ) -> Order:
        with contextlib.ExitStack() as claims:
            claims.callback(claim.release)
            # One at a time from the reservation on: two would ask risk to hold for the same version.
            amended = await self._amended.claim(order.order_id, [""])
            claims.callback(amended.release)
            order = await self._check_replace(request, terms, etag)
            not_after_ns = self._clock.monotonic_ns() + self._valid_ns
            order = await self._record_replace(order, request, terms, etag, claims, not_after_ns)
            failpoint("execution.replace.after_commit")
        is_late = self._clock.monotonic_ns() > not_after_ns
        answered = await self._answer(order, self._desk.withhold_replace if is_late else self._desk.replace)
        if answered.refusal is not None:
            raise _replace_refused(answered)
        return answered.order

    async def _record_replace(
        self,
        order: Order,
        request: ReplaceRequest,
        terms: OrderTerms,
        etag: str,
        claims: contextlib.ExitStack,
        not_after_ns: int,
    ) -> Order:
        """Have risk hold for the new terms and, while that is surely good, commit that they are wanted."""
        try:
            (answer,) = await self._risk.reserve(order.account_id, [(order, terms, order.terms_version + 1)])
        except ApiError:
            self._give_back(order, claims)
            await self._check_replace(request, terms, etag)  # risk holds for no order that has ended
            raise
        except BaseException:  # risk may hold it, and nothing will be recorded
            self._give_back(order, claims)
            raise
        if not answer.reserved:
            raise _refused_by_risk(order, answer)
        replacement = Replacement(terms, answer.worst_price)

        def decide(now: Order) -> Transition:
            _check_etag(now, etag)
            return lifecycle.request_replace(now, replacement, at_ns=self._clock.now_ns())

        try:
            return await self._change(order.order_id, decide, request, not_after_ns)
        except Exception:
            self._give_back(order, claims)
            raise

    def _give_back(self, order: Order, claims: contextlib.ExitStack) -> None:
        """Let go of what risk may hold for new terms; the order's next replace waits until that is done.

        It asks for the same version of the terms, and must not lose what is held for it.
        """

        async def give_back(kept: contextlib.ExitStack) -> None:
            with kept:
                await release_all(self._risk, [(order, order.terms_version + 1)])

        self._work.start(give_back(claims.pop_all()))

    async def _change(
        self,
        order_id: str,
        decide: Callable[[Order], Transition],
        request: ReplaceRequest | None = None,
        not_after_ns: int | None = None,
    ) -> Order:
        try:
            return await self._blotter.change(
                order_id, decide, replace_request=request, not_after_ns=not_after_ns
            )
        except OrderError as error:
            raise _refusal(error) from error
        except TooLateError as error:
            raise unavailable(
                "RISK_UNAVAILABLE",
                "the new terms could not be recorded while their reservation was good; try again",
            ) from error

    async def _answer(self, order: Order, ask: Callable[[Order], Awaitable[Answered]]) -> Answered:
        """The venue's answer, or the order still pending when it is slow; it goes on being asked."""
        try:
            answered = await ask(order)
        except NoAnswerError as error:
            self._resolver.watch(order.order_id)
            if error.late:
                return Answered(await self._blotter.find(order.order_id))
            raise unavailable(
                "VENUE_UNAVAILABLE",
                f"{order.venue} did not answer; it goes on being asked, and the order's event will tell",
                order_id=order.order_id,
                venue=order.venue,
            ) from error
        except Exception:
            self._resolver.watch(order.order_id)
            raise
        if answered.order.state is order.state:
            self._resolver.watch(order.order_id)
        return answered


async def _outcome(work: Coroutine[None, None, Order], method: str) -> Order | ApiError:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  # it leaves as an answer; what is not foreseen is logged
        return to_api_error(error, method)


def _no_order(account_id: str, order_id: str) -> ApiError:
    text = f"account {account_id} has no order {order_id}"
    return not_found("ORDER_NOT_FOUND", text, account_id=account_id, order_id=order_id)


def _check_etag(order: Order, etag: str) -> None:
    if etag and etag != order.etag:
        raise aborted(
            "ETAG_MISMATCH", "the order has changed since it was read; read it again", etag=order.etag
        )


def _refusal(error: OrderError) -> ApiError:
    if error.reason == "TERMS_FIXED":
        return invalid_argument(error.reason, error.message, field="terms")
    return _precondition(error.reason, error.message, error.order)


def _ended(answered: Answered) -> ApiError:
    said = answered.refusal.message if answered.refusal is not None else ""
    return _precondition("ORDER_ENDED", said or f"the order is {answered.order.state.name}", answered.order)


def _cancel_refused(answered: Answered) -> ApiError:
    refusal = answered.refusal
    if answered.order.state in FINAL or (refusal is not None and refusal.reason == "ORDER_ENDED"):
        return _ended(answered)
    said = refusal.message if refusal is not None else ""
    return _precondition(
        "CANCEL_REFUSED", said or "the venue refused the cancel; the order may still fill", answered.order
    )


def _refused_by_risk(order: Order, answer: Reservation) -> ApiError:
    return failed_precondition(
        "REPLACE_REFUSED",
        answer.failed_message or "risk refused the new terms",
        precondition=("RISK", order.order_id, ", ".join(answer.failed_rules)),
        rules=",".join(answer.failed_rules),
    )


def _replace_refused(answered: Answered) -> ApiError:
    refusal = answered.refusal
    if refusal is None or refusal.reason == "ORDER_ENDED":
        return _ended(answered)
    reason = "QUANTITY_FILLED" if refusal.reason == "QUANTITY_FILLED" else "REPLACE_REFUSED"
    message = refusal.message or "the venue refused the new terms; the old ones stand"
    return _precondition(reason, message, answered.order)


def _precondition(reason: str, message: str, order: Order) -> ApiError:
    state = order.state.name
    precondition = ("ORDER_STATE", order.order_id, state)
    return failed_precondition(
        reason, message, precondition=precondition, order_id=order.order_id, state=state
    )
