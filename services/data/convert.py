"""Protobuf messages from domain objects, and back; nothing else."""

from __future__ import annotations

from datetime import date

from bifrost.data.v1 import bar_pb2, bar_service_pb2, ingestion_pb2, instrument_pb2
from bifrost.type.v1 import job_pb2
from services.data.domain.bars import Bars
from services.data.domain.ingestion import Ingestion, SymbolResult
from services.data.domain.instrument import Instrument
from services.data.instrument_store import RecordedSplit
from services.runtime.clock import to_timestamp
from services.runtime.columns import packed_doubles, packed_sint64
from services.runtime.decimals import format_decimal
from services.runtime.wire import field_bytes

_PRICES_AND_VOLUME = ("open", "high", "low", "close", "volume")
_COLUMN = {field.name: field.number for field in bar_pb2.BarColumns.DESCRIPTOR.fields}
_PAGE = {field.name: field.number for field in bar_service_pb2.ListBarsResponse.DESCRIPTOR.fields}


def instrument_message(instrument: Instrument) -> instrument_pb2.Instrument:
    """The instrument."""
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
    )


def split_message(recorded: RecordedSplit) -> instrument_pb2.Split:
    """The split."""
    return instrument_pb2.Split(
        ex_date=recorded.split.ex_date.isoformat(),
        new_shares=recorded.split.new_shares,
        old_shares=recorded.split.old_shares,
        source=recorded.source,
        record_time=to_timestamp(recorded.record_time_ns),
    )


def list_bars_response(instrument_id: str, bars: Bars, next_page_token: str) -> bytes:
    """The page, serialised: a ListBarsResponse put together from the columns' own memory."""
    columns = packed_sint64(_COLUMN["open_time_ns"], bars.open_time_ns) + b"".join(
        packed_doubles(_COLUMN[name], getattr(bars, name)) for name in _PRICES_AND_VOLUME
    )
    return (
        field_bytes(_PAGE["instrument_id"], instrument_id.encode())
        + field_bytes(_PAGE["bars"], columns)
        + (field_bytes(_PAGE["next_page_token"], next_page_token.encode()) if next_page_token else b"")
    )


def ingestion_message(ingestion: Ingestion) -> ingestion_pb2.Ingestion:
    """The ingestion."""
    return ingestion_pb2.Ingestion(
        ingestion_id=ingestion.ingestion_id,
        source=ingestion.source,
        symbols=ingestion.symbols,
        status=job_pb2.JobStatus(
            state=f"JOB_STATE_{ingestion.state.name}",
            progress=ingestion.progress,
            stage=ingestion.stage,
            message=ingestion.message,
            error_reason=ingestion.error_reason,
            error_message=ingestion.error_message,
            create_time=to_timestamp(ingestion.create_time_ns),
            update_time=to_timestamp(ingestion.update_time_ns),
        ),
        results=map(_symbol_result, ingestion.results),
    )


def _symbol_result(result: SymbolResult) -> ingestion_pb2.SymbolResult:
    return ingestion_pb2.SymbolResult(
        symbol=result.symbol,
        instrument_id=result.instrument_id,
        rows_stored=result.rows_stored,
        rows_refused=result.rows_refused,
        first_date=_iso(result.first_date),
        last_date=_iso(result.last_date),
        error_message=result.error_message,
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
