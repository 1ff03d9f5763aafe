"""Instruments, splits and dividends in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.contract_terms import OptionRight
from services.data.domain.dividends import Dividend
from services.data.domain.instrument import Instrument, InstrumentStatus, Listing
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.instrument_search import InstrumentQuery, Match
from services.data.domain.splits import Split
from services.data.domain.symbol_history import SymbolPeriod
from services.data.instruments.instrument_rows import instrument_of, values_of
from services.data.instruments.instrument_search_store import search_instruments
from services.runtime.clock import Clock
from services.runtime.database import Database

_CHAIN = ("expiry_date", "strike", "option_right", "symbol", "instrument_no")


@dataclass(frozen=True, slots=True)
class RecordedSplit:
    """A split with where and when it came from."""

    split: Split
    source: str
    record_time_ns: int


@dataclass(frozen=True, slots=True)
class RecordedDividend:
    """A dividend with where and when it came from."""

    dividend: Dividend
    source: str
    record_time_ns: int


class InstrumentStore:
    """The tables of instruments, splits and dividends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_index(self) -> InstrumentIndex:
        """Every instrument with the symbols it had."""
        async with self._database.transaction() as connection:
            # One snapshot, so that symbols present and former agree.
            await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return await read_index(connection)

    async def read_some(
        self, instrument_ids: Collection[str]
    ) -> list[tuple[Instrument, Sequence[SymbolPeriod]]]:
        """Those of the ids that are held, each with the symbols it had."""
        async with self._database.transaction() as connection:
            await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            columns = tables.instruments.c
            instruments, former = await _read(connection, columns.instrument_id.in_(instrument_ids))
            return [(one, former.get(one.instrument_id, ())) for one in instruments]

    async def list_page(
        self, *, symbol_prefix: str, after: tuple[str, str, str] | None, limit: int
    ) -> list[Instrument]:
        """Up to ``limit`` instruments beyond ``after``: by symbol, then market, then id."""
        columns = tables.instruments.c
        place = (columns.symbol, columns.mic, columns.instrument_id)
        query = sa.select(tables.instruments).order_by(*place).limit(limit)
        if symbol_prefix:
            query = query.where(columns.symbol.startswith(symbol_prefix, autoescape=True))
        if after is not None:
            query = query.where(sa.tuple_(*place) > sa.tuple_(*map(sa.literal, after)))
        async with self._database.read() as connection:
            return [instrument_of(row) for row in (await connection.execute(query)).mappings()]

    async def search(self, query: InstrumentQuery, limit: int) -> list[Match]:
        """Up to ``limit`` instruments by score, then symbol, then market."""
        async with self._database.transaction() as connection:
            return await search_instruments(connection, query, limit)

    async def option_chain(
        self,
        underlying_id: str,
        *,
        expiry_from: date | None,
        expiry_to: date | None,
        right: OptionRight | None,
        after: int | None,
        limit: int,
    ) -> list[Instrument]:
        """Up to ``limit`` options on it beyond number ``after``: by expiry, strike, right, symbol."""
        columns = tables.instruments.c
        place = [columns[name] for name in _CHAIN]
        query = (
            sa.select(tables.instruments)
            .where(columns.underlying_id == underlying_id, columns.option_right.is_not(None))
            .order_by(*place)
            .limit(limit)
        )
        if expiry_from is not None:
            query = query.where(columns.expiry_date >= expiry_from)
        if expiry_to is not None:
            query = query.where(columns.expiry_date <= expiry_to)
        if right is not None:
            query = query.where(columns.option_right == int(right))
        if after is not None:
            last = tables.instruments.alias("last")
            its_place = sa.select(*(last.c[name] for name in _CHAIN)).where(last.c.instrument_no == after)
            query = query.where(sa.tuple_(*place) > its_place.scalar_subquery())
        async with self._database.read() as connection:
            return [instrument_of(row) for row in (await connection.execute(query)).mappings()]

    async def splits(self, instrument_no: int, as_of_ns: int | None = None) -> list[RecordedSplit]:
        """The splits of an instrument, oldest first; as they were known at ``as_of_ns`` when it is given."""
        async with self._database.read() as connection:
            return [
                RecordedSplit(
                    Split(row.ex_date, row.ex_time_ns, row.new_shares, row.old_shares),
                    row.source,
                    row.record_time_ns,
                )
                for row in await connection.execute(_facts(tables.splits, instrument_no, as_of_ns))
            ]

    async def dividends(self, instrument_no: int, as_of_ns: int | None = None) -> list[RecordedDividend]:
        """The dividends of an instrument, oldest first; as of a time as of ``splits``."""
        async with self._database.read() as connection:
            return [
                RecordedDividend(
                    Dividend(row.ex_date, row.ex_time_ns, row.amount, row.currency),
                    row.source,
                    row.record_time_ns,
                )
                for row in await connection.execute(_facts(tables.dividends, instrument_no, as_of_ns))
            ]


def _facts(table: sa.Table, instrument_no: int, as_of_ns: int | None) -> sa.Select[tuple[object, ...]]:
    columns = table.c
    query = sa.select(table).where(columns.instrument_no == instrument_no).order_by(columns.ex_date)
    if as_of_ns is None:
        return query.where(columns.retract_time_ns.is_(None))
    still_held = sa.or_(columns.retract_time_ns.is_(None), columns.retract_time_ns > as_of_ns)
    return query.where(columns.record_time_ns <= as_of_ns, still_held)


async def begin_record(connection: AsyncConnection, instrument_no: int, clock: Clock) -> int:
    """Lock the instrument until the caller's transaction ends; returns when what it records was known.

    Of one instrument each time is later than those before, whatever the clocks say: what was known at a time
    stays what it is. It goes to `insert_batch` and, as ``now_ns``, to the functions below.
    """
    last = tables.instruments.c.last_record_time_ns
    statement = (
        sa.update(tables.instruments)
        .where(tables.instruments.c.instrument_no == instrument_no)
        .values(last_record_time_ns=sa.func.greatest(sa.literal(clock.now_ns(), sa.BigInteger), last + 1))
        .returning(last)
    )
    time_ns: int = (await connection.execute(statement)).scalar_one()
    return time_ns


async def read_index(connection: AsyncConnection) -> InstrumentIndex:
    """Every instrument with the symbols it had, as the caller's transaction sees them."""
    return InstrumentIndex(*await _read(connection, sa.true()))


async def _read(
    connection: AsyncConnection, where: sa.ColumnElement[bool]
) -> tuple[Collection[Instrument], dict[str, list[SymbolPeriod]]]:
    """Instruments, and the symbols they had by id, oldest first."""
    rows = (await connection.execute(sa.select(tables.instruments).where(where))).mappings()
    instruments = {row["instrument_no"]: instrument_of(row) for row in rows}
    columns = tables.symbol_periods.c
    query = sa.select(tables.symbol_periods).join(tables.instruments).where(where)
    former: dict[str, list[SymbolPeriod]] = defaultdict(list)
    for row in await connection.execute(query.order_by(columns.instrument_no, columns.from_date)):
        period = SymbolPeriod(row.symbol, row.mic, row.from_date, row.to_date)
        former[instruments[row.instrument_no].instrument_id].append(period)
    return instruments.values(), former


async def upsert_instrument(connection: AsyncConnection, listing: Listing) -> int:
    """Store the listing, or bring its descriptive facts up to date; returns its number.

    Where its symbol is held at its market under another id, that instrument is meant, and stays as it is: who
    made it knew another listing date, and ids are for ever.
    """
    columns = tables.instruments.c
    statement = insert(tables.instruments).values(instrument_id=listing.instrument_id, **values_of(listing))
    # On any conflict, for there are two: the id, and the symbol at the market.
    made = await connection.execute(statement.on_conflict_do_nothing().returning(columns.instrument_no))
    number: int | None = made.scalar()
    if number is not None:
        return number
    is_symbol = sa.and_(columns.symbol == listing.symbol, columns.mic == listing.mic)
    is_id = columns.instrument_id == listing.instrument_id
    query = sa.select(columns.instrument_no, is_id).where(sa.or_(is_id, is_symbol))
    # A symbol may have been given to another after its holder was delisted.
    is_delisted = columns.status == int(InstrumentStatus.DELISTED)
    query = query.order_by(is_id.desc(), is_delisted, columns.listing_date.desc())
    held = (await connection.execute(query)).all()
    number, same_id = held[0]
    if same_id:
        facts = values_of(listing)
        del facts["status"], facts["delisting_date"]
        if len(held) > 1:
            del facts["symbol"]
        # What was changed here is not a source's to change.
        as_stated = sa.and_(columns.instrument_no == number, columns.version == 1)
        await connection.execute(sa.update(tables.instruments).where(as_stated).values(facts))
    return number


async def insert_splits(
    connection: AsyncConnection, instrument_no: int, splits: Sequence[Split], *, source: str, now_ns: int
) -> int:
    """Store splits; those held already stay as they are. Returns how many are new."""
    rows = [
        {
            "ex_date": split.ex_date,
            "ex_time_ns": split.ex_time_ns,
            "new_shares": split.new_shares,
            "old_shares": split.old_shares,
        }
        for split in splits
    ]
    return await _insert_facts(connection, tables.splits, instrument_no, rows, source=source, now_ns=now_ns)


async def insert_dividends(
    connection: AsyncConnection,
    instrument_no: int,
    dividends: Sequence[Dividend],
    *,
    source: str,
    now_ns: int,
) -> int:
    """Store dividends; where one is held for an ex date it stays as it is. Returns how many are new."""
    rows = [
        {
            "ex_date": dividend.ex_date,
            "ex_time_ns": dividend.ex_time_ns,
            "amount": dividend.amount,
            "currency": dividend.currency,
        }
        for dividend in dividends
    ]
    return await _insert_facts(
        connection, tables.dividends, instrument_no, rows, source=source, now_ns=now_ns
    )


async def retract_splits(
    connection: AsyncConnection, instrument_no: int, ex_dates: Collection[date], *, now_ns: int
) -> int:
    """Say that these were no splits; returns how many were held until now."""
    return await _retract_facts(connection, tables.splits, instrument_no, ex_dates, now_ns)


async def retract_dividends(
    connection: AsyncConnection, instrument_no: int, ex_dates: Collection[date], *, now_ns: int
) -> int:
    """Say that these were no dividends; returns how many were held until now."""
    return await _retract_facts(connection, tables.dividends, instrument_no, ex_dates, now_ns)


async def _insert_facts(
    connection: AsyncConnection,
    table: sa.Table,
    instrument_no: int,
    rows: Sequence[dict[str, object]],
    *,
    source: str,
    now_ns: int,
) -> int:
    if not rows:
        return 0
    of_all = {"instrument_no": instrument_no, "source": source, "record_time_ns": now_ns}
    statement = (
        insert(table)
        .values([{**of_all, **row} for row in rows])
        .on_conflict_do_nothing()
        .returning(table.c.ex_date)
    )
    count = len((await connection.execute(statement)).all())
    await _count_changes(connection, instrument_no, count)
    return count


async def _retract_facts(
    connection: AsyncConnection,
    table: sa.Table,
    instrument_no: int,
    ex_dates: Collection[date],
    now_ns: int,
) -> int:
    columns = table.c
    statement = (
        sa.update(table)
        .where(columns.instrument_no == instrument_no, columns.ex_date.in_(ex_dates))
        .where(columns.retract_time_ns.is_(None))
        .values(retract_time_ns=now_ns)
        .returning(columns.ex_date)
    )
    count = len((await connection.execute(statement)).all())
    await _count_changes(connection, instrument_no, count)
    return count


async def _count_changes(connection: AsyncConnection, instrument_no: int, count: int) -> None:
    """What is kept elsewhere of the instrument's bars, adjusted, is old."""
    if not count:
        return
    held = tables.bar_versions.c
    await connection.execute(
        sa.update(tables.bar_versions)
        .where(held.instrument_no == instrument_no)
        .values(version=held.version + 1)
    )
