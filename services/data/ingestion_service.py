"""IngestionService: loads history and facts from sources, as jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1 import ingestion_service_pb2_grpc as pb_grpc
from bifrost.type.v1 import stream_pb2
from services.data.convert import date_of, ingestion_message
from services.data.domain.ingestion import Ingestion, IngestionKind
from services.data.ingestions.ingestion_store import IngestionStore
from services.data.ingestions.source_requests import check_source
from services.data.sources.source import Sources
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import ApiError, failed_precondition, invalid_argument, not_found
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.job import JobState
from services.runtime.jobs.requests import JobRequests
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

# Where on earth the date changes first: the day there may be a market's before it is one in UTC.
_FIRST_CLOCK = timezone(timedelta(hours=14))


def _check_range(made: Ingestion) -> None:
    if made.kind is IngestionKind.FACTS and (made.start_date or made.end_date):
        field = "start_date" if made.start_date else "end_date"
        raise invalid_argument(
            "FIELD_INVALID", "facts are what the source says now: give no dates", field=field
        )
    if made.start_date and made.end_date and made.end_date < made.start_date:
        message = f"end_date {made.end_date} is before start_date {made.start_date}"
        raise invalid_argument("RANGE_INVALID", message, field="end_date")
    today = datetime.fromtimestamp(made.create_time_ns // NANOS, _FIRST_CLOCK).date()
    if made.start_date and made.start_date > today:
        message = f"start_date {made.start_date} is in the future: there is nothing to load yet"
        now = datetime.fromtimestamp(made.create_time_ns // NANOS, UTC).isoformat()
        raise invalid_argument("RANGE_IN_FUTURE", message, field="start_date", now=now)


class IngestionService(pb_grpc.IngestionServiceServicer):
    """The servicer."""

    def __init__(
        self,
        store: IngestionStore,
        changes: JobChanges,
        idempotency: IdempotencyStore,
        sources: Sources,
        *,
        clock: Clock,
        heartbeat_s: float,
    ) -> None:
        self._store = store
        self._jobs = JobRequests(
            store, changes, idempotency, missing=_missing, clock=clock, heartbeat_s=heartbeat_s
        )
        self._sources = sources
        self._clock = clock

    async def CreateIngestion(
        self,
        request: pb.CreateIngestionRequest,
        _context: ServicerContext[pb.CreateIngestionRequest, pb.CreateIngestionResponse],
    ) -> pb.CreateIngestionResponse:
        """Record the job and return it PENDING."""
        now_ns = self._clock.now_ns()
        kind, interval = check_source(self._sources, request)
        made = Ingestion(
            new_id(self._clock),
            request.source,
            tuple(request.symbols),
            create_time_ns=now_ns,
            update_time_ns=now_ns,
            interval=interval,
            kind=kind,
            start_date=date_of(request.start_date, field="start_date"),
            end_date=date_of(request.end_date, field="end_date"),
        )
        _check_range(made)
        made, duplicate = await self._jobs.create(made, "CreateIngestion", request, request.request_id)
        return pb.CreateIngestionResponse(ingestion=ingestion_message(made), duplicate=duplicate)

    async def GetIngestion(
        self,
        request: pb.GetIngestionRequest,
        _context: ServicerContext[pb.GetIngestionRequest, pb.GetIngestionResponse],
    ) -> pb.GetIngestionResponse:
        """The job as it is now."""
        return pb.GetIngestionResponse(
            ingestion=ingestion_message(await self._jobs.find(request.ingestion_id))
        )

    async def ListIngestions(
        self,
        request: pb.ListIngestionsRequest,
        _context: ServicerContext[pb.ListIngestionsRequest, pb.ListIngestionsResponse],
    ) -> pb.ListIngestionsResponse:
        """A page, newest first."""
        position = decode_page_token(request, request.page_token, ingestion_id=text)
        before = None if position is None else position["ingestion_id"]
        size = page_size(request.page_size)
        found = await self._store.list_page(before=before, limit=size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"ingestion_id": found[size - 1].ingestion_id})
        return pb.ListIngestionsResponse(
            ingestions=map(ingestion_message, found[:size]), next_page_token=token
        )

    async def WatchIngestion(
        self,
        request: pb.WatchIngestionRequest,
        _context: ServicerContext[pb.WatchIngestionRequest, pb.WatchIngestionResponse],
    ) -> AsyncIterator[pb.WatchIngestionResponse]:
        """The job at every change until it has ended."""
        async for header, ingestion in self._jobs.watch(request.ingestion_id):
            if ingestion is None:
                yield pb.WatchIngestionResponse(header=header, heartbeat=stream_pb2.Heartbeat())
            else:
                yield pb.WatchIngestionResponse(header=header, ingestion=ingestion_message(ingestion))

    async def CancelIngestion(
        self,
        request: pb.CancelIngestionRequest,
        _context: ServicerContext[pb.CancelIngestionRequest, pb.CancelIngestionResponse],
    ) -> pb.CancelIngestionResponse:
        """Ask the job to stop; it does between two symbols."""
        ingestion = await self._jobs.find(request.ingestion_id)
        if not ingestion.cancel_requested:
            ingestion = await self._jobs.request_cancel(ingestion)
        if ingestion.state in {JobState.SUCCEEDED, JobState.FAILED}:
            raise failed_precondition(
                "INGESTION_ENDED",
                f"ingestion {ingestion.ingestion_id} has {ingestion.state.name.lower()}",
                precondition=("INGESTION_ENDED", ingestion.ingestion_id, ingestion.state.name),
                state=ingestion.state.name,
            )
        return pb.CancelIngestionResponse(ingestion=ingestion_message(ingestion))


def _missing(ingestion_id: str) -> ApiError:
    message = f"there is no ingestion {ingestion_id}"
    return not_found("INGESTION_NOT_FOUND", message, ingestion_id=ingestion_id)
