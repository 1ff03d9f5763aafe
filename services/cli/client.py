"""The edge, as the command and the demo call it: one channel, a token on every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

import grpc

from services.cli.session import Session
from services.runtime.contracts import load_contracts

Stub = TypeVar("Stub")
_MAX_BYTES = 64 * 1024 * 1024
# So that a slow terminal shows the present quote and not a backlog of old ones.
_OPTIONS = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 4096),
    ("grpc.max_receive_message_length", _MAX_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class EdgeClient:
    """A connection to the edge for one session; `stub(OrderServiceStub)` gives typed calls."""

    def __init__(self, edge: str, session: Session) -> None:
        load_contracts()
        self.edge = edge
        self.session = session
        self._plain = grpc.aio.insecure_channel(edge, options=_OPTIONS)
        kinds = (_TokenUnary, _TokenStream)
        interceptors = tuple(kind(session, self._plain) for kind in kinds)
        self._channel = grpc.aio.insecure_channel(edge, options=_OPTIONS, interceptors=interceptors)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._channel.close()
        await self._plain.close()

    @property
    def anonymous(self) -> grpc.aio.Channel:
        """The channel without a token, for logins."""
        return self._plain

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel whose calls carry the token."""
        return self._channel

    def stub(self, make: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """A generated stub whose calls carry the token."""
        return make(self._channel)


# Any: interceptors stand before every method, whatever its messages.
class _TokenUnary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, session: Session, plain: grpc.aio.Channel) -> None:
        self._session = session
        self._plain = plain

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        token = await self._session.access_token(self._plain)
        return await continuation(_with_token(details, token), request)


class _TokenStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, session: Session, plain: grpc.aio.Channel) -> None:
        self._session = session
        self._plain = plain

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        token = await self._session.access_token(self._plain)
        return await continuation(_with_token(details, token), request)


def _with_token(details: Any, token: str) -> grpc.aio.ClientCallDetails:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    metadata.add("authorization", f"Bearer {token}")
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )
