"""From a request to an order at the venue: looked up, checked, reserved, recorded, sent, in this order.

Up to the reservation the caller may give up, and nothing has happened. From the commit of the intent on the
work is the service's own and goes on without the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import grpc
import structlog

from bifrost.risk.v1 import check_pb2
from bifrost.type.v1 import value_pb2
from services.execution.blotter import Blotter
from services.execution.clients import Account, Accounts, Instruments, Reservation, Risk, release_all
from services.execution.desk import Desk
from services.execution.domain import lifecycle
from services.execution.domain.order import UNACKNOWLEDGED, Order, OrderState
from services.execution.domain.terms import Instrument, OffStepError, OrderTerms, check_steps
from services.execution.in_flight import Claim, InFlight
from services.execution.reconciliation import Reconciliation
from services.execution.resolver import Resolver
from services.execution.store import OrderStore
from services.runtime.clock import NANOS, Clock
from services.runtime.database import is_connection_failure
from services.runtime.decimals import format_decimal
from services.runtime.errors import ApiError, unavailable
from services.runtime.event_log import TooLateError
from services.runtime.failpoints import failpoint
from services.runtime.failures import to_api_error
from services.runtime.idempotency import check_digest
from services.runtime.ids import new_id
from services.runtime.tasks import OwnedWork

_log = structlog.get_logger(__name__)


class Outcome(IntEnum):
    """What is known when a submission is answered; numbers as in the contract."""

    ACCEPTED = 1
    REJECTED = 2
    DUPLICATE = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Intake:
    """An order as it is asked for."""

    request_id: str
    digest: str
    instrument: value_pb2.InstrumentRef
    terms: OrderTerms
    tag: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of it."""

    outcome: Outcome
    order: Order
    check: check_pb2.CheckResult | None = None


@dataclass(frozen=True, slots=True)
class _Reserved:
    """A draft that risk has judged; the intent must be committed by `not_after_ns` (monotonic)."""

    draft: Order
    reservation: Reservation
    not_after_ns: int


class Submission:
    """Takes orders."""

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
        self._in_flight = InFlight()

    async def submit(
        self, account_id: str, user_id: str, intakes: Sequence[Intake]
    ) -> list[Submitted | ApiError]:
        """Submit orders of one account; what came of each, in this order. ApiError: of the whole call."""
        claim = await self._in_flight.claim(account_id, [intake.request_id for intake in intakes])
        results: dict[str, Submitted | ApiError] = {}
        firsts: dict[str, Intake] = {}
        for intake in intakes:
            firsts.setdefault(intake.request_id, intake)
        try:
            reserved = await self._prepare(account_id, user_id, list(firsts.values()), results)
        except BaseException:
            claim.release()
            raise
        if reserved:
            work = self._work.start(self._carry_out(reserved, claim))
            results |= await asyncio.shield(work)
        else:
            claim.release()
        return [self._result(intake, firsts[intake.request_id], results) for intake in intakes]

    async def _prepare(
        self,
        account_id: str,
        user_id: str,
        intakes: Sequence[Intake],
        results: dict[str, Submitted | ApiError],
    ) -> list[_Reserved]:
        """Everything before the intent; `results` takes what is decided already."""
        known = await self._store.find_by_request(account_id, [intake.request_id for intake in intakes])
        for intake in intakes:
            if intake.request_id in known:
                results[intake.request_id] = _duplicate(intake, known[intake.request_id])
        fresh = [intake for intake in intakes if intake.request_id not in known]
        if not fresh:
            return []
        account = await self._accounts.get(account_id)
        self._desk.check_venue(account.venue)
        self._reconciliation.check_open(account_id, account.venue)
        drafts: list[Order] = []
        for intake in fresh:
            try:
                instrument = await self._instruments.get(intake.instrument)
                check_terms(intake.terms, instrument)
                drafts.append(self._draft(intake, account, user_id, instrument))
            except ApiError as error:
                results[intake.request_id] = error
        return await self._reserve(account_id, drafts) if drafts else []

    def _draft(self, intake: Intake, account: Account, user_id: str, instrument: Instrument) -> Order:
        now_ns = self._clock.now_ns()
        return Order(
            order_id=new_id(self._clock),
            account_id=account.account_id,
            request_id=intake.request_id,
            digest=intake.digest,
            instrument_id=instrument.instrument_id,
            symbol=instrument.symbol,
            currency=instrument.currency,
            venue=account.venue,
            user_id=user_id,
            tag=intake.tag,
            terms=intake.terms,
            protection_price=None,
            create_time_ns=now_ns,
            update_time_ns=now_ns,
        )

    async def _reserve(self, account_id: str, drafts: Sequence[Order]) -> list[_Reserved]:
        failpoint("execution.submit.before_reserve")
        not_after_ns = self._clock.monotonic_ns() + self._valid_ns
        try:
            answers = await self._risk.reserve(account_id, [(draft, draft.terms, 1) for draft in drafts])
        except BaseException:  # also when the caller has gone: risk may hold it, and nothing will be recorded
            self._work.start(release_all(self._risk, [(draft, draft.terms_version) for draft in drafts]))
            raise
        return [
            _Reserved(replace(draft, protection_price=answer.worst_price), answer, not_after_ns)
            for draft, answer in zip(drafts, answers, strict=True)
        ]

    async def _carry_out(
        self, reserved: Sequence[_Reserved], claim: Claim
    ) -> dict[str, Submitted | ApiError]:
        """Commit all intents together, then send what risk has let through."""
        try:
            failpoint("execution.submit.before_commit")
            recorded = await asyncio.gather(*(self._record(item) for item in reserved))
            failpoint("execution.submit.after_commit")
            results = await asyncio.gather(
                *(self._send(item, order) for item, order in zip(reserved, recorded, strict=True))
            )
            failpoint("execution.submit.before_reply")
            return {item.draft.request_id: result for item, result in zip(reserved, results, strict=True)}
        finally:
            claim.release()

    async def _record(self, item: _Reserved) -> Order | ApiError:
        """Commit the intent, or the refusal; an error when nothing was recorded."""
        reservation = item.reservation
        if reservation.reserved:
            transition = lifecycle.submit_order(item.draft)
        else:
            transition = lifecycle.refuse_order(
                item.draft, reservation.failed_rules, reservation.failed_message
            )
        try:
            return await self._blotter.add(transition, not_after_ns=item.not_after_ns)
        except TooLateError:
            error = unavailable(
                "RISK_UNAVAILABLE",
                "the order could not be recorded while its reservation was good; try again",
            )
        except Exception as failure:  # noqa: BLE001  # orders beside it in a batch are recorded and must be sent
            error = to_api_error(failure, "SubmitOrder")
        if reservation.reserved:
            self._work.start(release_all(self._risk, [(item.draft, item.draft.terms_version)]))
        return error

    async def _send(self, item: _Reserved, recorded: Order | ApiError) -> Submitted | ApiError:
        if isinstance(recorded, ApiError):
            return recorded
        order, check = recorded, item.reservation.check
        if order.state is OrderState.REJECTED:
            return Submitted(Outcome.REJECTED, order, check)
        is_late = self._clock.monotonic_ns() > item.not_after_ns
        try:
            order = await (self._desk.withhold(order) if is_late else self._desk.submit(order))
        except Exception as error:  # noqa: BLE001  # recorded, perhaps sent: whatever fails, the answer is no error
            trace = None if is_connection_failure(error) else error
            _log.warning("answer_not_recorded", order_id=order.order_id, error=repr(error), exc_info=trace)
        if order.state in UNACKNOWLEDGED:
            self._resolver.watch(order.order_id)
            return Submitted(Outcome.UNKNOWN, order, check)
        rejected = order.state is OrderState.REJECTED
        return Submitted(Outcome.REJECTED if rejected else Outcome.ACCEPTED, order, check)

    def _result(
        self, intake: Intake, first: Intake, results: dict[str, Submitted | ApiError]
    ) -> Submitted | ApiError:
        """What came of an order of the call; one that repeats another of the same call is its duplicate."""
        result = results[intake.request_id]
        if intake is first or isinstance(result, ApiError):
            return result
        return _duplicate(intake, result.order)


def _duplicate(intake: Intake, order: Order) -> Submitted | ApiError:
    try:
        check_digest(intake.request_id, first=order.digest, again=intake.digest)
    except ApiError as error:
        return error
    return Submitted(Outcome.DUPLICATE, order)


def check_terms(terms: OrderTerms, instrument: Instrument) -> None:
    """Raise INVALID_ARGUMENT (PRICE_OFF_TICK, QUANTITY_OFF_LOT) unless prices and quantity keep their steps.

    The fields are named as in a request that has `terms`.
    """
    try:
        check_steps(terms, instrument)
    except OffStepError as error:
        fields = [(f"terms.{field}", text) for field, text in error.fields]
        raise ApiError(
            grpc.StatusCode.INVALID_ARGUMENT,
            error.reason,
            "; ".join(f"{field} {text}" for field, text in fields),
            metadata={
                "tick_size": format_decimal(error.tick_size),
                "lot_size": format_decimal(instrument.lot_size),
            },
            violations=fields,
        ) from error
