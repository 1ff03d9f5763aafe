"""IndicatorService: the catalogue, and indicators over history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeAlias

from bifrost.data.v1 import indicator_service_pb2 as pb
from bifrost.data.v1 import indicator_service_pb2_grpc as pb_grpc
from services.data.bars.bar_pages import BarQuestion
from services.data.bars.history import requested_range, within
from services.data.convert_indicators import indicator_message, with_token
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.domain.sessions import TradingHours
from services.data.indicators.catalogue import catalogue
from services.data.indicators.indicator_history import IndicatorHistory, Question
from services.data.indicators.indicator_requests import requested_selections
from services.data.instruments.directory import InstrumentDirectory
from services.runtime.clock import from_timestamp
from services.runtime.errors import aborted
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_Request: TypeAlias = pb.ComputeIndicatorsRequest | pb.StreamIndicatorsRequest

_DEFAULT_PAGE = 10_000
_LARGEST_PAGE = 100_000
_MOST_VALUES = 1_600_000
"""Of a page, times included: 12.8 MB of the 16 that a message may have."""
_PART_VALUES = 450_000
"""Of a part of a stream, times included: 3.6 MB of the 4 that a client takes unless told otherwise."""
_LARGEST_STRETCH = 1_000_000
_STRETCH_VALUES = 20_000_000
"""Of what is computed at a time for a stream: 160 MB."""


class IndicatorService(pb_grpc.IndicatorServiceServicer):
    """The servicer."""

    def __init__(self, directory: InstrumentDirectory, indicators: IndicatorHistory) -> None:
        self._directory = directory
        self._indicators = indicators

    async def ListIndicators(
        self,
        request: pb.ListIndicatorsRequest,
        _context: ServicerContext[pb.ListIndicatorsRequest, pb.ListIndicatorsResponse],
    ) -> pb.ListIndicatorsResponse:
        """A page of the catalogue by name."""
        position = decode_page_token(request, request.page_token, name=text)
        after = "" if position is None else position["name"]
        size = page_size(request.page_size)
        found = [
            entry
            for entry in (await asyncio.to_thread(catalogue)).values()
            if entry.name > after and request.group in ("", entry.group)
        ]
        token = encode_page_token(request, {"name": found[size - 1].name}) if len(found) > size else ""
        return pb.ListIndicatorsResponse(
            indicators=map(indicator_message, found[:size]), next_page_token=token
        )

    async def ComputeIndicators(
        self,
        request: pb.ComputeIndicatorsRequest,
        _context: ServicerContext[pb.ComputeIndicatorsRequest, pb.ComputeIndicatorsResponse],
    ) -> bytes:
        """Columns of a page, serialised from their own memory."""
        question = await self._question(request)
        start_ns = question.start_ns
        position = decode_page_token(request, request.page_token, open_time_ns=number)
        if position is not None:
            start_ns = within(int(position["open_time_ns"]), start_ns, question.end_ns)
        size = page_size(request.page_size, default=_DEFAULT_PAGE, maximum=_LARGEST_PAGE)
        size = min(size, _MOST_VALUES // (question.columns + 1))
        page = await self._indicators.page(question, start_ns, size)
        token = ""
        if page.next_ns is not None:
            token = encode_page_token(request, {"open_time_ns": str(page.next_ns)})
        return with_token(page.content, token)

    async def StreamIndicators(
        self,
        request: pb.StreamIndicatorsRequest,
        _context: ServicerContext[pb.StreamIndicatorsRequest, pb.StreamIndicatorsResponse],
    ) -> AsyncIterator[bytes]:
        """The same in parts of one size, computed a million bars at a time."""
        question = await self._question(request)
        size = min(_LARGEST_STRETCH, _STRETCH_VALUES // (question.columns + 1))
        part = _PART_VALUES // (question.columns + 1)
        state: str | None = None
        following: int | None = question.start_ns
        while following is not None:
            stretch = await self._indicators.stretch(question, following, size)
            if state not in (None, stretch.state):
                raise aborted("HISTORY_CHANGED", "the bars changed while they were read; ask again")
            for first in range(0, max(len(stretch.open_time_ns), 1), part):
                yield stretch.response(question, slice(first, first + part))
            state, following = stretch.state, stretch.next_ns

    async def _question(self, request: _Request) -> Question:
        instrument = await self._directory.resolve(request.instrument)
        start_ns, end_ns = requested_range(request)
        bars = BarQuestion(
            instrument,
            BarInterval(request.interval),
            Adjustment(request.adjustment or Adjustment.RAW),
            TradingHours(request.hours or TradingHours.REGULAR),
            from_timestamp(request.as_of) if request.HasField("as_of") else None,
        )
        selections = await requested_selections(request.indicators, bars.interval)
        return Question(bars, start_ns, end_ns, selections)
