"""FundamentalService: records facts of instruments and shows them as they were known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bifrost.data.v1 import fundamental_pb2
from bifrost.data.v1 import fundamental_service_pb2 as pb
from bifrost.data.v1 import fundamental_service_pb2_grpc as pb_grpc
from bifrost.type.v1 import value_pb2
from services.data.convert import date_of
from services.data.convert_facts import (
    EARNINGS_NAMES,
    M,
    earnings_messages,
    fact_message,
    fact_names,
    summary,
)
from services.data.domain.facts import FACTS, AsOf, FactPeriod, names_like, newest
from services.data.facts.fact_specs import read_facts
from services.data.facts.fact_store import (
    Batch,
    FactOrigin,
    FactQuery,
    FactStore,
    begin_batch,
    insert_batch,
    read_batch,
)
from services.data.instruments.directory import InstrumentDirectory
from services.runtime.auth import current_principal
from services.runtime.clock import Clock, from_timestamp, to_timestamp
from services.runtime.database import Database
from services.runtime.errors import invalid_argument, not_found
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_RECORD = "RecordFacts"
_USUAL_PAGE = 1000
_LARGEST_PAGE = 10_000


class FundamentalService(pb_grpc.FundamentalServiceServicer):
    """The servicer."""

    def __init__(
        self,
        database: Database,
        directory: InstrumentDirectory,
        facts: FactStore,
        idempotency: IdempotencyStore,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._facts = facts
        self._idempotency = idempotency
        self._clock = clock

    async def RecordFacts(
        self,
        request: pb.RecordFactsRequest,
        _context: ServicerContext[pb.RecordFactsRequest, pb.RecordFactsResponse],
    ) -> pb.RecordFactsResponse:
        """Store a batch in one transaction."""
        principal = current_principal()
        owner, digest = principal.caller, request_digest(request)
        request_id = request.request_id
        # Before the transaction: batches that wait for a second connection while they hold one wait for ever.
        await self._directory.reload()
        async with self._database.transaction() as connection:
            stored = await self._idempotency.begin(connection, owner, _RECORD, request_id, digest)
            if stored is not None:
                return _answer(await read_batch(connection, int(stored.resource_id)), duplicate=True)
            record_time_ns = await begin_batch(connection, self._clock)
            # Thousands of facts take long to check.
            facts = await asyncio.to_thread(read_facts, request, self._directory.index, record_time_ns)
            origin = FactOrigin(request.source)
            batch = await insert_batch(connection, facts, origin, record_time_ns=record_time_ns)
            await self._idempotency.finish(connection, owner, _RECORD, request_id, str(batch.batch_no))
        return _answer(batch, duplicate=False)

    async def ListFacts(
        self,
        request: pb.ListFactsRequest,
        _context: ServicerContext[pb.ListFactsRequest, pb.ListFactsResponse],
    ) -> pb.ListFactsResponse:
        """A page by name, period, its end, and when published and recorded."""
        instrument = await self._directory.resolve(request.instrument)
        columns = {"period": number, "period_end": text, "publish_time": number, "record_time": number}
        position = decode_page_token(request, request.page_token, name=text, **columns)
        size = page_size(request.page_size, default=_USUAL_PAGE, maximum=_LARGEST_PAGE)
        query = self._query(request, instrument.instrument_no)
        found = await self._facts.read(query, after=_place(position), limit=size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = encode_page_token(
                request,
                {
                    "name": last.fact.key.name,
                    "period": str(int(last.fact.key.period)),
                    "period_end": last.fact.key.period_end.isoformat(),
                    "publish_time": str(last.fact.publish_time_ns),
                    "record_time": str(last.record_time_ns),
                },
            )
        facts = [fact_message(instrument.instrument_id, one) for one in found[:size]]
        return pb.ListFactsResponse(facts=facts, next_page_token=token)

    async def GetProfile(
        self,
        request: pb.GetProfileRequest,
        _context: ServicerContext[pb.GetProfileRequest, pb.GetProfileResponse],
    ) -> pb.GetProfileResponse:
        """Who issued it and what they do."""
        profile = await self._summary(fundamental_pb2.Profile, request.instrument, request.as_of)
        return pb.GetProfileResponse(profile=profile)

    async def GetValuation(
        self,
        request: pb.GetValuationRequest,
        _context: ServicerContext[pb.GetValuationRequest, pb.GetValuationResponse],
    ) -> pb.GetValuationResponse:
        """How the market values it."""
        valuation = await self._summary(fundamental_pb2.Valuation, request.instrument, request.as_of)
        return pb.GetValuationResponse(valuation=valuation)

    async def GetGovernanceRisk(
        self,
        request: pb.GetGovernanceRiskRequest,
        _context: ServicerContext[pb.GetGovernanceRiskRequest, pb.GetGovernanceRiskResponse],
    ) -> pb.GetGovernanceRiskResponse:
        """The scores of its governance."""
        scores = await self._summary(fundamental_pb2.GovernanceRisk, request.instrument, request.as_of)
        return pb.GetGovernanceRiskResponse(governance_risk=scores)

    async def GetDividendFacts(
        self,
        request: pb.GetDividendFactsRequest,
        _context: ServicerContext[pb.GetDividendFactsRequest, pb.GetDividendFactsResponse],
    ) -> pb.GetDividendFactsResponse:
        """What it distributes."""
        facts = await self._summary(fundamental_pb2.DividendFacts, request.instrument, request.as_of)
        return pb.GetDividendFactsResponse(dividend_facts=facts)

    async def ListEarnings(
        self,
        request: pb.ListEarningsRequest,
        _context: ServicerContext[pb.ListEarningsRequest, pb.ListEarningsResponse],
    ) -> pb.ListEarningsResponse:
        """Its reports, oldest first."""
        instrument = await self._directory.resolve(request.instrument)
        query = FactQuery(instrument.instrument_no, EARNINGS_NAMES, as_of=self._as_of(request.as_of))
        found = await self._facts.read(query)
        return pb.ListEarningsResponse(earnings=earnings_messages(instrument.instrument_id, found))

    async def _summary(self, kind: type[M], ref: value_pb2.InstrumentRef, as_of: pb.AsOf) -> M:
        instrument = await self._directory.resolve(ref)
        query = FactQuery(instrument.instrument_no, fact_names(kind), as_of=self._as_of(as_of))
        found = newest(await self._facts.read(query))
        if not found:
            message = f"nothing of this is known of {instrument.symbol}, or was at that time"
            raise not_found("FACTS_NOT_FOUND", message, instrument_id=instrument.instrument_id)
        return summary(kind, instrument.instrument_id, found)

    def _query(self, request: pb.ListFactsRequest, instrument_no: int) -> FactQuery:
        for place, name in enumerate(request.names):
            if name not in FACTS:
                nearest = ",".join(names_like(name))
                raise invalid_argument(
                    "FACT_UNKNOWN", f"no fact has the name {name}", field=f"names[{place}]", nearest=nearest
                )
        first = date_of(request.period_end_from, field="period_end_from")
        last = date_of(request.period_end_to, field="period_end_to")
        if first and last and last < first:
            message = f"period_end_to {last} is before period_end_from {first}"
            raise invalid_argument("RANGE_INVALID", message, field="period_end_to")
        return FactQuery(
            instrument_no,
            tuple(request.names),
            FactPeriod(request.period) if request.period else None,
            first,
            last,
            self._as_of(request.as_of),
            request.all_versions,
        )

    def _as_of(self, message: pb.AsOf) -> AsOf:
        recorded = from_timestamp(message.record_time) if message.HasField("record_time") else None
        if recorded is not None and recorded > self._clock.now_ns():
            text = "what will be recorded up to a time in the future is not known"
            raise invalid_argument("AS_OF_IN_FUTURE", text, field="as_of.record_time")
        published = from_timestamp(message.publish_time) if message.HasField("publish_time") else None
        return AsOf(published, recorded)


def _place(position: dict[str, str] | None) -> Sequence[object] | None:
    if position is None:
        return None
    period_end = date_of(position["period_end"], field="page_token")
    times = (int(position["publish_time"]), int(position["record_time"]))
    return (position["name"], int(position["period"]), period_end, *times)


def _answer(batch: Batch, *, duplicate: bool) -> pb.RecordFactsResponse:
    return pb.RecordFactsResponse(
        recorded=batch.recorded,
        unchanged=batch.unchanged,
        record_time=to_timestamp(batch.record_time_ns),
        duplicate=duplicate,
    )
