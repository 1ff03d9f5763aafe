"""Following another service's event log: each event has its effect exactly once, whatever is killed when.

The stream delivers at least once; the cursor moves in the transaction of the effect, so a batch is applied
wholly or not at all, and the stream is taken up where the cursor stands. A gap or another epoch means that
events are missing: then nothing more is applied until somebody has looked.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

import grpc
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.arrivals import arriving
from services.runtime.database import driver_of, is_connection_failure
from services.runtime.errors import error_from_rpc
from services.runtime.event_log import FencedError, LogTransaction
from services.runtime.failpoints import failpoint
from services.runtime.stream_client import Backoff, StreamResponse

_log = structlog.get_logger(__name__)
_MISSING_EVENTS = frozenset({"STREAM_EPOCH_CHANGED", "STREAM_POSITION_INVALID"})

Tx = TypeVar("Tx", bound=AsyncConnection | LogTransaction)
R = TypeVar("R", bound=StreamResponse)


class FollowerHaltedError(RuntimeError):
    """Events are missing or make no sense: nothing more is applied. ``apply`` may raise it too."""


class CursorMovedError(RuntimeError):
    """Another process has applied these events; this one's batch was undone."""


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
        apply: writes the effects of responses that carry events; an exception undoes the batch.
        batch: most events of one transaction.
        filtered: the stream is filtered: it is checked by ``previous_sequence`` instead of by counting.
        silence_s: a stream without even a heartbeat for so long is taken for dead.
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
        silence_s: float = 20.0,
    ) -> None:
        self.name = name
        self.position = StreamPosition()
        """Where the cursor stands; an empty epoch before the first event."""
        self.caught_up = asyncio.Event()
        """Set while everything up to the log's head at the time of the last connection is applied."""
        self.halted: str | None = None
        """Why nothing more is applied; None in health."""
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
        self._silence_s = silence_s
        self._backoff = Backoff()

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
                failure = error_from_rpc(error)
                if failure.reason in _MISSING_EVENTS:
                    self._halt(f"{failure.reason}: {failure.message}")
                code, message = failure.code.name, failure.message
                _log.info("follower_disconnected", follower=self.name, code=code, message=message)
                asked_s = failure.retry_after_s or 0.0
            except Exception as error:  # noqa: BLE001  # logged, undone and tried again
                known = is_connection_failure(error) or isinstance(error, TimeoutError)
                trace = None if known else error
                _log.warning("follower_failed", follower=self.name, error=repr(error), exc_info=trace)
            finally:
                self.caught_up.clear()
            if self.halted is None:
                await self._backoff.pause(at_least_s=asked_s)

    async def _follow(self) -> None:
        self.position = await self._load()
        stream = self._open_stream(self.position if self.position.epoch else None)
        async with arriving(stream, batch=self._batch, silence_s=self._silence_s) as arrivals:
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
                    raise FollowerHaltedError(
                        f"the log ends at {header.sequence}, before our {last.sequence}"
                    )
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
        async with self._transaction() as transaction:
            await self._move_cursor(_connection(transaction), last)
            await self._apply(transaction, events)
            failpoint(f"follower.{self.name}.before_commit")
        failpoint(f"follower.{self.name}.after_commit")
        self.position = last
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

    def _halt(self, reason: str) -> None:
        self.halted = reason
        _log.error("follower_halted", follower=self.name, sequence=self.position.sequence, reason=reason)


def _connection(transaction: AsyncConnection | LogTransaction) -> AsyncConnection:
    return transaction.connection if isinstance(transaction, LogTransaction) else transaction
