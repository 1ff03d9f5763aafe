"""Finding instruments by id, identifiers, and symbols as they are or were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.data.domain.instrument import Instrument
from services.data.domain.symbol_history import SymbolPeriod

History = Mapping[str, Sequence[SymbolPeriod]]
"""Former symbols by instrument id, oldest first; what never changed is not in it."""
_NO_HISTORY: History = {}


class InstrumentIndex:
    """All instruments held."""

    def __init__(self, instruments: Iterable[Instrument] = (), former: History = _NO_HISTORY) -> None:
        self._by_id: dict[str, Instrument] = {}
        self._former = dict(former)
        self._present: dict[str, list[Instrument]] = defaultdict(list)
        self._periods: dict[str, list[tuple[SymbolPeriod, Instrument]]] = defaultdict(list)
        self._by_isin: dict[str, list[Instrument]] = defaultdict(list)
        self._by_figi: dict[str, Instrument] = {}
        for one in instruments:
            self.add(one, self.former(one.instrument_id))

    def add(self, one: Instrument, former: Sequence[SymbolPeriod] = ()) -> None:
        """Take in an instrument that is not held yet, with the symbols it had before."""
        self._by_id[one.instrument_id] = one
        self._former[one.instrument_id] = former
        self._present[one.symbol].append(one)
        for period in self.periods(one):
            self._periods[period.symbol].append((period, one))
        if one.isin:
            self._by_isin[one.isin].append(one)
        if one.figi:
            self._by_figi[one.figi] = one

    def put(self, one: Instrument, former: Sequence[SymbolPeriod]) -> bool:
        """Take in an instrument as it is now, in the place of what is held of it; whether that is another.

        Lists that are read meanwhile, in other threads too, stay as they are.
        """
        held = self._by_id.get(one.instrument_id)
        if held is not None:
            if held == one and tuple(self.former(one.instrument_id)) == tuple(former):
                return False
            self._drop(held)
        self.add(one, former)
        return True

    def _drop(self, held: Instrument) -> None:
        self._present[held.symbol] = [one for one in self._present[held.symbol] if one is not held]
        for period in self.periods(held):
            self._periods[period.symbol] = [
                (of, one) for of, one in self._periods[period.symbol] if one is not held
            ]
        if held.isin:
            self._by_isin[held.isin] = [one for one in self._by_isin[held.isin] if one is not held]
        if self._by_figi.get(held.figi) is held:
            del self._by_figi[held.figi]

    def holds_same(self, other: InstrumentIndex) -> bool:
        """Whether both hold the same instruments with the same symbols."""
        mine, theirs = self._by_id, other._by_id
        return mine == theirs and all(tuple(self.former(one)) == tuple(other.former(one)) for one in mine)

    def by_id(self, instrument_id: str) -> Instrument | None:
        """The instrument of this id (UUID text in any case)."""
        return self._by_id.get(instrument_id) or self._by_id.get(instrument_id.lower())

    def by_figi(self, figi: str) -> Instrument | None:
        """The listing of this FIGI."""
        return self._by_figi.get(figi)

    def by_isin(self, isin: str, mic: str = "") -> list[Instrument]:
        """Every listing of the security at the market, at any when ``mic`` is empty; sorted by market.

        What is no longer listed is found only when nothing else is.
        """
        return _listed_first([one for one in self._by_isin.get(isin, ()) if mic in {"", one.mic}])

    def by_symbol(self, symbol: str, mic: str = "", on: date | None = None) -> list[Instrument]:
        """What has the symbol at the market, at any when ``mic`` is empty, or had it on a day; by market.

        Without a day only present symbols count, those of what is listed before those of what no longer is:
        who names a symbol in an order means what it is today.
        """
        if on is None:
            return _listed_first([one for one in self._present.get(symbol, ()) if mic in {"", one.mic}])
        found = [
            (period.mic, one)
            for period, one in self._periods.get(symbol, ())
            if mic in {"", period.mic} and period.holds_on(on)
        ]
        return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].instrument_id))]

    def formerly(self, symbol: str) -> list[tuple[SymbolPeriod, Instrument]]:
        """Who had the symbol before, and when, oldest first."""
        found = [(period, one) for period, one in self._periods.get(symbol, ()) if one.symbol != symbol]
        return sorted(found, key=lambda pair: (pair[0].from_date, pair[1].instrument_id))

    def holders(self, symbol: str) -> list[tuple[SymbolPeriod, Instrument]]:
        """Who has or had the symbol, and when."""
        return list(self._periods.get(symbol, ()))

    def former(self, instrument_id: str) -> Sequence[SymbolPeriod]:
        """The symbols the instrument had before, oldest first."""
        return self._former.get(instrument_id, ())

    def periods(self, instrument: Instrument) -> list[SymbolPeriod]:
        """All symbols of the instrument, oldest first, the present one last."""
        return instrument.symbol_periods(self.former(instrument.instrument_id))


def _listed_first(found: Sequence[Instrument]) -> list[Instrument]:
    listed = [one for one in found if one.is_listed]
    return sorted(listed or found, key=lambda one: (one.mic, one.instrument_id))
