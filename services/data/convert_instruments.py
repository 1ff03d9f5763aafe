"""Messages of instruments from domain objects; nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bifrost.data.v1 import instrument_pb2, instrument_service_pb2
from services.data.domain.contract_terms import ContractTerms
from services.data.domain.instrument import Instrument
from services.data.domain.instrument_search import Match
from services.data.domain.symbol_history import SymbolPeriod
from services.data.domain.tick_table import TickBand
from services.runtime.decimals import format_decimal


def instrument_message(instrument: Instrument) -> instrument_pb2.Instrument:
    """The instrument."""
    terms = instrument.contract
    return instrument_pb2.Instrument(
        instrument_id=instrument.instrument_id,
        symbol=instrument.symbol,
        mic=instrument.mic,
        name=instrument.name,
        asset_class=f"ASSET_CLASS_{instrument.asset_class.name}",
        currency=instrument.currency,
        tick_size=format_decimal(instrument.tick_size),
        lot_size=format_decimal(instrument.lot_size),
        status=f"INSTRUMENT_STATUS_{instrument.status.name}",
        listing_date=instrument.listing_date.isoformat(),
        delisting_date=_iso(instrument.delisting_date),
        isin=instrument.isin,
        figi=instrument.figi,
        tick_bands=map(_band_message, instrument.tick_bands),
        option=_option_message(terms) if terms is not None and terms.is_option else None,
        future=_future_message(terms) if terms is not None and not terms.is_option else None,
        etag=instrument.etag,
    )


def match_message(match: Match) -> instrument_service_pb2.InstrumentMatch:
    """What a search found."""
    return instrument_service_pb2.InstrumentMatch(
        instrument=instrument_message(match.instrument),
        score=match.score,
        reason=f"MATCH_REASON_{match.reason.name}",
    )


def period_messages(periods: Iterable[SymbolPeriod]) -> list[instrument_pb2.SymbolPeriod]:
    """Symbols over time."""
    return [
        instrument_pb2.SymbolPeriod(
            symbol=one.symbol, mic=one.mic, from_date=one.from_date.isoformat(), to_date=_iso(one.to_date)
        )
        for one in periods
    ]


def _band_message(band: TickBand) -> instrument_pb2.TickBand:
    return instrument_pb2.TickBand(
        from_price=format_decimal(band.from_price), tick_size=format_decimal(band.tick_size)
    )


def _option_message(terms: ContractTerms) -> instrument_pb2.OptionTerms:
    return instrument_pb2.OptionTerms(
        underlying_id=terms.underlying_id,
        expiry_date=terms.expiry_date.isoformat(),
        strike="" if terms.strike is None else format_decimal(terms.strike),
        right=f"OPTION_RIGHT_{terms.right.name}" if terms.right else None,
        multiplier=format_decimal(terms.multiplier),
        style=f"EXERCISE_STYLE_{terms.style.name}" if terms.style else None,
    )


def _future_message(terms: ContractTerms) -> instrument_pb2.FutureTerms:
    return instrument_pb2.FutureTerms(
        underlying_id=terms.underlying_id,
        expiry_date=terms.expiry_date.isoformat(),
        multiplier=format_decimal(terms.multiplier),
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
