"""What data says, held ready so that no order waits for it: instruments and the newest quotes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import grpc
import structlog

from bifrost.data.v1.quote_pb2 import Quote
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.risk.clients import DataClient, SymbolAmbiguousError
from services.risk.convert import to_price
from services.risk.domain.market import Instrument, ReferencePrice
from services.runtime.clock import Clock
from services.runtime.errors import invalid_argument, not_found
from services.runtime.stream_client import resuming

_log = structlog.get_logger(__name__)
_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _HeldQuote:
    price: Decimal
    is_stale: bool
    age_ms: int
    received_ns: int
    """By the monotonic clock."""


class Quotes:
    """The newest reference price of each instrument. While data is away they stay and grow old."""

    def __init__(self, data: DataClient, *, clock: Clock) -> None:
        self._data = data
        self._clock = clock
        self._quotes: dict[str, _HeldQuote] = {}

    async def run(self) -> None:
        """Follow the quotes for ever."""
        async for response in resuming(self._data.stream_quotes):
            kind = response.WhichOneof("event")
            if kind == "snapshot":
                self.put(response.snapshot.quotes)
            elif kind == "update":
                self.put(response.update.quotes)

    def put(self, quotes: Iterable[Quote]) -> None:
        """Take what came just now. A quote without any price takes the instrument's price away."""
        now = self._clock.monotonic_ns()
        for quote in quotes:
            price = to_price(quote)
            if price is None:
                self._quotes.pop(quote.instrument_id, None)
            else:
                self._quotes[quote.instrument_id] = _HeldQuote(price, quote.stale, quote.age_ms, now)

    def reference(self, instrument_id: str) -> ReferencePrice | None:
        """The price with its age now; None when there is none."""
        quote = self._quotes.get(instrument_id)
        if quote is None:
            return None
        age_ms = quote.age_ms + (self._clock.monotonic_ns() - quote.received_ns) // _MS
        return ReferencePrice(quote.price, max(0, age_ms), quote.is_stale)


class Instruments:
    """All instruments, read again at a steady pace; one that is not held yet is asked for."""

    def __init__(self, data: DataClient, *, refresh_s: float) -> None:
        self._data = data
        self._refresh_s = refresh_s
        self._by_id: dict[str, Instrument] = {}
        self._by_symbol: dict[str, list[Instrument]] = {}

    async def run(self) -> None:
        """Read all instruments again and again. While data is away the last reading stands."""
        while True:
            try:
                self._replace(await self._data.list_instruments())
            except grpc.aio.AioRpcError as error:
                _log.info("instruments_not_read", code=error.code().name, message=error.details())
            await asyncio.sleep(self._refresh_s)

    async def find(self, instrument_id: str) -> Instrument | None:
        """The instrument, None when data knows no such id; ApiError UNAVAILABLE when it cannot be asked."""
        held = self._by_id.get(instrument_id)
        if held is not None:
            return held
        return self._hold(await self._data.get_instrument(InstrumentRef(instrument_id=instrument_id)))

    async def resolve(self, reference: InstrumentRef) -> Instrument:
        """The instrument a request names.

        Raises ApiError: NOT_FOUND INSTRUMENT_NOT_FOUND, INVALID_ARGUMENT FIELD_INVALID for a symbol with
        several listings, UNAVAILABLE DEPENDENCY_UNAVAILABLE.
        """
        held = self._held(reference)
        if held is not None:
            return held
        try:
            found = self._hold(await self._data.get_instrument(reference))
        except SymbolAmbiguousError as error:
            raise invalid_argument("FIELD_INVALID", str(error), field="instrument.listed.mic") from error
        if found is None:
            asked = _echo(reference)
            raise not_found(
                "INSTRUMENT_NOT_FOUND",
                f"there is no instrument {' '.join(asked.values()).strip()}",
                **asked,
            )
        return found

    def _held(self, reference: InstrumentRef) -> Instrument | None:
        if reference.WhichOneof("name") == "instrument_id":
            return self._by_id.get(reference.instrument_id)
        if reference.WhichOneof("name") != "listed" or reference.listed.on_date:
            return None
        mic = reference.listed.mic
        listings = [
            listing
            for listing in self._by_symbol.get(reference.listed.symbol, ())
            if mic in ("", listing.mic)
        ]
        return listings[0] if len(listings) == 1 else None

    def _hold(self, instrument: Instrument | None) -> Instrument | None:
        # Known by its id only: whether the symbol is listed elsewhere too is known when all are read.
        if instrument is not None:
            self._by_id[instrument.instrument_id] = instrument
        return instrument

    def _replace(self, instruments: list[Instrument]) -> None:
        self._by_id = {instrument.instrument_id: instrument for instrument in instruments}
        self._by_symbol = {}
        for instrument in instruments:
            self._by_symbol.setdefault(instrument.symbol, []).append(instrument)


def _echo(reference: InstrumentRef) -> dict[str, str]:
    if reference.WhichOneof("name") == "instrument_id":
        return {"instrument_id": reference.instrument_id}
    if reference.WhichOneof("name") == "figi":
        return {"figi": reference.figi}
    if reference.WhichOneof("name") == "listed_isin":
        return {"isin": reference.listed_isin.isin, "mic": reference.listed_isin.mic}
    return {"symbol": reference.listed.symbol, "mic": reference.listed.mic}
