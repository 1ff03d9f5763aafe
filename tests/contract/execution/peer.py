"""What every fake peer has: a server on a free port, and a count of its calls."""

from __future__ import annotations

from collections import Counter
from typing import Never, TypeVar

from google.protobuf.message import Message
from grpc.aio import ServicerContext

from services.runtime.errors import DETAILS_KEY, ApiError, unavailable
from services.runtime.testing import peer_server

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


async def abort(context: ServicerContext[Request, Response], domain: str, error: ApiError) -> Never:
    status = error.to_status(domain)
    await context.abort(error.code, status.message, ((DETAILS_KEY, status.SerializeToString()),))


class Peer:
    """A server on a free port. `away`: every call is UNAVAILABLE."""

    domain = ""

    def __init__(self) -> None:
        self.server = peer_server()
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.away = False
        self.calls: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []

    async def enter(self, name: str, context: ServicerContext[Request, Response]) -> None:
        self.calls[name] += 1
        metadata = context.invocation_metadata() or ()
        self.headers.append({name: value for name, value in metadata if isinstance(value, str)})
        if self.away:
            await abort(
                context, self.domain, unavailable("DEPENDENCY_UNAVAILABLE", "away", retry_after_s=0.01)
            )
