"""What a source says of one symbol into PostgreSQL, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.domain.facts import Fact, value_problem
from services.data.facts.fact_store import FactOrigin, begin_batch, insert_batch, without_standing
from services.data.ingestions.ingestion_writer import hold_instrument
from services.data.sources.source import Source, SourceFacts
from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class RecordedFacts:
    """What became of the facts of a symbol."""

    instrument_id: str
    recorded: int
    refused: int
    why: str
    """What is wrong with those that were left out; empty when none was."""


async def record_source_facts(
    connection: AsyncConnection,
    ingestion_id: str,
    source: Source,
    symbol: str,
    found: SourceFacts,
    *,
    clock: Clock,
) -> RecordedFacts:
    """Record what is new of them; impossible ones are left out.

    Raises:
        SourceError: INSTRUMENT_DIFFERS, the listing is held in another currency.
    """
    # Before the instrument's row is locked, as RecordFacts does: both wait in one order.
    record_time_ns = await begin_batch(connection, clock)
    number, instrument_id = await hold_instrument(connection, source, symbol, found.listing)
    possible, why = _possible(found.facts, record_time_ns)
    new = await without_standing(connection, number, possible)
    origin = FactOrigin(source.description, ingestion_id, found.fetch_time_ns)
    batch = await insert_batch(
        connection, [(number, one) for one in new], origin, record_time_ns=record_time_ns
    )
    return RecordedFacts(instrument_id, batch.recorded, len(why), "; ".join(why))


def _possible(facts: Sequence[Fact], now_ns: int) -> tuple[list[Fact], list[str]]:
    good, wrong = list[Fact](), list[str]()
    for fact in facts:
        _, text = value_problem(fact, now_ns=now_ns)
        if text:
            wrong.append(f"{fact.key.name} {text}")
        else:
            good.append(fact)
    return good, wrong
