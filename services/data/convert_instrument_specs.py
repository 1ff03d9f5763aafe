"""What requests state of instruments as domain objects; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from services.data.convert import date_of
from services.data.domain.contract_terms import ContractTerms, ExerciseStyle, OptionRight
from services.data.domain.instrument import AssetClass, InstrumentStatus, Listing
from services.data.domain.instrument_change import InstrumentUpdate
from services.data.domain.listing_rules import Problem
from services.data.domain.symbol_history import SymbolPeriod
from services.data.domain.tick_table import TickBand
from services.data.instruments.instrument_specs import StatedListing
from services.runtime.currencies import MINOR_UNITS
from services.runtime.errors import invalid_argument

MUTABLE: Final = ("name", "isin", "figi", "tick_size", "tick_bands", "lot_size", "status", "delisting_date")
_FIELD: Final = "FIELD_INVALID"
_USUAL_TICK: Final = Decimal("0.01")


def stated_listing(spec: pb.InstrumentSpec) -> StatedListing:
    """The listing, or all that is wrong with it."""
    reader = _SpecReader()
    listing = reader.listing(spec)
    problems = tuple(reader.problems)
    is_option, is_future = spec.HasField("option"), spec.HasField("future")
    if is_option and not is_future:
        return StatedListing(listing, problems, spec.option.underlying, "option.underlying")
    # A future may be on what is no instrument.
    if is_future and not is_option and spec.future.HasField("underlying"):
        return StatedListing(listing, problems, spec.future.underlying, "future.underlying")
    return StatedListing(listing, problems, None)


def instrument_update(request: pb.UpdateInstrumentRequest) -> InstrumentUpdate:
    """The facts that the mask names.

    Raises:
        ApiError: INVALID_ARGUMENT FIELD_INVALID, TICK_TABLE_INVALID.
    """
    paths, new = _checked_paths(request.update_mask.paths), request.instrument
    bands = _bands(new.tick_bands) if "tick_bands" in paths else None
    if bands is not None and not bands:
        text = "a tick table has at least one band; for one step at every price change tick_size"
        raise invalid_argument("TICK_TABLE_INVALID", text, field="instrument.tick_bands")
    if "tick_size" in paths:
        bands = ()
    if "status" in paths and not new.status:
        raise invalid_argument("FIELD_INVALID", "is required", field="instrument.status")
    changes_end = "delisting_date" in paths
    end = date_of(new.delisting_date, field="instrument.delisting_date") if changes_end else None
    tick_size = Decimal(new.tick_size or 0) if "tick_size" in paths else None
    return InstrumentUpdate(
        name=new.name if "name" in paths else None,
        isin=new.isin if "isin" in paths else None,
        figi=new.figi if "figi" in paths else None,
        lot_size=Decimal(new.lot_size or 0) if "lot_size" in paths else None,
        tick_size=bands[0].tick_size if bands else tick_size,
        tick_bands=bands,
        status=InstrumentStatus(new.status) if "status" in paths else None,
        delisting_date=end,
        changes_delisting_date=changes_end,
    )


def effective_date(request: pb.ChangeSymbolRequest) -> date:
    """From when on the symbol is another; ApiError INVALID_ARGUMENT FIELD_INVALID."""
    try:
        return date.fromisoformat(request.effective_date)
    except ValueError:
        text = f"{request.effective_date} is no day"
        raise invalid_argument("FIELD_INVALID", text, field="effective_date") from None


def _checked_paths(paths: Sequence[str]) -> frozenset[str]:
    unknown = sorted(set(paths).difference(MUTABLE))
    if unknown or not paths:
        named = f"names {', '.join(unknown)}" if unknown else "is empty"
        text = f"update_mask {named}; it names any of {', '.join(MUTABLE)}"
        raise invalid_argument("FIELD_INVALID", text, field="update_mask")
    if {"tick_size", "tick_bands"} <= set(paths):
        text = "update_mask names tick_size or tick_bands, not both: the first band says tick_size"
        raise invalid_argument("FIELD_INVALID", text, field="update_mask")
    return frozenset(paths)


class _SpecReader:
    """Reads the parts of a request and keeps what is wrong with them in ``problems``."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def listing(self, spec: pb.InstrumentSpec) -> Listing | None:
        """The listing stated; None when there are problems."""
        if spec.currency not in MINOR_UNITS:
            text = f"ISO 4217 has no currency {spec.currency}"
            self.problems.append(Problem("CURRENCY_UNKNOWN", "currency", text))
        listing_date = self.day(spec.listing_date, "listing_date")
        delisting_date = self.day(spec.delisting_date, "delisting_date")
        former = [
            self.period(one, f"former_symbols[{place}]") for place, one in enumerate(spec.former_symbols)
        ]
        contract = self.contract(spec)
        bands = _bands(spec.tick_bands)
        if bands and spec.tick_size:
            text = "leave it empty with tick_bands, whose first band says it"
            self.problems.append(Problem("TICK_TABLE_INVALID", "tick_size", text))
        if self.problems or listing_date is None:
            return None
        periods = tuple(one for one in former if one is not None)
        return Listing(
            symbol=spec.symbol,
            first_symbol=periods[0].symbol if periods else spec.symbol,
            mic=spec.mic,
            name=spec.name or spec.symbol,
            listing_date=listing_date,
            asset_class=AssetClass(spec.asset_class),
            currency=spec.currency,
            tick_size=_tick_size(spec.tick_size, bands),
            lot_size=Decimal(spec.lot_size or 1),
            tick_bands=bands,
            status=InstrumentStatus(spec.status or InstrumentStatus.ACTIVE),
            delisting_date=delisting_date,
            isin=spec.isin,
            figi=spec.figi,
            contract=contract,
            former_symbols=periods,
        )

    def contract(self, spec: pb.InstrumentSpec) -> ContractTerms | None:
        """The terms stated; None when there are none, or problems."""
        if spec.HasField("option") and spec.HasField("future"):
            text = "is either an option or a future"
            self.problems.append(Problem("CONTRACT_TERMS_INVALID", "future", text))
            return None
        if spec.HasField("option"):
            option = spec.option
            expiry_date = self.day(option.expiry_date, "option.expiry_date")
            if expiry_date is None:
                return None
            return ContractTerms(
                expiry_date,
                Decimal(option.multiplier),
                "",
                Decimal(option.strike),
                OptionRight(option.right),
                ExerciseStyle(option.style),
            )
        if spec.HasField("future"):
            expiry_date = self.day(spec.future.expiry_date, "future.expiry_date")
            if expiry_date is None:
                return None
            return ContractTerms(expiry_date, Decimal(spec.future.multiplier), "")
        return None

    def period(self, message: instrument_pb2.SymbolPeriod, field: str) -> SymbolPeriod | None:
        """The period stated; None when there are problems."""
        from_date = self.day(message.from_date, f"{field}.from_date")
        to_date = self.day(message.to_date, f"{field}.to_date")
        if not message.to_date:
            self.problems.append(Problem("SYMBOL_PERIOD_INVALID", f"{field}.to_date", "is required"))
        if from_date is None:
            return None
        return SymbolPeriod(message.symbol, message.mic, from_date, to_date)

    def day(self, value: str, field: str) -> date | None:
        """The day; None when it is empty, or a problem."""
        if not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.problems.append(Problem(_FIELD, field, f"{value} is no day"))
            return None


def _bands(messages: Sequence[instrument_pb2.TickBand]) -> tuple[TickBand, ...]:
    """The bands stated, whose fields follow their rules."""
    return tuple(TickBand(Decimal(one.from_price), Decimal(one.tick_size)) for one in messages)


def _tick_size(stated: str, bands: Sequence[TickBand]) -> Decimal:
    """The tick of the first band, else the one stated, else the usual one."""
    if bands:
        return bands[0].tick_size
    return Decimal(stated) if stated else _USUAL_TICK
