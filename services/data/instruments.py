"""The instruments held, in memory: every request names one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bifrost.type.v1 import value_pb2
from services.data.domain.instrument import Instrument, InstrumentIndex
from services.data.instrument_store import InstrumentStore
from services.runtime.errors import ApiError, invalid_argument, not_found


class InstrumentDirectory:
    """Finds instruments; what it does not know it looks for in the store once more."""

    def __init__(self, store: InstrumentStore) -> None:
        self._store = store
        self._index = InstrumentIndex()
        self._reading = asyncio.Lock()

    async def reload(self) -> None:
        """Read all instruments again, as after an ingestion."""
        async with self._reading:
            self._index = InstrumentIndex(await self._store.read_all())

    async def resolve(self, ref: value_pb2.InstrumentRef, *, field: str = "instrument") -> Instrument:
        """The instrument a request names.

        Raises:
            ApiError: NOT_FOUND INSTRUMENT_NOT_FOUND; INVALID_ARGUMENT SYMBOL_AMBIGUOUS naming ``field``.
        """
        if ref.WhichOneof("name") == "instrument_id":
            return await self.by_id(ref.instrument_id)
        return await self.by_symbol(ref.listed.symbol, ref.listed.mic, field=f"{field}.listed.mic")

    async def by_id(self, instrument_id: str) -> Instrument:
        """The instrument of this id; ApiError NOT_FOUND when there is none."""
        found = self._index.by_id(instrument_id)
        if found is None:
            await self.reload()
            found = self._index.by_id(instrument_id)
        if found is None:
            raise _not_found(f"no instrument has the id {instrument_id}", instrument_id=instrument_id)
        return found

    async def by_symbol(self, symbol: str, mic: str = "", *, field: str) -> Instrument:
        """The only listing of the symbol, at the market if one is given.

        Raises:
            ApiError: NOT_FOUND INSTRUMENT_NOT_FOUND; INVALID_ARGUMENT SYMBOL_AMBIGUOUS naming ``field``.
        """
        found = self._index.by_symbol(symbol, mic)
        if not found:
            await self.reload()
            found = self._index.by_symbol(symbol, mic)
        if not found:
            where = f" at {mic}" if mic else ""
            raise _not_found(f"no instrument has the symbol {symbol}{where}", symbol=symbol, mic=mic)
        if len(found) > 1:
            mics = ",".join(one.mic for one in found)
            message = f"{symbol} is listed at {mics}: name one"
            raise invalid_argument("SYMBOL_AMBIGUOUS", message, field=field, mics=mics)
        return found[0]

    async def resolve_filter(
        self, instrument_ids: Sequence[str], symbols: Iterable[str]
    ) -> frozenset[str] | None:
        """The ids a stream asks for by ids and symbols; None means all. Errors as of ``resolve``."""
        by_id = [await self.by_id(one) for one in instrument_ids]
        by_symbol = [
            await self.by_symbol(symbol, field=f"symbols[{place}]") for place, symbol in enumerate(symbols)
        ]
        return frozenset(one.instrument_id for one in (*by_id, *by_symbol)) or None


def _not_found(message: str, **metadata: str) -> ApiError:
    return not_found("INSTRUMENT_NOT_FOUND", message, **metadata)
