"""QualityService: checks the bars that are held, and repairs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost.data.v1 import quality_service_pb2 as pb
from bifrost.data.v1 import quality_service_pb2_grpc as pb_grpc
from services.data.bars.history import requested_range
from services.data.convert_quality import (
    count_messages,
    finding_messages,
    proposal_message,
    repair_message,
    report_message,
)
from services.data.domain.bars import BarInterval
from services.data.instruments.directory import InstrumentDirectory
from services.data.quality.findings import FindingKind
from services.data.quality.picture import CONTENT_TYPE, draw
from services.data.quality.proposals import propose
from services.data.quality.quality_inspector import QualityInspector
from services.data.quality.quality_store import list_repairs
from services.data.quality.repairs import Repairs
from services.runtime.auth import current_principal
from services.runtime.database import Database
from services.runtime.idempotency import request_digest
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class QualityService(pb_grpc.QualityServiceServicer):
    """The servicer."""

    def __init__(
        self,
        database: Database,
        directory: InstrumentDirectory,
        inspector: QualityInspector,
        repairs: Repairs,
    ) -> None:
        self._database = database
        self._directory = directory
        self._inspector = inspector
        self._repairs = repairs

    async def CheckBars(
        self,
        request: pb.CheckBarsRequest,
        _context: ServicerContext[pb.CheckBarsRequest, pb.CheckBarsResponse],
    ) -> pb.CheckBarsResponse:
        """What is wrong in a range."""
        instrument = await self._directory.resolve(request.instrument)
        start_ns, end_ns = requested_range(request)
        inspected = await self._inspector.inspect(
            instrument, BarInterval(request.interval), start_ns=start_ns, end_ns=end_ns
        )
        wanted = {FindingKind(kind) for kind in request.kinds} or set(FindingKind)
        found = [one for one in inspected.inspection.found if one.kind in wanted]
        return pb.CheckBarsResponse(
            bars=len(inspected.inspection.bars),
            counts=count_messages(found),
            findings=finding_messages(found),
        )

    async def GetQualityReport(
        self,
        request: pb.GetQualityReportRequest,
        _context: ServicerContext[pb.GetQualityReportRequest, pb.GetQualityReportResponse],
    ) -> pb.GetQualityReportResponse:
        """All that is known of the bars' quality."""
        instrument, interval = (
            await self._directory.resolve(request.instrument),
            BarInterval(request.interval),
        )
        inspected = await self._inspector.inspect(instrument, interval)
        inspection = inspected.inspection
        response = pb.GetQualityReportResponse(
            report=report_message(
                instrument.instrument_id,
                interval,
                inspection,
                quarantined=inspected.quarantined,
                etag=inspected.etag,
            )
        )
        if request.include_picture:
            title = f"{instrument.symbol} {interval.name.replace('_', ' ').lower()}"
            response.picture = draw(title, inspection, inspected.held.splits).encode()
            response.picture_content_type = CONTENT_TYPE
        return response

    async def ProposeRepairs(
        self,
        request: pb.ProposeRepairsRequest,
        _context: ServicerContext[pb.ProposeRepairsRequest, pb.ProposeRepairsResponse],
    ) -> pb.ProposeRepairsResponse:
        """What would set it right."""
        instrument, interval = (
            await self._directory.resolve(request.instrument),
            BarInterval(request.interval),
        )
        inspected = await self._inspector.inspect(instrument, interval)
        proposals = propose(inspected.inspection, version=inspected.held.version)
        return pb.ProposeRepairsResponse(
            proposals=[proposal_message(instrument.instrument_id, interval, one) for one in proposals],
            etag=inspected.etag,
        )

    async def ApplyRepairs(
        self,
        request: pb.ApplyRepairsRequest,
        _context: ServicerContext[pb.ApplyRepairsRequest, pb.ApplyRepairsResponse],
    ) -> pb.ApplyRepairsResponse:
        """Make repairs."""
        instrument = await self._directory.resolve(request.instrument)
        repair, duplicate = await self._repairs.apply(
            instrument,
            BarInterval(request.interval),
            request.proposal_ids,
            etag=request.etag,
            request_id=request.request_id,
            digest=request_digest(request),
            owner=_owner(),
        )
        message = repair_message(repair)
        return pb.ApplyRepairsResponse(repair=message, duplicate=duplicate)

    async def RevertRepair(
        self,
        request: pb.RevertRepairRequest,
        _context: ServicerContext[pb.RevertRepairRequest, pb.RevertRepairResponse],
    ) -> pb.RevertRepairResponse:
        """Take a repair back."""
        repair, duplicate = await self._repairs.revert(
            request.repair_id,
            request_id=request.request_id,
            digest=request_digest(request),
            owner=_owner(),
        )
        message = repair_message(repair)
        return pb.RevertRepairResponse(repair=message, duplicate=duplicate)

    async def ListRepairs(
        self,
        request: pb.ListRepairsRequest,
        _context: ServicerContext[pb.ListRepairsRequest, pb.ListRepairsResponse],
    ) -> pb.ListRepairsResponse:
        """A page, newest first."""
        instrument = await self._directory.resolve(request.instrument)
        position = decode_page_token(request, request.page_token, repair_id=text)
        before = None if position is None else position["repair_id"]
        size = page_size(request.page_size)
        async with self._database.read() as connection:
            found = await list_repairs(connection, instrument.instrument_no, before=before, limit=size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"repair_id": found[size - 1].repair_id})
        repairs = [repair_message(one) for one in found[:size]]
        return pb.ListRepairsResponse(repairs=repairs, next_page_token=token)

    async def ReleaseQuarantinedBars(
        self,
        request: pb.ReleaseQuarantinedBarsRequest,
        _context: ServicerContext[pb.ReleaseQuarantinedBarsRequest, pb.ReleaseQuarantinedBarsResponse],
    ) -> pb.ReleaseQuarantinedBarsResponse:
        """Store refused bars."""
        instrument = await self._directory.resolve(request.instrument)
        repair, duplicate = await self._repairs.release(
            instrument,
            request.quarantine_nos,
            reason=request.reason,
            request_id=request.request_id,
            digest=request_digest(request),
            owner=_owner(),
        )
        message = repair_message(repair)
        return pb.ReleaseQuarantinedBarsResponse(repair=message, duplicate=duplicate)


def _owner() -> str:
    principal = current_principal()
    return principal.caller
