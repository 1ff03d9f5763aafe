"""The test contract, compiled when imported, a service of it, and the keys and tokens to call it with."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_tools import protoc
from jwt.algorithms import ECAlgorithm

from services.runtime.auth import Principal, current_call, current_principal
from services.runtime.errors import failed_precondition, not_found

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def _compile() -> None:
    out = tempfile.mkdtemp(prefix="bifrost-echo-")
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


_compile()

import echo_pb2  # noqa: E402
import echo_pb2_grpc  # noqa: E402

CONTRACT = "bifrosttest.echo.v1.EchoService"


class EchoService(echo_pb2_grpc.EchoServiceServicer):
    """Does what `text` says."""

    def __init__(self) -> None:
        self.principals: list[Principal] = []
        self.calls = []
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.count_closed = asyncio.Event()
        self.failures: list[BaseException] = []

    async def _answer(self, request):
        self.principals.append(current_principal())
        self.calls.append(current_call.get())
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
                return {}["secret of the table orders"]
        return echo_pb2.EchoResponse(text=request.text)

    async def Echo(self, request, context):
        return await self._answer(request)

    async def Mutate(self, request, context):
        return await self._answer(request)

    async def Open(self, request, context):
        return await self._answer(request)

    async def Internal(self, request, context):
        return await self._answer(request)

    async def Owned(self, request, context):
        return await self._answer(request)

    async def Count(self, request, context):
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


class Keys:
    """Users' and services' keys in a folder, as the launcher and identity would keep them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user_key = ec.generate_private_key(ec.SECP256R1())
        self.service_key = ec.generate_private_key(ec.SECP256R1())
        self.jwks_file = folder / "jwks.json"
        self.services_jwks_file = folder / "services.jwks.json"
        self.credential_file = folder / "execution.pem"
        self.jwks_file.write_text(json.dumps({"keys": [public_jwk(self.user_key, "u1")]}))
        services = {"keys": [public_jwk(self.service_key, "execution")]}
        self.services_jwks_file.write_text(json.dumps(services))
        self.credential_file.write_bytes(
            self.service_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def user(self, *, scope: str = "echo:read echo:loud", **claims: object) -> str:
        return self.token(self.user_key, "u1", sub="user-1", scope=scope, **claims)

    def service(self, name: str = "execution", **claims: object) -> str:
        return self.token(self.service_key, "execution", sub=f"service:{name}", **claims)

    def token(self, key, kid: str, **claims: object) -> str:
        now = int(time.time())
        content = {"iss": "bifrost", "aud": "bifrost", "iat": now, "exp": now + 900, "roles": ["trader"]}
        content.update(claims)
        content = {name: value for name, value in content.items() if value is not None}
        return jwt.encode(content, key, algorithm="ES256", headers={"kid": kid})


def public_jwk(key, kid: str) -> dict[str, object]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


def bearer(token: str, actor: str | None = None) -> list[tuple[str, str]]:
    headers = [("authorization", f"Bearer {token}")]
    return headers if actor is None else [*headers, ("x-bifrost-actor", f"Bearer {actor}")]
