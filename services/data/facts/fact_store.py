"""Facts in PostgreSQL."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.facts import ALWAYS, AsOf, Fact, FactKey, FactPeriod, FactValue, RecordedFact
from services.runtime.clock import Clock
from services.runtime.database import Database

# Any number that no other lock of this database has.
_LOCK = 7_309_101


@dataclass(frozen=True, slots=True)
class FactQuery:
    """Which facts of an instrument."""

    instrument_no: int
    names: Sequence[str] = ()
    """Empty means all."""
    period: FactPeriod | None = None
    period_end_from: date | None = None
    period_end_to: date | None = None
    as_of: AsOf = ALWAYS
    all_versions: bool = False


@dataclass(frozen=True, slots=True)
class FactOrigin:
    """Who says so, and through which ingestion."""

    source: str
    ingestion_id: str | None = None
    fetch_time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts that were recorded together."""

    batch_no: int
    record_time_ns: int
    recorded: int
    unchanged: int


class FactStore:
    """The table of facts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(
        self, query: FactQuery, *, after: Sequence[object] | None = None, limit: int | None = None
    ) -> list[RecordedFact]:
        """Facts beyond the place ``after``: by name, period, its end, when published, when recorded."""
        async with self._database.transaction() as connection:
            if query.as_of.record_time_ns is not None:
                await _settle(connection, query.as_of.record_time_ns)
            rows = await connection.execute(_select(query, after, limit))
            return [_recorded(row) for row in rows]


async def _settle(connection: AsyncConnection, as_of_ns: int) -> None:
    """See to it that whatever is recorded from now on is recorded after a time, whatever clocks say then."""
    # Who records at this moment may have taken an earlier time: let it end first. Batches are short.
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    asked, recorded = tables.fact_horizon.c.asked_time_ns, tables.fact_batches.c.record_time_ns
    last = sa.select(sa.func.coalesce(sa.func.max(recorded), 0)).scalar_subquery()
    is_later = sa.and_(asked < as_of_ns, last < as_of_ns)
    await connection.execute(sa.update(tables.fact_horizon).where(is_later).values(asked_time_ns=as_of_ns))


async def begin_batch(connection: AsyncConnection, clock: Clock) -> int:
    """Lock out other batches until the caller's transaction ends; returns when its facts are recorded.

    Each time is later than all before, and than all that were asked for, whatever the clock says: what was
    known at a time stays what it is.
    """
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    batch = sa.select(sa.func.max(tables.fact_batches.c.record_time_ns)).scalar_subquery()
    asked = tables.fact_horizon.c.asked_time_ns
    last: int = (await connection.execute(sa.select(sa.func.greatest(asked, batch)))).scalar_one()
    return max(clock.now_ns(), last + 1)


async def insert_batch(
    connection: AsyncConnection, facts: Sequence[tuple[int, Fact]], origin: FactOrigin, *, record_time_ns: int
) -> Batch:
    """Store (instrument number, fact) but those that say what counted at their time of publication anyway."""
    held = await _held(connection, {number for number, _ in facts})
    new = []
    for number, fact in facts:
        versions = held[number, fact.key]
        place = bisect.bisect_right(versions, fact.publish_time_ns, key=itemgetter(0))
        if place and versions[place - 1][1] == fact.value:
            continue
        versions.insert(place, (fact.publish_time_ns, fact.value))
        new.append((number, fact))
    values = {
        **asdict(origin),
        "record_time_ns": record_time_ns,
        "recorded": len(new),
        "unchanged": len(facts) - len(new),
    }
    statement = sa.insert(tables.fact_batches).values(values).returning(tables.fact_batches.c.batch_no)
    batch_no: int = (await connection.execute(statement)).scalar_one()
    if new:
        rows = [_values(number, fact, batch_no) for number, fact in new]
        await connection.execute(sa.insert(tables.facts), rows)
    return Batch(batch_no, record_time_ns, len(new), len(facts) - len(new))


async def without_standing(
    connection: AsyncConnection, instrument_no: int, facts: Sequence[Fact]
) -> list[Fact]:
    """The facts but those of a moment that say what the latest held of the name says: it still stands."""
    columns = tables.facts.c
    latest_first = (columns.period_end.desc(), columns.publish_time_ns.desc(), columns.batch_no.desc())
    query = (
        sa.select(columns.name, columns.period_end, columns.number, columns.text, columns.currency)
        .distinct(columns.name)
        .where(columns.instrument_no == instrument_no, columns.period == int(FactPeriod.INSTANT))
        .order_by(columns.name, *latest_first)
    )
    rows = await connection.execute(query)
    held = {row.name: (row.period_end, (row.number, row.text, row.currency)) for row in rows}

    def stands(fact: Fact) -> bool:
        if fact.key.period is not FactPeriod.INSTANT or fact.key.name not in held:
            return False
        since, value = held[fact.key.name]
        return since <= fact.key.period_end and value == fact.value

    return [one for one in facts if not stands(one)]


async def read_batch(connection: AsyncConnection, batch_no: int) -> Batch:
    """The batch of this number."""
    columns = tables.fact_batches.c
    row = (await connection.execute(sa.select(tables.fact_batches).where(columns.batch_no == batch_no))).one()
    return Batch(row.batch_no, row.record_time_ns, row.recorded, row.unchanged)


_Versions = list[tuple[int, FactValue]]


async def _held(
    connection: AsyncConnection, numbers: set[int]
) -> defaultdict[tuple[int, FactKey], _Versions]:
    """When each fact was published and what it says, in the order in which they count."""
    columns = tables.facts.c
    query = (
        sa.select(tables.facts)
        .where(columns.instrument_no.in_(numbers))
        .order_by(columns.publish_time_ns, columns.batch_no)
    )
    found = defaultdict[tuple[int, FactKey], _Versions](list)
    for row in await connection.execute(query):
        key = FactKey(row.name, FactPeriod(row.period), row.period_end)
        value = (row.number, row.text, row.currency)
        found[row.instrument_no, key].append((row.publish_time_ns, value))
    return found


def _select(
    query: FactQuery, after: Sequence[object] | None, limit: int | None
) -> sa.Select[tuple[object, ...]]:
    fact, batch = tables.facts.c, tables.fact_batches.c
    key = (fact.name, fact.period, fact.period_end)
    wanted = [fact.instrument_no == query.instrument_no]
    if query.names:
        wanted.append(fact.name.in_(query.names))
    if query.period is not None:
        wanted.append(fact.period == int(query.period))
    if query.period_end_from is not None:
        wanted.append(fact.period_end >= query.period_end_from)
    if query.period_end_to is not None:
        wanted.append(fact.period_end <= query.period_end_to)
    if query.as_of.publish_time_ns is not None:
        wanted.append(fact.publish_time_ns <= query.as_of.publish_time_ns)
    if query.as_of.record_time_ns is not None:
        wanted.append(batch.record_time_ns <= query.as_of.record_time_ns)
    origin = (batch.record_time_ns, batch.source, batch.ingestion_id, batch.fetch_time_ns)
    joined = sa.select(tables.facts, *origin).join(tables.fact_batches).where(*wanted)
    if not query.all_versions:
        newest_first = (fact.publish_time_ns.desc(), batch.record_time_ns.desc())
        joined = joined.distinct(*key).order_by(*key, *newest_first)
    found = joined.subquery().c
    place = (found.name, found.period, found.period_end, found.publish_time_ns, found.record_time_ns)
    ordered = sa.select(*found).order_by(*place)
    if after is not None:
        ordered = ordered.where(sa.tuple_(*place) > sa.tuple_(*map(sa.literal, after)))
    return ordered if limit is None else ordered.limit(limit)


def _values(instrument_no: int, fact: Fact, batch_no: int) -> dict[str, object]:
    return {
        "instrument_no": instrument_no,
        "name": fact.key.name,
        "period": int(fact.key.period),
        "period_end": fact.key.period_end,
        "publish_time_ns": fact.publish_time_ns,
        "batch_no": batch_no,
        "number": fact.number,
        "text": fact.text,
        "currency": fact.currency,
    }


def _recorded(row: sa.Row[tuple[object, ...]]) -> RecordedFact:
    values = row._mapping  # noqa: SLF001  its public name
    key = FactKey(values["name"], FactPeriod(values["period"]), values["period_end"])
    fact = Fact(key, values["number"], values["text"], values["currency"], values["publish_time_ns"])
    return RecordedFact(
        fact,
        values["record_time_ns"],
        values["source"],
        values["ingestion_id"] or "",
        values["fetch_time_ns"],
    )
