"""BarService: reads history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from bifrost.data.v1 import bar_service_pb2 as pb
from bifrost.data.v1 import bar_service_pb2_grpc as pb_grpc
from services.data.bar_store import BarStore
from services.data.convert import list_bars_response
from services.data.domain.adjustment import Adjustment, adjust_for_splits, adjust_fully
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.data.domain.instrument import Instrument
from services.data.domain.splits import Split
from services.data.instrument_store import InstrumentStore
from services.data.instruments import InstrumentDirectory
from services.runtime.clock import from_timestamp
from services.runtime.errors import invalid_argument, not_found
from services.runtime.pagination import decode_page_token, encode_page_token, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_DEFAULT_PAGE = 10_000
_LARGEST_PAGE = 100_000
# The times a bigint holds: 1677 to 2262.
_FIRST_NS, _LAST_NS = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


class BarService(pb_grpc.BarServiceServicer):
    """The servicer."""

    def __init__(self, directory: InstrumentDirectory, instruments: InstrumentStore, bars: BarStore) -> None:
        self._directory = directory
        self._instruments = instruments
        self._bars = bars

    async def ListBars(
        self, request: pb.ListBarsRequest, _context: ServicerContext[pb.ListBarsRequest, pb.ListBarsResponse]
    ) -> bytes:
        """A page of bars as columns, serialised from the columns' own memory."""
        instrument = await self._directory.resolve(request.instrument)
        interval = BarInterval(request.interval)
        start_ns, end_ns = _range(request)
        position = decode_page_token(request, request.page_token)
        if position is not None:
            start_ns = _within(int(position["open_time_ns"]), start_ns, end_ns)
        size = page_size(request.page_size, default=_DEFAULT_PAGE, maximum=_LARGEST_PAGE)
        adjustment = Adjustment(request.adjustment or Adjustment.RAW)
        bars: Bars = await self._bars.read(
            SourceBars if adjustment is Adjustment.FULL else Bars,
            instrument.instrument_no,
            interval,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=size + 1,
        )
        if not len(bars):
            await self._check_held(instrument, interval)
        token = ""
        if len(bars) > size:
            token = encode_page_token(request, {"open_time_ns": str(bars.open_time_ns[size])})
            bars = bars.take(slice(size))
        splits = [] if adjustment is Adjustment.RAW else await self._splits(instrument)
        return await asyncio.to_thread(_response, instrument, bars, splits, token)

    async def _splits(self, instrument: Instrument) -> list[Split]:
        return [recorded.split for recorded in await self._instruments.splits(instrument.instrument_no)]

    async def _check_held(self, instrument: Instrument, interval: BarInterval) -> None:
        held = await self._bars.intervals(instrument.instrument_no)
        if interval in held:
            return
        available = ",".join(one.name for one in held)
        message = f"{instrument.symbol} has no bars of {interval.name}; held: {available or 'none'}"
        raise not_found("BARS_NOT_FOUND", message, available=available)


def _range(request: pb.ListBarsRequest) -> tuple[int, int]:
    has_start, has_end = request.HasField("start_time"), request.HasField("end_time")
    start_ns = from_timestamp(request.start_time) if has_start else _FIRST_NS
    end_ns = from_timestamp(request.end_time) if has_end else _LAST_NS
    if has_start and has_end and start_ns >= end_ns:
        raise invalid_argument("RANGE_INVALID", "start_time must be before end_time", field="start_time")
    return _within(start_ns, _FIRST_NS, _LAST_NS), _within(end_ns, _FIRST_NS, _LAST_NS)


def _within(time_ns: int, first_ns: int, last_ns: int) -> int:
    return min(max(time_ns, first_ns), last_ns)


def _response(instrument: Instrument, bars: Bars, splits: list[Split], token: str) -> bytes:
    if isinstance(bars, SourceBars):
        bars = adjust_fully(bars, splits)
    elif splits:
        bars = adjust_for_splits(bars, splits)
    return list_bars_response(instrument.instrument_id, bars, token)
