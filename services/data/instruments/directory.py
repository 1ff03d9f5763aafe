"""The instruments held, in memory: every request names one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import NoReturn

from bifrost.type.v1 import value_pb2
from services.data.convert import date_of
from services.data.domain.instrument import Instrument
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.symbol_history import SymbolPeriod
from services.data.instruments.instrument_store import InstrumentStore
from services.runtime.errors import ApiError, invalid_argument, not_found


class InstrumentDirectory:
    """Finds instruments; what it does not know it looks for in the store once more."""

    def __init__(self, store: InstrumentStore) -> None:
        self._store = store
        self._index = InstrumentIndex()
        self._reading = asyncio.Lock()
        self.changes = 0
        """Counts the times at which something else was read than was known."""

    async def reload(self) -> None:
        """Read all instruments again: others may have made or changed some."""
        async with self._reading:
            index = await self._store.read_index()
            if not index.holds_same(self._index):
                self._index = index
                self.changes += 1

    async def refresh(self, instrument_ids: Collection[str]) -> None:
        """Read these again, which this process made or changed."""
        async with self._reading:
            found = await self._store.read_some(instrument_ids)
            changed = [self._index.put(one, former) for one, former in found]
            self.changes += any(changed)

    async def resolve(self, ref: value_pb2.InstrumentRef, *, field: str = "instrument") -> Instrument:
        """The instrument a request names.

        Raises:
            ApiError: NOT_FOUND INSTRUMENT_NOT_FOUND; INVALID_ARGUMENT SYMBOL_AMBIGUOUS, or FIELD_INVALID for
                a date that is none, naming ``field``.
        """
        try:
            return resolve_in(self._index, ref, field=field)
        except ApiError as error:
            if error.reason != "INSTRUMENT_NOT_FOUND":
                raise
        await self.reload()
        return resolve_in(self._index, ref, field=field)

    async def by_id(self, instrument_id: str) -> Instrument:
        """The instrument of this id; ApiError NOT_FOUND when there is none."""
        return await self.resolve(value_pb2.InstrumentRef(instrument_id=instrument_id))

    async def by_symbol(self, symbol: str, mic: str = "", *, field: str) -> Instrument:
        """The only listing of the symbol, at the market if one is given.

        Raises:
            ApiError: NOT_FOUND INSTRUMENT_NOT_FOUND; INVALID_ARGUMENT SYMBOL_AMBIGUOUS naming ``field``.
        """
        listed = value_pb2.ListedSymbol(symbol=symbol, mic=mic)
        return await self.resolve(value_pb2.InstrumentRef(listed=listed), field=field)

    @property
    def index(self) -> InstrumentIndex:
        """All instruments as last read."""
        return self._index

    def periods(self, instrument: Instrument) -> list[SymbolPeriod]:
        """All symbols of the instrument, oldest first, the present one last."""
        return self._index.periods(instrument)

    async def resolve_filter(
        self, instrument_ids: Sequence[str], symbols: Iterable[str]
    ) -> frozenset[str] | None:
        """The ids a stream asks for by ids and symbols; None means all. Errors as of ``resolve``."""
        by_id = [await self.by_id(one) for one in instrument_ids]
        by_symbol = [
            await self.by_symbol(symbol, field=f"symbols[{place}]") for place, symbol in enumerate(symbols)
        ]
        return frozenset(one.instrument_id for one in (*by_id, *by_symbol)) or None


def resolve_in(
    index: InstrumentIndex, ref: value_pb2.InstrumentRef, *, field: str = "instrument"
) -> Instrument:
    """The instrument of the index that a request names; errors as of InstrumentDirectory.resolve."""
    match ref.WhichOneof("name"):
        case "instrument_id":
            found = index.by_id(ref.instrument_id)
            asked = {"instrument_id": ref.instrument_id}
            return found or _missing(f"no instrument has the id {ref.instrument_id}", asked)
        case "figi":
            found = index.by_figi(ref.figi)
            return found or _missing(f"no instrument has the FIGI {ref.figi}", {"figi": ref.figi})
        case "listed_isin":
            isin, mic = ref.listed_isin.isin, ref.listed_isin.mic
            return _only(index.by_isin(isin, mic), isin, f"{field}.listed_isin.mic") or _missing(
                f"no instrument has the ISIN {isin}{_at(mic)}", {"isin": isin, "mic": mic}
            )
        case _:
            return _by_symbol(index, ref.listed, field)


def _by_symbol(index: InstrumentIndex, listed: value_pb2.ListedSymbol, field: str) -> Instrument:
    symbol, mic = listed.symbol, listed.mic
    on = date_of(listed.on_date, field=f"{field}.listed.on_date")
    found = _only(index.by_symbol(symbol, mic, on), symbol, f"{field}.listed.mic")
    if found is not None:
        return found
    asked = {"symbol": symbol, "mic": mic}
    if on is not None:
        return _missing(
            f"no instrument had the symbol {symbol}{_at(mic)} on {on}", {**asked, "on_date": str(on)}
        )
    message = f"no instrument has the symbol {symbol}{_at(mic)}"
    for period, former in index.formerly(symbol):
        asked["now"] = former.symbol
        message += f"; until {period.to_date} it was that of what is now {former.symbol}: name a date"
    return _missing(message, asked)


def _only(found: Sequence[Instrument], name: str, field: str) -> Instrument | None:
    if len(found) > 1:
        mics = ",".join(one.mic for one in found)
        is_one_market = len({one.mic for one in found}) == 1
        message = f"{name} is listed at {mics}: name {'a date' if is_one_market else 'one'}"
        raise invalid_argument("SYMBOL_AMBIGUOUS", message, field=field, mics=mics)
    return found[0] if found else None


def _at(mic: str) -> str:
    return f" at {mic}" if mic else ""


def _missing(message: str, asked: dict[str, str]) -> NoReturn:
    raise not_found("INSTRUMENT_NOT_FOUND", message, **asked)
