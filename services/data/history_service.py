"""HistoryService: whole ranges of bars, in chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from bifrost.data.v1 import history_service_pb2 as pb
from bifrost.data.v1 import history_service_pb2_grpc as pb_grpc
from services.data.bars.bar_pages import BarQuestion
from services.data.bars.bar_views import BarViews
from services.data.bars.history import History, requested_range
from services.data.convert_history import chunk_columns, read_bars_response
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.domain.sessions import TradingHours
from services.data.instruments.directory import InstrumentDirectory
from services.runtime.clock import from_timestamp

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class HistoryService(pb_grpc.HistoryServiceServicer):
    """The servicer."""

    def __init__(self, directory: InstrumentDirectory, history: History, views: BarViews) -> None:
        self._directory = directory
        self._history = history
        self._views = views

    async def ReadBars(
        self, request: pb.ReadBarsRequest, _context: ServicerContext[pb.ReadBarsRequest, pb.ReadBarsResponse]
    ) -> AsyncIterator[bytes]:
        """Chunks, serialised from the columns' own memory, while PostgreSQL sends the next."""
        start_ns, end_ns = requested_range(request)
        interval = BarInterval(request.interval)
        adjustment = Adjustment(request.adjustment or Adjustment.RAW)
        hours = TradingHours(request.hours or TradingHours.REGULAR)
        as_of_ns = from_timestamp(request.as_of) if request.HasField("as_of") else None
        instruments = [
            await self._directory.resolve(ref, field=f"instruments[{place}]")
            for place, ref in enumerate(request.instruments)
        ]
        rows = 0
        for place, instrument in enumerate(instruments):
            question = BarQuestion(instrument, interval, adjustment, hours, as_of_ns)
            async with aclosing(self._views.read(question, start_ns, end_ns)) as chunks:
                async for chunk in chunks:
                    rows += len(chunk.bars)
                    if chunk.last and not rows and place == len(instruments) - 1:
                        self._history.check_range(instruments, start_ns, end_ns)
                    columns = chunk_columns(chunk.bars)
                    yield read_bars_response(place, instrument.instrument_id, columns, last=chunk.last)
