"""SessionService: starts and steers the replay."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bifrost.venue.v1 import session_service_pb2 as pb
from bifrost.venue.v1 import session_service_pb2_grpc as pb_grpc
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.errors import invalid_argument
from services.runtime.idempotency import request_digest
from services.runtime.ids import new_id
from services.venue.clients import MarketHistory
from services.venue.controls import ChangeReplay, EndReplay, StartReplay, no_session, session_running
from services.venue.convert import session_message, session_state
from services.venue.domain.replay import MIN_STEPS
from services.venue.engine import Engine
from services.venue.records import Claim, ReplayRecord, SessionState
from services.venue.replay_plan import Window, make_plan
from services.venue.session_store import SessionStore

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

DEFAULT_START, DEFAULT_END = "2012-05-18", "2013-03-01"
_DEFAULT_SECONDS_PER_DAY = 60.0
_DEFAULT_SEED = 1
_DEFAULT_STEPS = 390


class SessionService(pb_grpc.SessionServiceServicer):
    """The servicer."""

    def __init__(
        self, engine: Engine, sessions: SessionStore, history: MarketHistory, *, calendar: str, clock: Clock
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._history = history
        self._calendar = calendar
        self._clock = clock

    async def CreateSession(
        self,
        request: pb.CreateSessionRequest,
        _context: ServicerContext[pb.CreateSessionRequest, pb.CreateSessionResponse],
    ) -> pb.CreateSessionResponse:
        """Fetch the bars of the window and start its replay."""
        window = _window(request)
        principal = current_principal()
        claim = Claim(principal.caller, request.request_id, request_digest(request))
        made = await self._sessions.find_request(claim)
        if made is not None:
            return await self._duplicate(made)
        if (replay := self._engine.replay) is not None and replay.state is not SessionState.ENDED:
            raise session_running()
        plan = await make_plan(window, self._history, calendar=self._calendar)
        seconds_per_day = request.seconds_per_day or _DEFAULT_SECONDS_PER_DAY
        started = await self._engine.start(
            StartReplay(plan, new_id(self._clock), seconds_per_day, claim, self._clock.now_ns())
        )
        if started.record is None:
            return await self._duplicate(started.session_id)
        return pb.CreateSessionResponse(session=session_message(started.record))

    async def GetCurrentSession(
        self,
        _request: pb.GetCurrentSessionRequest,
        _context: ServicerContext[pb.GetCurrentSessionRequest, pb.GetCurrentSessionResponse],
    ) -> pb.GetCurrentSessionResponse:
        """The session, running or ended last."""
        return pb.GetCurrentSessionResponse(session=session_message(self._current()))

    async def UpdateSession(
        self,
        request: pb.UpdateSessionRequest,
        _context: ServicerContext[pb.UpdateSessionRequest, pb.UpdateSessionResponse],
    ) -> pb.UpdateSessionResponse:
        """Change the speed; pause or resume."""
        change = ChangeReplay(session_state(request.state), request.seconds_per_day or None)
        return pb.UpdateSessionResponse(session=session_message(await self._engine.change(change)))

    async def EndSession(
        self,
        _request: pb.EndSessionRequest,
        _context: ServicerContext[pb.EndSessionRequest, pb.EndSessionResponse],
    ) -> pb.EndSessionResponse:
        """Expire every open order and end the replay."""
        return pb.EndSessionResponse(session=session_message(await self._engine.change(EndReplay())))

    async def _duplicate(self, session_id: str) -> pb.CreateSessionResponse:
        replay = self._engine.replay
        if replay is None or replay.session_id != session_id:
            replay = await self._sessions.load(session_id)
        return pb.CreateSessionResponse(session=session_message(replay), duplicate=True)

    def _current(self) -> ReplayRecord:
        if self._engine.replay is None:
            raise no_session()
        return self._engine.replay


def _window(request: pb.CreateSessionRequest) -> Window:
    start = _date(request.start_date or DEFAULT_START, "start_date")
    end = _date(request.end_date or DEFAULT_END, "end_date")
    if start > end:
        raise invalid_argument(
            "FIELD_INVALID", f"start_date {start} is after end_date {end}", field="start_date"
        )
    steps = request.steps_per_day or _DEFAULT_STEPS
    if steps < MIN_STEPS:
        message = f"steps_per_day must be 0 or at least {MIN_STEPS}: a day prints four prices"
        raise invalid_argument("FIELD_INVALID", message, field="steps_per_day")
    return Window(tuple(request.symbols), start, end, request.seed or _DEFAULT_SEED, steps)


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise invalid_argument("FIELD_INVALID", f"{field} {text} is no date: {error}", field=field) from error
