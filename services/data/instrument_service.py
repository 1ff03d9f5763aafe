"""InstrumentService: finds instruments and keeps what is known of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.data.v1 import instrument_service_pb2_grpc as pb_grpc
from services.data.bars.history import History
from services.data.convert import date_of, dividend_message, split_message
from services.data.convert_instrument_specs import effective_date, instrument_update, stated_listing
from services.data.convert_instruments import instrument_message, match_message, period_messages
from services.data.domain.contract_terms import OptionRight
from services.data.domain.instrument import AssetClass, Instrument, InstrumentStatus
from services.data.domain.instrument_search import InstrumentQuery
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_changes import InstrumentChanges, Requested
from services.data.instruments.instrument_store import InstrumentStore
from services.runtime.auth import current_principal
from services.runtime.clock import from_timestamp
from services.runtime.errors import invalid_argument
from services.runtime.idempotency import request_digest
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_USUAL_MATCHES = 20
_MOST_MATCHES = 100


class InstrumentService(pb_grpc.InstrumentServiceServicer):
    """The servicer."""

    def __init__(
        self,
        directory: InstrumentDirectory,
        history: History,
        store: InstrumentStore,
        changes: InstrumentChanges,
    ) -> None:
        self._directory = directory
        self._history = history
        self._store = store
        self._changes = changes

    async def GetInstrument(
        self,
        request: pb.GetInstrumentRequest,
        _context: ServicerContext[pb.GetInstrumentRequest, pb.GetInstrumentResponse],
    ) -> pb.GetInstrumentResponse:
        """One by id, symbol and MIC, ISIN and MIC, or FIGI."""
        instrument = await self._directory.resolve(request.instrument)
        return pb.GetInstrumentResponse(instrument=instrument_message(instrument))

    async def ListInstruments(
        self,
        request: pb.ListInstrumentsRequest,
        _context: ServicerContext[pb.ListInstrumentsRequest, pb.ListInstrumentsResponse],
    ) -> pb.ListInstrumentsResponse:
        """A page by symbol, then MIC."""
        position = decode_page_token(request, request.page_token, symbol=text, mic=text, instrument_id=text)
        after = None if position is None else (position["symbol"], position["mic"], position["instrument_id"])
        size = page_size(request.page_size)
        found = await self._store.list_page(symbol_prefix=request.symbol_prefix, after=after, limit=size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = encode_page_token(
                request, {"symbol": last.symbol, "mic": last.mic, "instrument_id": last.instrument_id}
            )
        return pb.ListInstrumentsResponse(
            instruments=map(instrument_message, found[:size]), next_page_token=token
        )

    async def SearchInstruments(
        self,
        request: pb.SearchInstrumentsRequest,
        _context: ServicerContext[pb.SearchInstrumentsRequest, pb.SearchInstrumentsResponse],
    ) -> pb.SearchInstrumentsResponse:
        """What is like the query, the best first."""
        query = InstrumentQuery.of(
            request.query,
            request.mic,
            AssetClass(request.asset_class) if request.asset_class else None,
            InstrumentStatus(request.status) if request.status else None,
        )
        if query is None:
            raise invalid_argument("FIELD_INVALID", "the query is blank", field="query")
        limit = min(request.limit or _USUAL_MATCHES, _MOST_MATCHES)
        found = await self._store.search(query, limit)
        return pb.SearchInstrumentsResponse(matches=map(match_message, found))

    async def ListSplits(
        self,
        request: pb.ListSplitsRequest,
        _context: ServicerContext[pb.ListSplitsRequest, pb.ListSplitsResponse],
    ) -> pb.ListSplitsResponse:
        """All splits of one instrument, oldest first."""
        instrument = await self._directory.resolve(request.instrument)
        as_of_ns = await self._as_of(request, instrument)
        splits = await self._store.splits(instrument.instrument_no, as_of_ns)
        return pb.ListSplitsResponse(splits=map(split_message, splits))

    async def ListDividends(
        self,
        request: pb.ListDividendsRequest,
        _context: ServicerContext[pb.ListDividendsRequest, pb.ListDividendsResponse],
    ) -> pb.ListDividendsResponse:
        """All dividends of one instrument, oldest first."""
        instrument = await self._directory.resolve(request.instrument)
        as_of_ns = await self._as_of(request, instrument)
        dividends = await self._store.dividends(instrument.instrument_no, as_of_ns)
        return pb.ListDividendsResponse(dividends=map(dividend_message, dividends))

    async def _as_of(
        self, request: pb.ListSplitsRequest | pb.ListDividendsRequest, instrument: Instrument
    ) -> int | None:
        if not request.HasField("as_of"):
            return None
        as_of_ns = from_timestamp(request.as_of)
        await self._history.known_at(instrument, as_of_ns)
        return as_of_ns

    async def CreateInstrument(
        self,
        request: pb.CreateInstrumentRequest,
        _context: ServicerContext[pb.CreateInstrumentRequest, pb.CreateInstrumentResponse],
    ) -> pb.CreateInstrumentResponse:
        """Make one."""
        stated = stated_listing(request.instrument)
        instrument, duplicate = await self._changes.create(stated, _requested(request))
        return pb.CreateInstrumentResponse(instrument=instrument_message(instrument), duplicate=duplicate)

    async def ImportInstruments(
        self,
        request: pb.ImportInstrumentsRequest,
        _context: ServicerContext[pb.ImportInstrumentsRequest, pb.ImportInstrumentsResponse],
    ) -> pb.ImportInstrumentsResponse:
        """Make many, all or none."""
        # Thousands of rows take long to read.
        stated = await asyncio.to_thread(lambda: [stated_listing(one) for one in request.instruments])
        imported = await self._changes.import_all(stated, _requested(request))
        return pb.ImportInstrumentsResponse(
            instrument_ids=imported.instrument_ids, created=imported.created, duplicate=imported.duplicate
        )

    async def UpdateInstrument(
        self,
        request: pb.UpdateInstrumentRequest,
        _context: ServicerContext[pb.UpdateInstrumentRequest, pb.UpdateInstrumentResponse],
    ) -> pb.UpdateInstrumentResponse:
        """Change facts of one."""
        instrument, duplicate = await self._changes.update(
            request.instrument_id, instrument_update(request), _requested(request), etag=request.etag
        )
        return pb.UpdateInstrumentResponse(instrument=instrument_message(instrument), duplicate=duplicate)

    async def ChangeSymbol(
        self,
        request: pb.ChangeSymbolRequest,
        _context: ServicerContext[pb.ChangeSymbolRequest, pb.ChangeSymbolResponse],
    ) -> pb.ChangeSymbolResponse:
        """Give one another symbol."""
        instrument, duplicate = await self._changes.change_symbol(
            request.instrument_id,
            request.symbol,
            request.mic,
            effective_date(request),
            _requested(request),
            etag=request.etag,
        )
        return pb.ChangeSymbolResponse(instrument=instrument_message(instrument), duplicate=duplicate)

    async def ListSymbolChanges(
        self,
        request: pb.ListSymbolChangesRequest,
        _context: ServicerContext[pb.ListSymbolChangesRequest, pb.ListSymbolChangesResponse],
    ) -> pb.ListSymbolChangesResponse:
        """All symbols one had, oldest first."""
        instrument = await self._directory.resolve(request.instrument)
        periods = self._directory.periods(instrument)
        return pb.ListSymbolChangesResponse(
            instrument_id=instrument.instrument_id, periods=period_messages(periods)
        )

    async def ListOptionChain(
        self,
        request: pb.ListOptionChainRequest,
        _context: ServicerContext[pb.ListOptionChainRequest, pb.ListOptionChainResponse],
    ) -> pb.ListOptionChainResponse:
        """A page of the options on one, by expiry, strike, right and symbol."""
        underlying = await self._directory.resolve(request.underlying, field="underlying")
        expiry_from = date_of(request.expiry_from, field="expiry_from")
        expiry_to = date_of(request.expiry_to, field="expiry_to")
        if expiry_from and expiry_to and expiry_to < expiry_from:
            message = f"expiry_to {expiry_to} is before expiry_from {expiry_from}"
            raise invalid_argument("RANGE_INVALID", message, field="expiry_to")
        position = decode_page_token(request, request.page_token, instrument_no=number)
        size = page_size(request.page_size)
        found = await self._store.option_chain(
            underlying.instrument_id,
            expiry_from=expiry_from,
            expiry_to=expiry_to,
            right=OptionRight(request.right) if request.right else None,
            after=None if position is None else int(position["instrument_no"]),
            limit=size + 1,
        )
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"instrument_no": str(found[size - 1].instrument_no)})
        return pb.ListOptionChainResponse(
            options=map(instrument_message, found[:size]), next_page_token=token
        )


def _requested(
    request: pb.CreateInstrumentRequest
    | pb.ImportInstrumentsRequest
    | pb.UpdateInstrumentRequest
    | pb.ChangeSymbolRequest,
) -> Requested:
    return Requested(request.request_id, request_digest(request), current_principal().caller)
