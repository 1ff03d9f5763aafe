"""Replay sessions in PostgreSQL: made once with all their bars, so that a restart needs no peer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from services.runtime.database import Database
from services.runtime.idempotency import check_digest
from services.venue.domain.commands import RecordedCommand
from services.venue.domain.plan import CarriedState, ReplayPlan
from services.venue.domain.price import Instrument, Ticks
from services.venue.domain.replay import DailyBar
from services.venue.domain.session import TradingSession
from services.venue.durable_state import carried_from_json, carried_to_json, command_from_json
from services.venue.records import CREATE_SESSION, Claim, ReplayRecord, SessionState

_INSERT_BARS = (
    "INSERT INTO session_bar (session_no, instrument_no, session_date, open_units, high_units, low_units, "
    "close_units, volume) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


# the columns are ours
_SELECT = (
    "SELECT *, carried_state.state::text AS carried, replay_position.state AS stands "
    "FROM replay_session JOIN replay_position USING (session_no) JOIN carried_state USING (session_no)"
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A session and what its exchange is rebuilt from."""

    record: ReplayRecord
    carried: CarriedState
    commands: Sequence[RecordedCommand]


class SessionStore:
    """The sessions ever replayed; the last one made is the current one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        driver: asyncpg.Connection,
        plan: ReplayPlan,
        *,
        session_id: str,
        seconds_per_day: float,
        now_ns: int,
    ) -> ReplayRecord:
        """Make a running session of `plan`, whose prefix is replaced by the session's own."""
        session_no: int = await driver.fetchval(
            "INSERT INTO replay_session (session_id, seed, steps_per_day, create_time_ns) "
            "VALUES ($1, $2, $3, $4) RETURNING session_no",
            session_id,
            plan.seed,
            plan.steps_per_session,
            now_ns,
        )
        await self._insert_plan(driver, session_no, plan)
        record = ReplayRecord(
            session_no,
            session_id,
            replace(plan, prefix=_prefix(session_no)),
            SessionState.RUNNING,
            seconds_per_day,
            -1,
            plan.sessions[0].open_ns,
        )
        await driver.execute(
            "INSERT INTO replay_position (session_no, state, seconds_per_day, position, market_time_ns) "
            "VALUES ($1, $2, $3, $4, $5)",
            session_no,
            record.state.value,
            seconds_per_day,
            record.position,
            record.market_time_ns,
        )
        carried = carried_to_json(CarriedState())
        await driver.execute(
            "INSERT INTO carried_state (session_no, state) VALUES ($1, $2)", session_no, carried
        )
        return record

    async def find_request(self, claim: Claim) -> str | None:
        """The id of the session that a request made before, or None.

        Raises:
            ApiError: ALREADY_EXISTS, reason REQUEST_ID_REUSED: it came with other content.
        """
        async with self._database.raw() as driver:
            row = await driver.fetchrow(
                "SELECT digest, resource_id FROM idempotency "
                "WHERE owner = $1 AND method = $2 AND request_id = $3",
                claim.owner,
                CREATE_SESSION,
                claim.request_id,
            )
        if row is None:
            return None
        check_digest(claim.request_id, first=row["digest"], again=claim.digest)
        return str(row["resource_id"])

    async def load(self, session_id: str) -> ReplayRecord:
        """A session by its id, as it was at the last commit. KeyError when there is none."""
        async with self._database.raw() as driver:
            row = await driver.fetchrow(f"{_SELECT} WHERE session_id = $1", session_id)
            if row is None:
                raise KeyError(session_id)
            return _record(row, await self._load_plan(driver, row))

    async def load_current(self) -> Recovered | None:
        """The session made last, as it was at the last commit; None when there was never one."""
        async with (
            self._database.raw() as driver,
            driver.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await driver.fetchrow(f"{_SELECT} ORDER BY session_no DESC LIMIT 1")
            if row is None:
                return None
            plan = await self._load_plan(driver, row)
            carried = carried_from_json(row["carried"])
            commands = await driver.fetch(
                "SELECT position, body::text FROM command WHERE session_no = $1 AND day_no = $2 "
                "ORDER BY command_no",
                row["session_no"],
                carried.next_session,
            )
        return Recovered(_record(row, plan), carried, [_recorded(each) for each in commands])

    async def _insert_plan(self, driver: asyncpg.Connection, session_no: int, plan: ReplayPlan) -> None:
        await driver.executemany(
            "INSERT INTO session_instrument (session_no, instrument_no, instrument_id, symbol, currency, "
            "tick_starts, tick_sizes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                (
                    session_no,
                    number,
                    each.instrument_id,
                    each.symbol,
                    each.currency,
                    each.ticks.starts,
                    each.ticks.sizes,
                )
                for number, each in enumerate(plan.instruments)
            ],
        )
        await driver.executemany(
            "INSERT INTO session_day (session_no, session_date, open_ns, close_ns) VALUES ($1, $2, $3, $4)",
            [(session_no, each.session_date, each.open_ns, each.close_ns) for each in plan.sessions],
        )
        numbers = {each.instrument_id: number for number, each in enumerate(plan.instruments)}
        await driver.executemany(
            _INSERT_BARS,
            [
                (session_no, numbers[instrument_id], on, bar.open, bar.high, bar.low, bar.close, bar.volume)
                for (on, instrument_id), bar in plan.bars.items()
            ],
        )

    async def _load_plan(self, driver: asyncpg.Connection, session: asyncpg.Record) -> ReplayPlan:
        session_no = session["session_no"]
        instruments = [
            Instrument(row["instrument_id"], row["symbol"], row["currency"], _ticks(row))
            for row in await driver.fetch(
                "SELECT * FROM session_instrument WHERE session_no = $1 ORDER BY instrument_no", session_no
            )
        ]
        days = [
            TradingSession(row["session_date"], row["open_ns"], row["close_ns"])
            for row in await driver.fetch(
                "SELECT * FROM session_day WHERE session_no = $1 ORDER BY session_date", session_no
            )
        ]
        bars = {
            (row["session_date"], instruments[row["instrument_no"]].instrument_id): DailyBar(
                row["open_units"], row["high_units"], row["low_units"], row["close_units"], row["volume"]
            )
            for row in await driver.fetch("SELECT * FROM session_bar WHERE session_no = $1", session_no)
        }
        return ReplayPlan(
            _prefix(session_no), int(session["seed"]), session["steps_per_day"], instruments, days, bars
        )


def _prefix(session_no: int) -> str:
    """Begins every id of the session."""
    return f"r{session_no}"


def _ticks(row: asyncpg.Record) -> Ticks:
    return Ticks(tuple(row["tick_starts"]), tuple(row["tick_sizes"]))


def _recorded(row: asyncpg.Record) -> RecordedCommand:
    return RecordedCommand(row["position"], command_from_json(json.loads(row["body"])))


def _record(row: asyncpg.Record, plan: ReplayPlan) -> ReplayRecord:
    return ReplayRecord(
        row["session_no"],
        row["session_id"],
        plan,
        SessionState(row["stands"]),
        row["seconds_per_day"],
        row["position"],
        row["market_time_ns"],
    )
