"""Imports and quarantined bars in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.bars import BarInterval
from services.data.domain.instrument import InstrumentStatus, Listing
from services.data.domain.quality import QuarantineReason
from services.runtime.database import Database


@dataclass(frozen=True, slots=True)
class QuarantinedBar:
    """A refused row."""

    quarantine_no: int
    interval: BarInterval
    open_time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    reason: QuarantineReason
    line: int
    ingestion_id: str


@dataclass(frozen=True, slots=True)
class Target:
    """The instrument that an import is for."""

    instrument_no: int
    instrument_id: str
    symbol: str
    mic: str
    currency: str
    made: Listing | None = None
    """What it is made of when it is new."""


class QuarantineStore:
    """The table of quarantined bars."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(self, instrument_no: int, *, after: int, limit: int) -> list[QuarantinedBar]:
        """Up to ``limit`` rows of the instrument beyond ``after``, oldest first, without those released."""
        columns = tables.quarantined_bars.c
        query = (
            sa.select(tables.quarantined_bars)
            .where(columns.instrument_no == instrument_no, columns.quarantine_no > after)
            .where(columns.released_by.is_(None))
            .order_by(columns.quarantine_no)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [
                QuarantinedBar(
                    row.quarantine_no,
                    BarInterval(row.interval),
                    row.open_time_ns,
                    row.open,
                    row.high,
                    row.low,
                    row.close,
                    row.volume,
                    QuarantineReason(row.reason),
                    row.line,
                    row.ingestion_id,
                )
                for row in await connection.execute(query)
            ]


async def find_or_make(connection: AsyncConnection, listing: Listing) -> Target:
    """The instrument of the listing's symbol and market; made in this transaction when there is none."""
    columns = tables.instruments.c
    number = columns.instrument_no
    held = (
        sa.select(number, columns.instrument_id, columns.currency)
        .where(columns.symbol == listing.symbol, columns.mic == listing.mic)
        # A symbol may have been given to another after its holder was delisted.
        .order_by(columns.status == int(InstrumentStatus.DELISTED), columns.listing_date.desc())
        .limit(1)
    )
    made = None
    row = (await connection.execute(held)).first()
    if row is None:
        statement = insert(tables.instruments).values(
            instrument_id=listing.instrument_id,
            symbol=listing.symbol,
            mic=listing.mic,
            name=listing.name,
            asset_class=int(listing.asset_class),
            currency=listing.currency,
            tick_size=listing.tick_size,
            lot_size=listing.lot_size,
            status=int(InstrumentStatus.ACTIVE),
            listing_date=listing.listing_date,
        )
        made = (await connection.execute(statement.on_conflict_do_nothing().returning(number))).scalar()
        row = (await connection.execute(held)).one()
    return Target(
        row.instrument_no,
        row.instrument_id,
        listing.symbol,
        listing.mic,
        row.currency,
        None if made is None else listing,
    )


async def set_listing_date(connection: AsyncConnection, target: Target, first: date) -> Target:
    """Date the instrument that this transaction made, which also gives it its id."""
    if target.made is None:
        return target
    listing = replace(target.made, listing_date=first)
    where = tables.instruments.c.instrument_no == target.instrument_no
    values = {"instrument_id": listing.instrument_id, "listing_date": first}
    await connection.execute(sa.update(tables.instruments).where(where).values(values))
    return replace(target, instrument_id=listing.instrument_id)


async def insert_answer(connection: AsyncConnection, ingestion_id: str, answer: bytes) -> None:
    """Keep what an import was answered with."""
    await connection.execute(sa.insert(tables.bar_imports), {"ingestion_id": ingestion_id, "answer": answer})


async def read_answer(connection: AsyncConnection, ingestion_id: str) -> bytes:
    """What the import was answered with."""
    columns = tables.bar_imports.c
    query = sa.select(columns.answer).where(columns.ingestion_id == ingestion_id)
    answer: bytes = (await connection.execute(query)).scalar_one()
    return answer
