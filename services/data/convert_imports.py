"""Messages of imports from domain objects, and back; nothing else."""

from __future__ import annotations

from datetime import date

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from services.data.domain.instrument import AssetClass, Listing
from services.data.imports.bar_import import Imported
from services.data.imports.import_store import QuarantinedBar


def listing_of(new: pb.NewInstrument, listing_date: date) -> Listing:
    """The listing a request describes."""
    return Listing(
        symbol=new.symbol,
        first_symbol=new.symbol,
        mic=new.mic,
        name=new.name or new.symbol,
        listing_date=listing_date,
        asset_class=AssetClass(new.asset_class or AssetClass.EQUITY),
        currency=new.currency,
    )


def import_answer(ingestion_id: str, instrument_id: str, imported: Imported) -> pb.ImportBarsResponse:
    """The answer of ImportBars."""
    findings, merged = imported.findings, imported.merged
    first_ns, last_ns = imported.span_ns or (0, 0)
    return pb.ImportBarsResponse(
        ingestion_id=ingestion_id,
        instrument_id=instrument_id,
        rows_read=findings.rows_read,
        rows_stored=merged.stored,
        rows_unchanged=merged.unchanged,
        rows_differing=merged.differing,
        rows_quarantined=findings.rows_quarantined,
        rows_without_volume=findings.rows_without_volume,
        first_open_time_ns=first_ns,
        last_open_time_ns=last_ns,
        quarantined=[
            pb.QuarantineCount(reason=f"QUARANTINE_REASON_{reason.name}", rows=rows)
            for reason, rows in sorted(findings.quarantined.items())
        ],
        problems=[
            pb.ImportProblem(
                line=problem.line, column=problem.column, reason=f"QUARANTINE_REASON_{problem.reason.name}"
            )
            for problem in findings.problems
        ],
    )


def quarantined_message(instrument_id: str, bar: QuarantinedBar) -> pb.QuarantinedBar:
    """The refused row."""
    return pb.QuarantinedBar(
        reason=f"QUARANTINE_REASON_{bar.reason.name}",
        ingestion_id=bar.ingestion_id,
        line=bar.line,
        quarantine_no=bar.quarantine_no,
        bar=bar_pb2.Bar(
            instrument_id=instrument_id,
            interval=f"BAR_INTERVAL_{bar.interval.name}",
            open_time_ns=bar.open_time_ns,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            closed=True,
        ),
    )
