"""Protobuf messages from domain objects, and back; nothing else."""

from __future__ import annotations

from datetime import date

from bifrost.data.v1 import (
    bar_pb2,
    bar_service_pb2,
    ingestion_pb2,
    instrument_pb2,
)
from services.data.domain.bars import BarInterval, Bars
from services.data.domain.ingestion import Ingestion, IngestionKind, SymbolResult
from services.data.instruments.instrument_store import RecordedDividend, RecordedSplit
from services.runtime.clock import to_timestamp
from services.runtime.columns import Pieces, message_field, packed_doubles, packed_sint64
from services.runtime.decimals import format_decimal
from services.runtime.errors import invalid_argument
from services.runtime.jobs.messages import status_message
from services.runtime.wire import field_bytes, uint_field

_PRICES_AND_VOLUME = ("open", "high", "low", "close", "volume")
_COLUMN = {field.name: field.number for field in bar_pb2.BarColumns.DESCRIPTOR.fields}
_PAGE = {field.name: field.number for field in bar_service_pb2.ListBarsResponse.DESCRIPTOR.fields}


def split_message(recorded: RecordedSplit) -> instrument_pb2.Split:
    """The split."""
    return instrument_pb2.Split(
        ex_date=recorded.split.ex_date.isoformat(),
        new_shares=recorded.split.new_shares,
        old_shares=recorded.split.old_shares,
        source=recorded.source,
        record_time=to_timestamp(recorded.record_time_ns),
    )


def dividend_message(recorded: RecordedDividend) -> instrument_pb2.Dividend:
    """The dividend."""
    return instrument_pb2.Dividend(
        ex_date=recorded.dividend.ex_date.isoformat(),
        amount=format_decimal(recorded.dividend.amount),
        currency=recorded.dividend.currency,
        source=recorded.source,
        record_time=to_timestamp(recorded.record_time_ns),
    )


def list_bars_response(instrument_id: str, bars: Bars, next_page_token: str, made_from: int) -> bytes:
    """The page, serialised: a ListBarsResponse put together from the columns' own memory."""
    columns = packed_sint64(_COLUMN["open_time_ns"], bars.open_time_ns)
    for name in _PRICES_AND_VOLUME:
        columns += packed_doubles(_COLUMN[name], getattr(bars, name))
    page: Pieces = [field_bytes(_PAGE["instrument_id"], instrument_id.encode())]
    page += message_field(_PAGE["bars"], columns)
    if next_page_token:
        page.append(field_bytes(_PAGE["next_page_token"], next_page_token.encode()))
    page.append(uint_field(_PAGE["made_from"], made_from))
    return b"".join(page)


def ingestion_message(ingestion: Ingestion) -> ingestion_pb2.Ingestion:
    """The ingestion."""
    return ingestion_pb2.Ingestion(
        ingestion_id=ingestion.ingestion_id,
        source=ingestion.source,
        symbols=ingestion.symbols,
        interval=interval_name(ingestion.kind, ingestion.interval),
        kind=f"INGESTION_KIND_{ingestion.kind.name}",
        start_date=_iso(ingestion.start_date),
        end_date=_iso(ingestion.end_date),
        status=status_message(ingestion),
        results=map(_symbol_result, ingestion.results),
    )


def interval_name(kind: IngestionKind, interval: BarInterval) -> str:
    """The contract's name for the length of what is loaded, which facts have not."""
    return f"BAR_INTERVAL_{interval.name if kind is IngestionKind.BARS else 'UNSPECIFIED'}"


def _symbol_result(result: SymbolResult) -> ingestion_pb2.SymbolResult:
    return ingestion_pb2.SymbolResult(
        symbol=result.symbol,
        instrument_id=result.instrument_id,
        rows_stored=result.rows_stored,
        rows_refused=result.rows_refused,
        first_date=_iso(result.first_date),
        last_date=_iso(result.last_date),
        error_message=result.error_message,
        error="SYMBOL_ERROR_UNSPECIFIED" if result.error is None else f"SYMBOL_ERROR_{result.error.name}",
        attempts=result.attempts,
        requests=result.requests,
        rows_revised=result.rows_revised,
        state=f"JOB_STATE_{result.state.name}",
        progress=result.progress,
    )


def date_of(value: str, *, field: str) -> date | None:
    """The day an ISO 8601 text names, None when it is empty; ApiError INVALID_ARGUMENT naming ``field``."""
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise invalid_argument("FIELD_INVALID", f"{value} is no day", field=field) from None


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
