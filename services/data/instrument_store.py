"""Instruments and splits in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.instrument import AssetClass, Instrument, InstrumentStatus, Listing
from services.data.domain.splits import Split
from services.runtime.database import Database


@dataclass(frozen=True, slots=True)
class RecordedSplit:
    """A split with where and when it came from."""

    split: Split
    source: str
    record_time_ns: int


class InstrumentStore:
    """The tables of instruments and splits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_all(self) -> list[Instrument]:
        """Every instrument, by symbol, then market."""
        columns = tables.instruments.c
        query = sa.select(tables.instruments).order_by(columns.symbol, columns.mic)
        async with self._database.read() as connection:
            return [_instrument(row) for row in await connection.execute(query)]

    async def list_page(
        self, *, symbol_prefix: str, after: tuple[str, str] | None, limit: int
    ) -> list[Instrument]:
        """Up to ``limit`` instruments beyond ``after`` (symbol, market), by symbol, then market."""
        columns = tables.instruments.c
        query = sa.select(tables.instruments).order_by(columns.symbol, columns.mic).limit(limit)
        if symbol_prefix:
            query = query.where(columns.symbol.startswith(symbol_prefix, autoescape=True))
        if after is not None:
            query = query.where(sa.tuple_(columns.symbol, columns.mic) > sa.tuple_(*map(sa.literal, after)))
        async with self._database.read() as connection:
            return [_instrument(row) for row in await connection.execute(query)]

    async def splits(self, instrument_no: int) -> list[RecordedSplit]:
        """The splits of an instrument, oldest first."""
        columns = tables.splits.c
        query = (
            sa.select(tables.splits).where(columns.instrument_no == instrument_no).order_by(columns.ex_date)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [
                RecordedSplit(
                    Split(row.ex_date, row.ex_time_ns, row.new_shares, row.old_shares),
                    row.source,
                    row.record_time_ns,
                )
                for row in rows
            ]


async def upsert_instrument(connection: AsyncConnection, listing: Listing) -> int:
    """Store the listing, or bring its descriptive facts up to date; returns its number."""
    facts = {
        "symbol": listing.symbol,
        "mic": listing.mic,
        "name": listing.name,
        "asset_class": int(listing.asset_class),
        "currency": listing.currency,
        "tick_size": listing.tick_size,
        "lot_size": listing.lot_size,
        "listing_date": listing.listing_date,
    }
    statement = (
        insert(tables.instruments)
        .values(instrument_id=listing.instrument_id, status=int(InstrumentStatus.ACTIVE), **facts)
        .on_conflict_do_update(index_elements=["instrument_id"], set_=facts)
        .returning(tables.instruments.c.instrument_no)
    )
    number: int = (await connection.execute(statement)).scalar_one()
    return number


async def insert_splits(
    connection: AsyncConnection, instrument_no: int, splits: Sequence[Split], *, source: str, now_ns: int
) -> None:
    """Store splits; those held already stay as they are."""
    if not splits:
        return
    rows = [
        {
            "instrument_no": instrument_no,
            "ex_date": split.ex_date,
            "ex_time_ns": split.ex_time_ns,
            "new_shares": split.new_shares,
            "old_shares": split.old_shares,
            "source": source,
            "record_time_ns": now_ns,
        }
        for split in splits
    ]
    await connection.execute(insert(tables.splits).on_conflict_do_nothing(), rows)


# Any: a row's attributes are not typed by SQLAlchemy.
def _instrument(row: sa.Row[tuple[object, ...]]) -> Instrument:
    values = dict(row._mapping)  # noqa: SLF001  its public name
    values["asset_class"] = AssetClass(values["asset_class"])
    values["status"] = InstrumentStatus(values["status"])
    return Instrument(**values)
