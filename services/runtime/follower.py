"""Following another service's event log: each event has its effect exactly once, whatever is killed when.

The stream delivers at least once; the cursor moves in the transaction of the effect, so a batch is applied
wholly or not at all, and the stream is taken up where the cursor stands. A gap or another epoch means that
events are missing: then nothing more is applied until somebody has looked. The same when an effect fails
again and again though nothing is away.

A log that ends before our position, in the same epoch, is that of a process which is being replaced and has
not heard of the newest events: the stream is opened again until the new process answers. Only when it stays
behind is it a log that has lost events.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, TypeVar

import asyncpg
import grpc
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.arrivals import Patience, arriving
from services.runtime.database import driver_of, is_connection_failure
from services.runtime.errors import ApiError, RpcFailure, error_from_rpc
from services.runtime.event_log import FencedError, LogTransaction
from services.runtime.failpoints import failpoint
from services.runtime.stream_client import Backoff, StreamResponse

_log = structlog.get_logger(__name__)
_EPOCH_CHANGED: Final = "STREAM_EPOCH_CHANGED"
_BEHIND: Final = "STREAM_POSITION_INVALID"
# Of an effect, one after another at the same position.
_MOST_FAILURES: Final = 5
# Nothing is wrong with the effect, and the next attempt may well succeed.
_PASSING: Final = (
    OSError,  # a timeout too
    asyncpg.TransactionRollbackError,  # a deadlock
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
)

Tx = TypeVar("Tx", bound=AsyncConnection | LogTransaction)
R = TypeVar("R", bound=StreamResponse)


class FollowerHaltedError(RuntimeError):
    """Events are missing or make no sense: nothing more is applied. ``apply`` may raise it too."""


class CursorMovedError(RuntimeError):
    """Another process has applied these events; this one's batch was undone."""


class _LogBehindError(RuntimeError):
    """The log ends before our position."""


class _EffectFailedError(RuntimeError):
    """The effect of events could not be had, and nothing that will pass is to blame: see its cause."""


def cursor_table(metadata: sa.MetaData) -> sa.Table:
    """Declare ``stream_cursor`` in ``metadata``; a service's migration makes it."""
    return sa.Table(
        "stream_cursor",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )


class Follower(Generic[Tx, R]):
    """Applies a log's events in order, in one transaction those that have arrived together.

    Args:
        name: of the cursor, e.g. ``execution.orders``; failpoints are ``follower.<name>.before_commit``
            (effect and cursor written) and ``follower.<name>.after_commit``.
        open_stream: opens the stream after a position (None: from the first event).
        transaction: ``database.transaction``, or ``log.transaction`` where effects append events of our own.
        cursors: the ``cursor_table``.
        apply: writes the effects of responses that carry events; an exception undoes the batch. When it fails
            five times at one position, and not for something that is away, the follower halts.
        batch: most events of one transaction.
        filtered: the stream is filtered: it is checked by ``previous_sequence`` instead of by counting.
        patience: which responses may wait for those that follow, to share a transaction: those whose effect
            nobody waits for.
        silence_s: a stream without even a heartbeat for so long is taken for dead.
        behind_s: a log that ends before our position for so long has lost events.
    """

    def __init__(
        self,
        name: str,
        *,
        open_stream: Callable[[StreamPosition | None], AsyncIterable[R]],
        transaction: Callable[[], AbstractAsyncContextManager[Tx]],
        cursors: sa.Table,
        apply: Callable[[Tx, Sequence[R]], Awaitable[None]],
        batch: int = 500,
        filtered: bool = False,
        patience: Patience[R] | None = None,
        silence_s: float = 20.0,
        behind_s: float = 60.0,
    ) -> None:
        self.name = name
        self.position = StreamPosition()
        """Where the cursor stands; an empty epoch before the first event."""
        self.caught_up = asyncio.Event()
        """Set while everything up to the log's head at the time of the last connection is applied."""
        self.halted: str | None = None
        """Why nothing more is applied; None in health."""
        self.has_halted = asyncio.Event()
        """Set with `halted`."""
        self._open_stream = open_stream
        self._transaction = transaction
        self._cursors = cursors
        self._move = (
            f"UPDATE {cursors.fullname} SET epoch = $1, sequence = $2 "  # noqa: S608  our own table's name
            "WHERE name = $3 AND sequence = $4"
        )
        self._apply = apply
        self._batch = batch
        self._filtered = filtered
        self._patience = patience
        self._silence_s = silence_s
        self._behind_s = behind_s
        self._behind_since: float | None = None
        self._backoff = Backoff()
        self._failures = 0

    async def run(self) -> None:
        """Follow for ever, reconnecting whenever the peer or the database is away; returns only when halted.

        Raises:
            FencedError: ``log.transaction`` found that another process writes our log.
        """
        while self.halted is None:
            asked_s = 0.0
            try:
                await self._follow()
            except FencedError:
                raise
            except FollowerHaltedError as error:
                self._halt(str(error))
            except grpc.aio.AioRpcError as error:
                asked_s = self._disconnected(error_from_rpc(error))
            except _EffectFailedError as failed:
                self._count_failure(failed.__cause__)
            except _LogBehindError as behind:
                self._wait_for_log(str(behind))
            except Exception as error:  # noqa: BLE001  # logged, undone and tried again
                self._failures = 0
                trace = None if _is_passing(error) else error
                _log.warning("follower_failed", follower=self.name, error=repr(error), exc_info=trace)
            finally:
                self.caught_up.clear()
            if self.halted is None:
                await self._backoff.pause(at_least_s=asked_s)

    async def _follow(self) -> None:
        self.position = await self._load()
        stream = self._open_stream(self.position if self.position.epoch else None)
        async with arriving(
            stream, batch=self._batch, silence_s=self._silence_s, patience=self._patience
        ) as arrivals:
            while responses := await arrivals.take():
                await self._take(responses)

    async def _take(self, responses: Sequence[R]) -> None:
        last, events = self.position, list[R]()
        for response in responses:
            header, kind = response.header, response.WhichOneof("event")
            if last.epoch and header.epoch != last.epoch:
                raise FollowerHaltedError(f"the epoch changed from {last.epoch!r} to {header.epoch!r}")
            if kind in {"replay_end", "heartbeat"}:
                if header.sequence < last.sequence:
                    raise _LogBehindError(f"the log ends at {header.sequence}, before our {last.sequence}")
                if header.sequence > last.sequence and not self._filtered:
                    raise FollowerHaltedError(f"the log is at {header.sequence}, we got to {last.sequence}")
                self._behind_since = None
                if kind == "replay_end":
                    await self._flush(events, last)
                    events = []
                    self._backoff.reset()
                    self.caught_up.set()
                continue
            if kind is None:
                raise FollowerHaltedError(f"event {header.sequence} is of a kind unknown here")
            self._check_next(response, last)
            last = StreamPosition(epoch=header.epoch, sequence=header.sequence)
            events.append(response)
        await self._flush(events, last)

    def _check_next(self, response: R, last: StreamPosition) -> None:
        header = response.header
        before = header.previous_sequence if self._filtered else header.sequence - 1
        if before != last.sequence or header.sequence <= last.sequence:
            raise FollowerHaltedError(f"event {header.sequence} after {before} came when at {last.sequence}")

    async def _flush(self, events: list[R], last: StreamPosition) -> None:
        if not events:
            return
        try:
            async with self._transaction() as transaction:
                await self._move_cursor(_connection(transaction), last)
                await self._apply(transaction, events)
                failpoint(f"follower.{self.name}.before_commit")
        except (FencedError, FollowerHaltedError, CursorMovedError):
            raise
        except Exception as error:
            if _is_passing(error):
                raise
            raise _EffectFailedError(repr(error)) from error
        failpoint(f"follower.{self.name}.after_commit")
        self.position = last
        self._failures = 0
        self._behind_since = None
        self._backoff.reset()

    async def _load(self) -> StreamPosition:
        columns = self._cursors.c
        first = insert(self._cursors).values(name=self.name, epoch="", sequence=0).on_conflict_do_nothing()
        async with self._transaction() as transaction:
            connection = _connection(transaction)
            await connection.execute(first)
            found = sa.select(columns.epoch, columns.sequence).where(columns.name == self.name)
            row = (await connection.execute(found)).one()
        return StreamPosition(epoch=row.epoch, sequence=row.sequence)

    async def _move_cursor(self, connection: AsyncConnection, to: StreamPosition) -> None:
        """Done first: a twin waits at this row, then finds it moved, before it has any effect."""
        # On the driver: this runs beside every order, and Core would take three times as long.
        moved = await (await driver_of(connection)).execute(
            self._move, to.epoch, to.sequence, self.name, self.position.sequence
        )
        if moved != "UPDATE 1":
            raise CursorMovedError(f"the cursor {self.name} is no longer at {self.position.sequence}")

    def _disconnected(self, failure: RpcFailure) -> float:
        """Note how the stream ended; returns the seconds the server asked us to wait."""
        self._failures = 0
        if failure.reason == _EPOCH_CHANGED:
            self._halt(f"{failure.reason}: {failure.message}")
        elif failure.reason == _BEHIND:
            self._wait_for_log(failure.message)
        else:
            code, message = failure.code.name, failure.message
            _log.info("follower_disconnected", follower=self.name, code=code, message=message)
        return failure.retry_after_s or 0.0

    def _wait_for_log(self, reason: str) -> None:
        """The log is behind us: ask again, unless that has lasted too long."""
        self._failures = 0
        now_s = asyncio.get_running_loop().time()
        if self._behind_since is None:
            self._behind_since = now_s
        behind_s = now_s - self._behind_since
        if behind_s >= self._behind_s:
            self._halt(f"for {behind_s:.0f} s: {reason}")
        else:
            _log.warning("follower_ahead_of_log", follower=self.name, reason=reason)

    def _count_failure(self, error: BaseException | None) -> None:
        self._failures += 1
        if self._failures < _MOST_FAILURES:
            _log.warning("follower_failed", follower=self.name, error=repr(error), exc_info=error)
            return
        reason = f"the events after {self.position.sequence} failed {self._failures} times: {error!r}"
        self._halt(reason, error)

    def _halt(self, reason: str, error: BaseException | None = None) -> None:
        self.halted = reason
        self.has_halted.set()
        sequence = self.position.sequence
        _log.error("follower_halted", follower=self.name, sequence=sequence, reason=reason, exc_info=error)


def _connection(transaction: AsyncConnection | LogTransaction) -> AsyncConnection:
    return transaction.connection if isinstance(transaction, LogTransaction) else transaction


def _is_passing(error: BaseException | None) -> bool:
    """Whether the error, or what it wraps, says that something is away or busy rather than wrong."""
    if is_connection_failure(error):
        return True
    while error is not None:
        if isinstance(error, _PASSING):
            return True
        if isinstance(error, ApiError):
            return error.code is grpc.StatusCode.UNAVAILABLE
        error = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return False
