"""The engine: the one task that owns the exchange.

It takes all commands that wait and the steps that are due, executes them in memory, writes everything they
changed and the position of the replay in one transaction, and only then answers and publishes. If that fails
the exchange in memory is ahead of what is durable: it is thrown away and rebuilt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from services.runtime.clock import Clock
from services.runtime.database import DatabaseUnavailableError
from services.runtime.errors import unavailable
from services.runtime.event_log import EventLog, LogTransaction, NewEvent
from services.runtime.failpoints import failpoint
from services.runtime.idempotency import IdempotencyStore
from services.runtime.stream_client import Backoff
from services.venue.answers import Answer, answer_without_session, carry_out
from services.venue.controls import (
    ChangeReplay,
    Control,
    EndReplay,
    Started,
    StartReplay,
    no_session,
    start_replay,
)
from services.venue.convert import quote_message, trade_message
from services.venue.domain.commands import Command
from services.venue.domain.events import BookChanged, Event, TradePrinted
from services.venue.domain.exchange import Exchange
from services.venue.domain.session import Phase
from services.venue.durable_state import carried_to_json
from services.venue.market_stream import MarketStream
from services.venue.order_store import Changes, OrderStore, Standing
from services.venue.pacing import Pacer
from services.venue.records import ReplayRecord, SessionState
from services.venue.reports import take_down
from services.venue.session_store import SessionStore

# A turn holds the event loop for its steps: a step of one instrument takes some 30 us.
_INSTRUMENT_STEPS_A_TURN = 160
_MOST_COMMANDS_A_TURN = 500
_log = structlog.get_logger(__name__)
Outcome = Answer | ReplayRecord | Started | Exception


@dataclass(slots=True)
class _Waiting:
    action: Command | Control
    outcome: asyncio.Future[Answer | ReplayRecord | Started]


class _Turn:
    """What one transaction does."""

    def __init__(self, waiting: list[_Waiting], steps: int) -> None:
        self.waiting = waiting
        self.steps = steps
        self.outcomes: list[Outcome] = []
        self.changes = Changes()
        self.entries: list[NewEvent] = []
        self.events: list[Event] = []

    def note(self, events: Sequence[Event], exchange: Exchange) -> None:
        """Take down what the exchange said."""
        self.events += events
        self.entries += take_down(events, exchange, self.changes)

    def settle(self) -> None:
        """Answer those who wait: what they asked for is durable."""
        for waiting, outcome in zip(self.waiting, self.outcomes, strict=True):
            if waiting.outcome.done():
                continue
            if isinstance(outcome, Exception):
                waiting.outcome.set_exception(outcome)
            else:
                waiting.outcome.set_result(outcome)


class Engine:
    """Owns the exchange and the replay; `run` is its task, everything else may be called from any other."""

    def __init__(
        self,
        log: EventLog,
        orders: OrderStore,
        sessions: SessionStore,
        requests: IdempotencyStore,
        stream: MarketStream,
        *,
        clock: Clock,
    ) -> None:
        self._log = log
        self._orders = orders
        self._sessions = sessions
        self._requests = requests
        self._stream = stream
        self._clock = clock
        self._replay: ReplayRecord | None = None
        self._exchange: Exchange | None = None
        self._stored_carried: object = None
        self._books: dict[str, BookChanged] = {}
        self._pacer: Pacer | None = None
        self._queue: deque[_Waiting] = deque()
        self._work = asyncio.Event()
        self._ready = False

    @property
    def replay(self) -> ReplayRecord | None:
        """The current session as of the last commit; None when there was never one."""
        return self._replay

    def book(self, instrument_id: str) -> BookChanged | None:
        """The book of an instrument as of the last commit; None when it is not listed."""
        return self._books.get(instrument_id)

    async def execute(self, command: Command) -> Answer:
        """Have a member's command carried out and made durable.

        Raises:
            ApiError: FAILED_PRECONDITION (NO_SESSION), INVALID_ARGUMENT, UNAVAILABLE.
            DatabaseUnavailableError: the outcome is not known; ask again.
        """
        answer = await self._submit(command)
        if not isinstance(answer, Answer):
            raise TypeError(f"a command was answered with {type(answer).__name__}")
        return answer

    async def start(self, control: StartReplay) -> Started:
        """Begin a replay. ApiError: SESSION_RUNNING or REQUEST_ID_REUSED."""
        started = await self._submit(control)
        if not isinstance(started, Started):
            raise TypeError(f"a start was answered with {type(started).__name__}")
        return started

    async def change(self, control: ChangeReplay | EndReplay) -> ReplayRecord:
        """Change or end the replay. ApiError: FAILED_PRECONDITION (NO_SESSION)."""
        record = await self._submit(control)
        if not isinstance(record, ReplayRecord):
            raise TypeError(f"a change was answered with {type(record).__name__}")
        return record

    async def load(self) -> None:
        """Rebuild the exchange from what is durable. DatabaseUnavailableError when it cannot be read."""
        recovered = await self._sessions.load_current()
        if recovered is None:
            self._replay = self._exchange = self._pacer = None
        else:
            exchange = await asyncio.to_thread(
                Exchange.restore,
                recovered.record.plan,
                recovered.carried,
                recovered.commands,
                recovered.record.position,
            )
            self._replay, self._exchange = recovered.record, exchange
            self._stored_carried = exchange.carried
            self._set_pace(recovered.record)
            listed = recovered.record.plan.instruments
            self._publish([exchange.market(each.instrument_id).state() for each in listed], recovered.record)
            _log.info(
                "replay_restored",
                session_id=recovered.record.session_id,
                position=recovered.record.position,
                commands=len(recovered.commands),
            )
        self._ready = True

    async def run(self) -> None:
        """Take turns for ever; while PostgreSQL is away, wait. Other errors are raised: run it again."""
        backoff = Backoff(longest_s=1.0)
        while True:
            try:
                if not self._ready:
                    await self.load()
                backoff.reset()
                await self._take_turns()
            except DatabaseUnavailableError as error:
                _log.warning("exchange_stands_still", error=str(error))
                await backoff.pause()

    async def _take_turns(self) -> None:
        """Take turns until one fails; then all who wait are told, and the exchange must be rebuilt."""
        turn = _Turn([], 0)
        try:
            while True:
                await self._wait_for_work()
                turn = _Turn(self._gather(), self._due())
                if turn.waiting or turn.steps:
                    await self._take_turn(turn)
        except BaseException as error:
            self._ready = False
            self._fail([*turn.waiting, *self._queue], error)
            self._queue.clear()
            raise

    async def _submit(self, action: Command | Control) -> Answer | ReplayRecord | Started:
        if not self._ready:
            raise _not_ready()
        waiting = _Waiting(action, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._work.set()
        return await waiting.outcome

    async def _wait_for_work(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = None if self._pacer is None else self._pacer.wait_s(loop.time())
        if self._queue or pause_s == 0:
            return
        self._work.clear()
        try:
            async with asyncio.timeout(pause_s):
                await self._work.wait()
        except TimeoutError:
            return

    def _gather(self) -> list[_Waiting]:
        """The commands that wait, up to a control; or the one control that is next."""
        gathered: list[_Waiting] = []
        while self._queue and len(gathered) < _MOST_COMMANDS_A_TURN:
            is_control = isinstance(self._queue[0].action, Control)
            if is_control and gathered:
                break
            gathered.append(self._queue.popleft())
            if is_control:
                break
        return gathered

    def _due(self) -> int:
        """How many steps to play now."""
        if self._pacer is None or self._replay is None:
            return 0
        most = max(_INSTRUMENT_STEPS_A_TURN // len(self._replay.plan.instruments), 1)
        return self._pacer.take(asyncio.get_running_loop().time(), most)

    async def _take_turn(self, turn: _Turn) -> None:
        failpoint("venue.after_ack")  # that of the turn before
        actions = [waiting.action for waiting in turn.waiting]
        if actions and isinstance(actions[0], Control):
            replay = await self._take_control_turn(turn, actions[0])
        else:
            await self._act(turn, [action for action in actions if not isinstance(action, Control)])
            replay = self._advance(turn, self._replay)
            failpoint("venue.before_commit")
            changes = self._orders.writing(turn.changes, self._standing(replay), self._clock.now_ns())
            await self._log.write(*changes, turn.entries)
        failpoint("venue.after_commit")
        before, self._replay = self._replay, replay
        turn.settle()
        if self._exchange is not None and replay is not None:
            self._stored_carried = self._exchange.carried
            await asyncio.sleep(0)  # those who wait for the commit go on first
            if before is None or before.session_no != replay.session_no:
                self._books.clear()
            self._publish(turn.events, replay)

    async def _take_control_turn(self, turn: _Turn, control: Control) -> ReplayRecord | None:
        async with self._log.transaction() as transaction:
            replay = await self._control(control, turn, transaction)
            replay = self._advance(turn, replay)
            standing = self._standing(replay)
            await self._orders.write(transaction.driver, turn.changes, standing, self._clock.now_ns())
            transaction.append(*turn.entries)
            failpoint("venue.before_commit")
        return replay

    async def _act(self, turn: _Turn, commands: Sequence[Command]) -> None:
        """Carry out what members ask for."""
        exchange = self._exchange
        keys = {(command.account_id, command.client_order_id) for command in commands}
        known = await self._orders.find(key for key in keys if exchange is None or not exchange.knows(*key))
        for command in commands:
            if exchange is None:
                turn.outcomes.append(answer_without_session(command, known, turn.changes))
            else:
                outcome, events = carry_out(command, exchange, known, turn.changes)
                turn.outcomes.append(outcome)
                turn.note(events, exchange)

    async def _control(
        self, control: Control, turn: _Turn, transaction: LogTransaction
    ) -> ReplayRecord | None:
        replay = self._replay
        match control:
            case StartReplay():
                running = replay is not None and replay.state is not SessionState.ENDED
                outcome = await start_replay(
                    control, transaction, self._sessions, self._requests, is_running=running
                )
                turn.outcomes.append(outcome)
                if isinstance(outcome, Started) and outcome.record is not None:
                    replay, self._exchange = outcome.record, Exchange(outcome.record.plan)
                    self._stored_carried = self._exchange.carried
                    self._set_pace(replay)
            case ChangeReplay() if replay is not None and replay.state is not SessionState.ENDED:
                replay = replace(
                    replay,
                    state=control.state or replay.state,
                    seconds_per_day=control.seconds_per_day or replay.seconds_per_day,
                )
                self._set_pace(replay)
                turn.outcomes.append(replay)
            case EndReplay() if replay is not None and self._exchange is not None:
                turn.note(self._exchange.end(), self._exchange)
                replay = replace(replay, state=SessionState.ENDED, market_time_ns=self._exchange.now_ns)
                self._pacer = None
                turn.outcomes.append(replay)
            case _:
                turn.outcomes.append(no_session())
        return replay

    def _advance(self, turn: _Turn, replay: ReplayRecord | None) -> ReplayRecord | None:
        """Play the steps that are due; returns the replay as it is then."""
        exchange = self._exchange
        if replay is None or exchange is None:
            return replay
        for _ in range(turn.steps if replay.state is SessionState.RUNNING else 0):
            turn.note(exchange.step(), exchange)
        if exchange.carried is not self._stored_carried:
            turn.changes.carried = carried_to_json(exchange.carried)
        ended = exchange.phase is Phase.ENDED
        if ended:
            self._pacer = None
        return replace(
            replay,
            state=SessionState.ENDED if ended else replay.state,
            position=exchange.position,
            market_time_ns=exchange.now_ns,
        )

    def _set_pace(self, replay: ReplayRecord) -> None:
        running = replay.state is SessionState.RUNNING
        now_s = asyncio.get_running_loop().time()
        self._pacer = Pacer(replay.seconds_per_step, first_s=now_s) if running else None

    def _standing(self, replay: ReplayRecord | None) -> Standing | None:
        if replay is None:
            return None
        return Standing(
            replay.session_no,
            replay.state,
            replay.seconds_per_day,
            replay.position,
            replay.market_time_ns,
        )

    def _publish(self, events: Sequence[Event], replay: ReplayRecord) -> None:
        books = {event.instrument_id: event for event in events if isinstance(event, BookChanged)}
        self._books.update(books)
        self._stream.publish(
            [quote_message(book) for book in books.values()],
            [trade_message(event) for event in events if isinstance(event, TradePrinted)],
            event_time_ns=replay.market_time_ns,
        )

    def _fail(self, waiting: Sequence[_Waiting], error: BaseException) -> None:
        told = error if isinstance(error, Exception) else _not_ready()
        for each in waiting:
            if not each.outcome.done():
                each.outcome.set_exception(told)


def _not_ready() -> Exception:
    return unavailable(
        "DEPENDENCY_UNAVAILABLE", "the exchange is being restored; try again", dependency="database"
    )
