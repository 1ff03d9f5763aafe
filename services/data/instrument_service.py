"""InstrumentService: finds instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.data.v1 import instrument_service_pb2_grpc as pb_grpc
from services.data.convert import instrument_message, split_message
from services.data.instrument_store import InstrumentStore
from services.data.instruments import InstrumentDirectory
from services.runtime.pagination import decode_page_token, encode_page_token, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class InstrumentService(pb_grpc.InstrumentServiceServicer):
    """The servicer."""

    def __init__(self, directory: InstrumentDirectory, store: InstrumentStore) -> None:
        self._directory = directory
        self._store = store

    async def GetInstrument(
        self,
        request: pb.GetInstrumentRequest,
        _context: ServicerContext[pb.GetInstrumentRequest, pb.GetInstrumentResponse],
    ) -> pb.GetInstrumentResponse:
        """One by id, or by symbol and MIC."""
        instrument = await self._directory.resolve(request.instrument)
        return pb.GetInstrumentResponse(instrument=instrument_message(instrument))

    async def ListInstruments(
        self,
        request: pb.ListInstrumentsRequest,
        _context: ServicerContext[pb.ListInstrumentsRequest, pb.ListInstrumentsResponse],
    ) -> pb.ListInstrumentsResponse:
        """A page by symbol, then MIC."""
        position = decode_page_token(request, request.page_token)
        after = None if position is None else (position["symbol"], position["mic"])
        size = page_size(request.page_size)
        found = await self._store.list_page(symbol_prefix=request.symbol_prefix, after=after, limit=size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = encode_page_token(request, {"symbol": last.symbol, "mic": last.mic})
        return pb.ListInstrumentsResponse(
            instruments=map(instrument_message, found[:size]), next_page_token=token
        )

    async def ListSplits(
        self,
        request: pb.ListSplitsRequest,
        _context: ServicerContext[pb.ListSplitsRequest, pb.ListSplitsResponse],
    ) -> pb.ListSplitsResponse:
        """All splits of one instrument, oldest first."""
        instrument = await self._directory.resolve(request.instrument)
        splits = await self._store.splits(instrument.instrument_no)
        return pb.ListSplitsResponse(splits=map(split_message, splits))
