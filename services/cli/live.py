"""Live views: a stream shown on a terminal, through restarts of the service behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from bifrost.type.v1.stream_pb2 import StreamPosition
from services.cli.console import out
from services.runtime.stream_client import StreamResponse, resuming

R = TypeVar("R", bound=StreamResponse)
_REFRESHES_PER_SECOND = 8


class Feed:
    """A resumed stream that knows whether it is cut: what is shown then is old."""

    def __init__(self) -> None:
        self.lost = False
        self._opened = 0

    async def follow(
        self, open_stream: Callable[[StreamPosition | None], AsyncIterable[R]]
    ) -> AsyncIterator[R]:
        """The stream's messages for ever, as `resuming` gives them."""

        def opening(after: StreamPosition | None) -> AsyncIterable[R]:
            self.lost = self._opened > 0
            self._opened += 1
            return open_stream(after)

        async for message in resuming(opening):
            self.lost = False
            yield message


@contextlib.contextmanager
def live_view(feed: Feed, view: Callable[[], RenderableType], *, shown: bool) -> Iterator[None]:
    """Show `view()` some times a second, with a warning while the feed is cut; nothing unless `shown`."""
    if not shown:
        yield
        return

    def render() -> RenderableType:
        if not feed.lost:
            return view()
        warning = Text("The stream is cut; what you see is old. Taking it up again …", style="bold red")
        return Group(view(), warning)

    # Without a terminal the last view alone is printed.
    with Live(get_renderable=render, console=out, refresh_per_second=_REFRESHES_PER_SECOND):
        yield
