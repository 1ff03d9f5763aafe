"""Live views: a stream shown on a terminal, through restarts of the service behind it."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from bifrost.type.v1.stream_pb2 import StreamPosition
from services.cli.console import err, out
from services.runtime.stream_client import StreamResponse, resuming

R = TypeVar("R", bound=StreamResponse)
_NANOS = 10**9
_REFRESHES_PER_SECOND = 8


class Feed:
    """A resumed stream that knows whether it is cut: what is shown then is old."""

    def __init__(self, changed: Callable[[bool], None] | None = None) -> None:
        """`changed` is told when the stream is lost (True) and when it goes on (False)."""
        self.lost = False
        self._opened = 0
        self._changed = changed

    async def follow(
        self, open_stream: Callable[[StreamPosition | None], AsyncIterable[R]]
    ) -> AsyncIterator[R]:
        """The stream's messages for ever, as `resuming` gives them."""

        def opening(after: StreamPosition | None) -> AsyncIterable[R]:
            self._note(lost=self._opened > 0)
            self._opened += 1
            return open_stream(after)

        async for message in resuming(opening):
            self._note(lost=False)
            yield message

    def _note(self, *, lost: bool) -> None:
        if lost != self.lost:
            self.lost = lost
            if self._changed is not None:
                self._changed(lost)


def say_on_stderr(lost: bool) -> None:
    """For views that are printed line by line: one line when the stream is cut, one when it goes on."""
    text = "The stream is cut. Taking it up again …" if lost else "The stream goes on where it was."
    err.print(Text(text, style="bold red" if lost else "dim"))


def utc(time_ns: int) -> str:
    """A moment for a line, ISO 8601: "2013-01-02T14:31:05.250Z"."""
    return (
        dt.datetime.fromtimestamp(time_ns / _NANOS, dt.UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def is_drawn(*, as_json: bool) -> bool:
    """Whether a view is drawn on a terminal; otherwise each update is a line."""
    return out.is_terminal and not as_json


def feed_of(*, drawn: bool) -> Feed:
    """A feed that says on stderr when it is cut, unless its view shows that."""
    return Feed(None if drawn else say_on_stderr)


@contextlib.contextmanager
def live_view(feed: Feed, view: Callable[[], RenderableType], *, drawn: bool) -> Iterator[None]:
    """Draw `view()` some times a second, with a warning while the feed is cut; nothing unless `drawn`."""
    if not drawn:
        yield
        return

    def render() -> RenderableType:
        if not feed.lost:
            return view()
        warning = Text("The stream is cut; what you see is old. Taking it up again …", style="bold red")
        return Group(view(), warning)

    with Live(get_renderable=render, console=out, refresh_per_second=_REFRESHES_PER_SECOND):
        yield
