"""Following a venue's execution log: each report has its effect on its order exactly once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

import sqlalchemy as sa

from services.execution.adapters.venue import ReportType, VenueAdapter, VenueReport
from services.execution.blotter import Blotter
from services.execution.domain import lifecycle
from services.execution.domain.order import Order, Transition
from services.execution.report_batch import OrderReport, ReportBatch, report_batch
from services.execution.store import OrderStore
from services.runtime.arrivals import Patience
from services.runtime.clock import Clock
from services.runtime.errors import ApiError
from services.runtime.event_log import EventLog, LogTransaction
from services.runtime.failpoints import failpoint
from services.runtime.follower import Follower, FollowerHaltedError
from services.runtime.ids import new_id
from services.runtime.stream_client import StreamResponse

# The direct answer tells of an acceptance too, and records it sooner. The log's word of it is needed when
# that answer is lost; otherwise it only moves the cursor, which needs no transaction of its own.
_ACCEPTANCE_WAIT_S: Final = 0.25


class VenueReports:
    """One venue's reports: order changes, their events and the cursor in one transaction."""

    def __init__(
        self,
        venue: VenueAdapter,
        *,
        blotter: Blotter,
        store: OrderStore,
        log: EventLog,
        cursors: sa.Table,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._blotter = blotter
        self._store = store
        self._log = log
        self._clock = clock
        self._batch: ReportBatch | None = None
        self.follower: Follower[LogTransaction, StreamResponse] = Follower(
            f"venue.{venue.code}",
            open_stream=venue.open_reports,
            transaction=self._transaction,
            cursors=cursors,
            apply=self._apply,
            patience=Patience(venue.is_acceptance, _ACCEPTANCE_WAIT_S),
        )

    async def run(self) -> None:
        """Follow for ever."""
        await self.follower.run()

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[LogTransaction]:
        async with report_batch(self._venue.code, self._blotter, self._store, self._log) as batch:
            self._batch = batch
            yield batch.transaction
        if batch.orders:
            failpoint("execution.report.after_commit")

    async def _apply(self, _transaction: LogTransaction, responses: Sequence[StreamResponse]) -> None:
        if self._batch is None:
            raise FollowerHaltedError("reports came outside a transaction")
        reports = []
        for response in responses:
            try:
                report = self._venue.report(response)
            except (ValueError, ApiError) as error:
                raise FollowerHaltedError(f"report {response.header.sequence}: {error}") from error
            self._blotter.market_time.observe(self._venue.code, report.order.time_ns)
            reports.append(self._decision(report))
        await self._batch.apply(reports)
        failpoint("execution.report.before_commit")

    def _decision(self, report: VenueReport) -> OrderReport:
        told, execution, now_ns = report.order, report.execution, self._clock.now_ns()
        time_ns = told.time_ns

        def decide(order: Order) -> Transition:
            match report.type:
                case ReportType.ACCEPTED:
                    return lifecycle.accept(order, at_ns=now_ns)
                case ReportType.REJECTED:
                    return lifecycle.reject(order, told.reject_reasons, told.message, at_ns=now_ns)
                case ReportType.CANCELLED:
                    return lifecycle.cancel(order, told.message, at_ns=now_ns)
                case ReportType.REPLACED:
                    return lifecycle.replace(order, told.terms, told.terms_version, at_ns=now_ns)
                case ReportType.EXPIRED:
                    return lifecycle.expire(order, told.message, at_ns=now_ns)
                case ReportType.TRIGGERED:
                    return lifecycle.trigger(order, at_ns=now_ns)
                case ReportType.FILLED if execution is not None:
                    return lifecycle.apply_fill(order, execution, new_id(self._clock), at_ns=now_ns)
            raise FollowerHaltedError(f"a fill of {told.order_id} without its execution")

        if execution is not None:
            time_ns = execution.event_time_ns
        time_ns = time_ns or self._blotter.market_time.now_ns(self._venue.code)
        return OrderReport(told.order_id, decide, time_ns, is_fill=execution is not None)
