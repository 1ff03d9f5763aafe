"""Makes and changes instruments: each request once, checked against all that is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.domain.instrument import Instrument, Listing
from services.data.domain.instrument_change import (
    InstrumentUpdate,
    as_held,
    change_symbol,
    is_same,
    new_listing_problems,
    update_problems,
    updated,
)
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.listing_rules import Problem
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_specs import (
    StatedListing,
    checked_listing,
    refusal,
    rows_refusal,
)
from services.data.instruments.instrument_store import read_index
from services.data.instruments.instrument_writes import (
    insert_import,
    insert_listings,
    insert_periods,
    lock_instruments,
    read_import,
    update_instrument,
)
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database
from services.runtime.errors import aborted, already_exists, not_found
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id

# The date line: it is tomorrow in Kiribati, UTC+14, while it is still today elsewhere.
_EARLIEST_ZONE_S = 14 * 3600


@dataclass(frozen=True, slots=True)
class Requested:
    """Which request asks, and who sent it."""

    request_id: str
    digest: str
    owner: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a batch."""

    instrument_ids: Sequence[str]
    """In the order of the rows."""
    created: int
    duplicate: bool


class InstrumentChanges:
    """The changes; each ends with the directory knowing them."""

    def __init__(
        self,
        database: Database,
        directory: InstrumentDirectory,
        idempotency: IdempotencyStore,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._idempotency = idempotency
        self._clock = clock

    async def create(self, stated: StatedListing, requested: Requested) -> tuple[Instrument, bool]:
        """The instrument, and whether the request came before."""
        async with self._once(requested, "CreateInstrument") as (connection, done):
            if done.resource_id is None:
                listing = _new_listing(stated, await read_index(connection))
                await insert_listings(connection, [listing])
                done.made = listing.instrument_id
        return await self._present(done)

    async def import_all(self, stated: Sequence[StatedListing], requested: Requested) -> Imported:
        """All rows or none."""
        async with self._once(requested, "ImportInstruments") as (connection, done):
            if done.resource_id is not None:
                ids, created = await read_import(connection, done.resource_id)
                return Imported(ids, created, duplicate=True)
            index = await read_index(connection)
            # Thousands of rows take long to check.
            ids, new = await asyncio.to_thread(_new_listings, stated, index)
            await insert_listings(connection, new)
            done.made = new_id(self._clock)
            await insert_import(connection, done.made, ids, len(new))
        await self._directory.reload()
        return Imported(ids, len(new), duplicate=False)

    async def update(
        self, instrument_id: str, update: InstrumentUpdate, requested: Requested, *, etag: str
    ) -> tuple[Instrument, bool]:
        """The instrument, and whether the request came before."""
        async with self._once(requested, "UpdateInstrument") as (connection, done):
            if done.resource_id is None:
                index = await read_index(connection)
                held = _held(index, instrument_id, etag)
                changed = updated(held, update)
                problems = update_problems(changed, index)
                if problems:
                    raise refusal(problems, within="instrument.")
                await update_instrument(connection, changed)
                done.made = held.instrument_id
        return await self._present(done)

    async def change_symbol(
        self, instrument_id: str, symbol: str, mic: str, effective: date, requested: Requested, *, etag: str
    ) -> tuple[Instrument, bool]:
        """The instrument, and whether the request came before; an empty ``mic`` is the present one."""
        async with self._once(requested, "ChangeSymbol") as (connection, done):
            if done.resource_id is None:
                index = await read_index(connection)
                held = _held(index, instrument_id, etag)
                mic, today = mic or held.mic, self._latest_date()
                made = change_symbol(held, symbol, mic, effective, today=today, index=index)
                if isinstance(made, list):
                    raise refusal(made)
                changed, ended = made
                await update_instrument(connection, changed)
                await insert_periods(connection, held.instrument_no, [ended])
                done.made = held.instrument_id
        return await self._present(done)

    @asynccontextmanager
    async def _once(self, requested: Requested, method: str) -> AsyncIterator[tuple[AsyncConnection, _Done]]:
        """A transaction that sees all instruments and changes them alone, and keeps the request's id."""
        owner, digest, request_id = requested.owner, requested.digest, requested.request_id
        try:
            async with self._database.transaction() as connection:
                stored = await self._idempotency.begin(connection, owner, method, request_id, digest)
                done = _Done(None if stored is None else stored.resource_id)
                if stored is None:
                    await lock_instruments(connection)
                yield connection, done
                if done.made:
                    await self._idempotency.finish(connection, owner, method, request_id, done.made)
        except IntegrityError as error:
            # An ingestion made the same at this moment.
            text = "another instrument with this id, FIGI or symbol came at the same time; try again"
            raise already_exists("INSTRUMENT_EXISTS", text) from error

    async def _present(self, done: _Done) -> tuple[Instrument, bool]:
        if done.resource_id is None:
            await self._directory.refresh([done.made])
        return await self._directory.by_id(done.resource_id or done.made), done.resource_id is not None

    def _latest_date(self) -> date:
        return datetime.fromtimestamp(self._clock.now_ns() // NANOS + _EARLIEST_ZONE_S, UTC).date()


@dataclass(slots=True)
class _Done:
    """What the request made: before, or now."""

    resource_id: str | None
    made: str = ""


def _new_listing(stated: StatedListing, index: InstrumentIndex) -> Listing:
    listing, problems = checked_listing(stated, index)
    problems = problems or (new_listing_problems(listing, index) if listing else [])
    if problems or listing is None:
        raise refusal(problems, within="instrument.")
    return listing


def _new_listings(stated: Sequence[StatedListing], index: InstrumentIndex) -> tuple[list[str], list[Listing]]:
    """Ids of all rows, and what of them is new; ``index`` takes in what is new."""
    ids, new, wrong = list[str](), list[Listing](), list[tuple[str, Problem]]()
    for place, one in enumerate(stated):
        listing, problems = checked_listing(one, index)
        if listing is not None and not problems:
            held = index.by_id(listing.instrument_id)
            ids.append(listing.instrument_id)
            if held is not None and is_same(listing, held, index):
                continue
            problems = new_listing_problems(listing, index)
            if not problems:
                index.add(as_held(listing), listing.former_symbols)
                new.append(listing)
        wrong += [(f"instruments[{place}].", problem) for problem in problems]
    if wrong:
        raise rows_refusal(wrong)
    return ids, new


def _held(index: InstrumentIndex, instrument_id: str, etag: str) -> Instrument:
    held = index.by_id(instrument_id)
    if held is None:
        text = f"no instrument has the id {instrument_id}"
        raise not_found("INSTRUMENT_NOT_FOUND", text, instrument_id=instrument_id)
    if held.etag != etag:
        raise aborted("ETAG_MISMATCH", f"{held.symbol} was changed meanwhile; read it again", etag=held.etag)
    return held
