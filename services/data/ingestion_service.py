"""IngestionService: loads history from sources, as jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1 import ingestion_service_pb2_grpc as pb_grpc
from bifrost.type.v1 import stream_pb2
from services.data.convert import ingestion_message
from services.data.domain.ingestion import Ingestion, JobState
from services.data.ingestion_runner import IngestionRunner
from services.data.ingestion_store import IngestionStore, insert_ingestion
from services.data.sources.source import Sources
from services.runtime.auth import current_principal
from services.runtime.clock import Clock, to_timestamp
from services.runtime.database import Database
from services.runtime.errors import failed_precondition, invalid_argument, not_found
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.ids import new_id
from services.runtime.pagination import decode_page_token, encode_page_token, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_CREATE = "CreateIngestion"


class IngestionService(pb_grpc.IngestionServiceServicer):
    """The servicer."""

    def __init__(
        self,
        database: Database,
        store: IngestionStore,
        idempotency: IdempotencyStore,
        runner: IngestionRunner,
        sources: Sources,
        *,
        clock: Clock,
        heartbeat_s: float,
    ) -> None:
        self._database = database
        self._store = store
        self._idempotency = idempotency
        self._runner = runner
        self._sources = sources
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._epoch = new_id(clock)
        self._sequence = 0

    async def CreateIngestion(
        self,
        request: pb.CreateIngestionRequest,
        _context: ServicerContext[pb.CreateIngestionRequest, pb.CreateIngestionResponse],
    ) -> pb.CreateIngestionResponse:
        """Record the job and return it PENDING."""
        if request.source not in self._sources:
            sources = ",".join(sorted(self._sources))
            message = f"there is no source {request.source!r}; installed: {sources}"
            raise invalid_argument("SOURCE_UNKNOWN", message, field="source", sources=sources)
        principal = current_principal()
        owner, digest = principal.user_id or principal.subject, request_digest(request)
        now_ns = self._clock.now_ns()
        made = Ingestion(new_id(self._clock), request.source, tuple(request.symbols), now_ns, now_ns)
        async with self._database.transaction() as connection:
            stored = await self._idempotency.begin(connection, owner, _CREATE, request.request_id, digest)
            if stored is None:
                await insert_ingestion(connection, made)
                await self._idempotency.finish(
                    connection, owner, _CREATE, request.request_id, made.ingestion_id
                )
        if stored is None:
            self._runner.notify()
            return pb.CreateIngestionResponse(ingestion=ingestion_message(made))
        found = await self._find(stored.resource_id)
        return pb.CreateIngestionResponse(ingestion=ingestion_message(found), duplicate=True)

    async def GetIngestion(
        self,
        request: pb.GetIngestionRequest,
        _context: ServicerContext[pb.GetIngestionRequest, pb.GetIngestionResponse],
    ) -> pb.GetIngestionResponse:
        """The job as it is now."""
        return pb.GetIngestionResponse(ingestion=ingestion_message(await self._find(request.ingestion_id)))

    async def ListIngestions(
        self,
        request: pb.ListIngestionsRequest,
        _context: ServicerContext[pb.ListIngestionsRequest, pb.ListIngestionsResponse],
    ) -> pb.ListIngestionsResponse:
        """A page, newest first."""
        position = decode_page_token(request, request.page_token)
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
        sent: Ingestion | None = None
        while True:
            changed = self._runner.changed
            ingestion = await self._find(request.ingestion_id)
            if ingestion != sent:
                sent = ingestion
                yield pb.WatchIngestionResponse(header=self._header(), ingestion=ingestion_message(ingestion))
            if ingestion.state.has_ended:
                return
            try:
                await asyncio.wait_for(changed.wait(), self._heartbeat_s)
            except TimeoutError:
                yield pb.WatchIngestionResponse(header=self._header(), heartbeat=stream_pb2.Heartbeat())

    async def CancelIngestion(
        self,
        request: pb.CancelIngestionRequest,
        _context: ServicerContext[pb.CancelIngestionRequest, pb.CancelIngestionResponse],
    ) -> pb.CancelIngestionResponse:
        """Ask the job to stop; it does between two symbols."""
        ingestion = await self._find(request.ingestion_id)
        if ingestion.state in {JobState.SUCCEEDED, JobState.FAILED}:
            raise failed_precondition(
                "INGESTION_ENDED",
                f"ingestion {ingestion.ingestion_id} has {ingestion.state.name.lower()}",
                precondition=("INGESTION_ENDED", ingestion.ingestion_id, ingestion.state.name),
                state=ingestion.state.name,
            )
        if not ingestion.cancel_requested:
            await self._store.request_cancel(ingestion.ingestion_id, self._clock.now_ns())
            self._runner.notify()
            ingestion = await self._find(request.ingestion_id)
        return pb.CancelIngestionResponse(ingestion=ingestion_message(ingestion))

    async def _find(self, ingestion_id: str) -> Ingestion:
        found = await self._store.read(ingestion_id.lower())
        if found is None:
            message = f"there is no ingestion {ingestion_id}"
            raise not_found("INGESTION_NOT_FOUND", message, ingestion_id=ingestion_id)
        return found

    def _header(self) -> stream_pb2.StreamHeader:
        self._sequence += 1
        now = to_timestamp(self._clock.now_ns())
        return stream_pb2.StreamHeader(
            epoch=self._epoch, sequence=self._sequence, event_time=now, publish_time=now
        )
