"""BarService: reads history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bifrost.data.v1 import bar_service_pb2 as pb
from bifrost.data.v1 import bar_service_pb2_grpc as pb_grpc
from services.data.bars.bar_pages import BarPages, BarQuestion
from services.data.bars.history import History, requested_range, within
from services.data.bars.storage_layout import read_storage
from services.data.convert import list_bars_response
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.domain.sessions import TradingHours
from services.data.instruments.directory import InstrumentDirectory
from services.runtime.clock import from_timestamp
from services.runtime.database import Database
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_DEFAULT_PAGE = 10_000
_LARGEST_PAGE = 100_000


class BarService(pb_grpc.BarServiceServicer):
    """The servicer."""

    def __init__(
        self, directory: InstrumentDirectory, history: History, pages: BarPages, database: Database
    ) -> None:
        self._directory = directory
        self._history = history
        self._pages = pages
        self._database = database

    async def ListBars(
        self, request: pb.ListBarsRequest, _context: ServicerContext[pb.ListBarsRequest, pb.ListBarsResponse]
    ) -> bytes:
        """A page of bars as columns, serialised from the columns' own memory."""
        instrument = await self._directory.resolve(request.instrument)
        start_ns, end_ns = requested_range(request)
        position = decode_page_token(request, request.page_token, open_time_ns=number)
        if position is not None:
            start_ns = within(int(position["open_time_ns"]), start_ns, end_ns)
        size = page_size(request.page_size, default=_DEFAULT_PAGE, maximum=_LARGEST_PAGE)
        question = BarQuestion(
            instrument,
            BarInterval(request.interval),
            Adjustment(request.adjustment or Adjustment.RAW),
            TradingHours(request.hours or TradingHours.REGULAR),
            from_timestamp(request.as_of) if request.HasField("as_of") else None,
        )
        page = await self._pages.page(question, start_ns, end_ns, size)
        if position is None and not len(page.bars) and page.next_ns is None:
            self._history.check_range([instrument], start_ns, end_ns)
        token = ""
        if page.next_ns is not None:
            token = encode_page_token(request, {"open_time_ns": str(page.next_ns)})
        return await asyncio.to_thread(
            list_bars_response, instrument.instrument_id, page.bars, token, int(page.made_from)
        )

    async def GetStorage(
        self,
        _request: pb.GetStorageRequest,
        _context: ServicerContext[pb.GetStorageRequest, pb.GetStorageResponse],
    ) -> pb.GetStorageResponse:
        """How the table of bars is laid out."""
        storage = await read_storage(self._database)
        return pb.GetStorageResponse(
            layout=f"STORAGE_LAYOUT_{storage.layout.name}", description=storage.description
        )
