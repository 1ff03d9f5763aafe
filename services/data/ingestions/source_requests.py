"""What requests ask of sources."""

from __future__ import annotations

from bifrost.data.v1.ingestion_service_pb2 import CreateIngestionRequest
from bifrost.data.v1.schedule_service_pb2 import CreateScheduleRequest
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import IngestionKind
from services.data.sources.source import FactSource, Source, Sources
from services.runtime.errors import invalid_argument


def check_source(
    sources: Sources, request: CreateIngestionRequest | CreateScheduleRequest
) -> tuple[IngestionKind, BarInterval]:
    """What is asked of an installed source, and the length of bars; bars of a day when nothing is said.

    Raises:
        ApiError: INVALID_ARGUMENT (SOURCE_UNKNOWN, FACTS_UNSUPPORTED, FIELD_INVALID, INTERVAL_UNSUPPORTED,
            SYMBOLS_REQUIRED).
    """
    name = request.source
    source = sources.get(name)
    if source is None:
        installed = ",".join(sorted(sources))
        message = f"there is no source {name!r}; installed: {installed}"
        raise invalid_argument("SOURCE_UNKNOWN", message, field="source", sources=installed)
    kind = IngestionKind(request.kind or IngestionKind.BARS)
    asked = BarInterval(request.interval or BarInterval.DAY)
    if kind is IngestionKind.FACTS:
        _check_facts(source, has_interval=bool(request.interval))
    elif asked not in source.intervals:
        has = ",".join(one.name for one in sorted(source.intervals))
        message = f"{name} has no bars of {asked.name}; it has: {has}"
        raise invalid_argument("INTERVAL_UNSUPPORTED", message, field="interval", intervals=has)
    if source.needs_symbols and not request.symbols:
        message = f"{name} cannot list its symbols: name those you want"
        raise invalid_argument("SYMBOLS_REQUIRED", message, field="symbols")
    return kind, asked


def _check_facts(source: Source, *, has_interval: bool) -> None:
    if not isinstance(source, FactSource):
        raise invalid_argument("FACTS_UNSUPPORTED", f"{source.name} has bars and no facts", field="kind")
    if has_interval:
        raise invalid_argument("FIELD_INVALID", "facts have no interval", field="interval")
