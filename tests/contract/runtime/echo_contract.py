"""The test contract, compiled when imported, a service of it, and the keys and tokens to call it with."""

import asyncio
import dataclasses
import importlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_tools import protoc

from services.runtime.auth import Call, Principal, current_call, current_principal
from services.runtime.errors import failed_precondition, not_found
from services.runtime.server import Service
from services.runtime.testing_keys import MeshKeys, sign

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


_generated = tempfile.TemporaryDirectory(prefix="bifrost-echo-")


def _compile(out: str) -> None:
    arguments = [
        "protoc",
        f"--descriptor_set_in={ROOT / 'gen/envoy/api.binpb'}",
        f"-I{HERE}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        "echo.proto",
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("echo.proto does not compile")
    sys.path.insert(0, out)


_compile(_generated.name)

# Any: generated when the tests start, so no checker can know their types.
echo_pb2: Any = importlib.import_module("echo_pb2")
echo_pb2_grpc: Any = importlib.import_module("echo_pb2_grpc")

CONTRACT = "bifrosttest.echo.v1.EchoService"


class EchoService:
    """Does what `text` says."""

    def __init__(self) -> None:
        self.principals: list[Principal] = []
        self.calls: list[Call] = []
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.count_closed = asyncio.Event()
        self.failures: list[BaseException] = []

    async def _answer(self, request: Any) -> Any:
        self.principals.append(current_principal())
        call = current_call.get()
        assert call is not None
        self.calls.append(call)
        self.entered.set()
        if self.failures:
            raise self.failures.pop()
        match request.text:
            case "hang":
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.cancelled.set()
                    raise
            case "missing":
                raise not_found("ECHO_NOT_FOUND", "no such echo", echo="x")
            case "state":
                raise failed_precondition(
                    "ECHO_DONE", "it is over", precondition=("STATE", "echo/1", "it is over")
                )
            case "bytes":
                return echo_pb2.EchoResponse(text="from bytes").SerializeToString()
            case "wrong type":
                return echo_pb2.CountResponse(number=1)
            case "bug":
                return dict[str, str]()["secret of the table orders"]
        return echo_pb2.EchoResponse(text=request.text)

    async def Echo(self, request: Any, context: object) -> Any:
        return await self._answer(request)

    async def Mutate(self, request: Any, context: object) -> Any:
        return await self._answer(request)

    async def Open(self, request: Any, context: object) -> Any:
        return await self._answer(request)

    async def Internal(self, request: Any, context: object) -> Any:
        return await self._answer(request)

    async def Owned(self, request: Any, context: object) -> Any:
        return await self._answer(request)

    async def Count(self, request: Any, context: object) -> AsyncIterator[Any]:
        """Count to `to`, then wait for ever; `to` 7 fails after the third message."""
        self.principals.append(current_principal())
        try:
            for number in range(1, request.to + 1):
                if request.to == 7 and number == 4:
                    raise not_found("ECHO_NOT_FOUND", "the fourth is not there")
                response = echo_pb2.CountResponse(number=number, filling=b"x" * request.size)
                yield response.SerializeToString() if number % 2 else response
            if request.to == 3:
                return
            self.entered.set()
            await asyncio.Event().wait()
        finally:
            self.count_closed.set()


async def only_a1(principal: Principal, account_id: str) -> None:
    if account_id != "a1":
        raise not_found("ACCOUNT_NOT_FOUND", f"account {account_id} is not there", account_id=account_id)


class Keys(MeshKeys):
    """The mesh's keys; a user has all of the echo service's scopes unless said otherwise."""

    def user(self, *, scope: str = "echo:read echo:loud", **claims: object) -> str:
        return self.user_token("user-1", scope=scope, **claims)

    def service(self, name: str = "execution", **claims: object) -> str:
        """Signed with execution's key, whatever the name."""
        return sign(self.service_keys["execution"], "execution", sub=f"service:{name}", **claims)

    def token(self, key: ec.EllipticCurvePrivateKey, kid: str, **claims: object) -> str:
        return sign(key, kid, **claims)


@dataclasses.dataclass
class Running:
    service: Service
    servicer: EchoService
    channel: grpc.aio.Channel
    stub: Any
    keys: Keys

    async def metrics_show(self, text: str) -> None:
        """Wait until the scrape has this text; fails after five seconds."""
        async with asyncio.timeout(60):
            while text not in self.service.metrics.text().decode():  # noqa: ASYNC110  no event says so
                await asyncio.sleep(0)


StartEcho = Callable[..., Awaitable[Running]]
