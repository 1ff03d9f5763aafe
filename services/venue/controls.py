"""What operators ask of the replay: start, change, end."""

from __future__ import annotations

from dataclasses import dataclass

from services.runtime.errors import ApiError, failed_precondition
from services.runtime.event_log import LogTransaction
from services.runtime.idempotency import IdempotencyStore
from services.venue.domain.plan import ReplayPlan
from services.venue.records import CREATE_SESSION, Claim, ReplayRecord, SessionState
from services.venue.session_store import SessionStore


@dataclass(frozen=True, slots=True)
class StartReplay:
    """Begin the replay of `plan` under a new session id."""

    plan: ReplayPlan
    session_id: str
    seconds_per_day: float
    claim: Claim
    now_ns: int


@dataclass(frozen=True, slots=True)
class ChangeReplay:
    """Change the state, the speed or both; None leaves one as it is."""

    state: SessionState | None
    seconds_per_day: float | None


@dataclass(frozen=True, slots=True)
class EndReplay:
    """Expire every open order and end the replay."""


Control = StartReplay | ChangeReplay | EndReplay


@dataclass(frozen=True, slots=True)
class Started:
    """The session that the request made, now or before; `record` is None when it was made before."""

    session_id: str
    record: ReplayRecord | None


async def start_replay(
    control: StartReplay,
    transaction: LogTransaction,
    sessions: SessionStore,
    requests: IdempotencyStore,
    *,
    is_running: bool,
) -> Started | ApiError:
    """Claim the request id and make the session in the transaction; an error leaves both undone."""
    claim = control.claim
    nested = await transaction.connection.begin_nested()
    try:
        stored = await requests.begin(
            transaction.connection, claim.owner, CREATE_SESSION, claim.request_id, claim.digest
        )
        if stored is not None:
            await nested.commit()
            return Started(stored.resource_id, None)
        if is_running:
            raise session_running()
        record = await sessions.insert(
            transaction.driver,
            control.plan,
            session_id=control.session_id,
            seconds_per_day=control.seconds_per_day,
            now_ns=control.now_ns,
        )
        await requests.finish(
            transaction.connection, claim.owner, CREATE_SESSION, claim.request_id, record.session_id
        )
    except ApiError as error:
        await nested.rollback()
        return error
    await nested.commit()
    return Started(record.session_id, record)


def no_session() -> ApiError:
    """FAILED_PRECONDITION: nothing is replayed."""
    return failed_precondition("NO_SESSION", "no session is replayed now; make one with CreateSession")


def session_running() -> ApiError:
    """FAILED_PRECONDITION: one at a time."""
    return failed_precondition("SESSION_RUNNING", "a session is being replayed; end it with EndSession first")
