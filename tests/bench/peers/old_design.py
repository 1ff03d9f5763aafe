"""The design that the mesh replaces, a process each: `service BODY` and `gateway PORT`.

The FastAPI gateway checks a token and passes the call on by httpx to the FastAPI service, which checks the
token again and answers from memory.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import fastapi
import httpx
import jwt

from tests.bench.children import answer, questions, serve_child
from tests.bench.peers.http import serve_http

SECRET = "the-shared-secret-of-the-old-design"
ALGORITHM = "HS256"


def old_token() -> str:
    """A token as the old gateway issued them."""
    return jwt.encode({"sub": "user-1", "exp": 4_000_000_000, "scope": "market:read"}, SECRET, ALGORITHM)


def check_token(authorization: Annotated[str, fastapi.Header()]) -> dict[str, object]:
    """The claims of the bearer token."""
    try:
        claims: dict[str, object] = jwt.decode(authorization.removeprefix("Bearer "), SECRET, [ALGORITHM])
    except jwt.InvalidTokenError as error:
        raise fastapi.HTTPException(401, str(error)) from error
    return claims


async def _checked(authorization: Annotated[str, fastapi.Header()]) -> dict[str, object]:
    return check_token(authorization)


Claims = Annotated[dict[str, object], fastapi.Depends(_checked)]


def service_app(instrument: dict[str, object]) -> fastapi.FastAPI:
    """Answers with the instrument."""
    app = fastapi.FastAPI()

    async def get_instrument(instrument_id: str, _claims: Claims) -> dict[str, object]:
        return instrument

    app.get("/v1/instruments/{instrument_id}")(get_instrument)
    return app


def gateway_app(http: httpx.AsyncClient) -> fastapi.FastAPI:
    """Passes on every GET."""
    app = fastapi.FastAPI()

    async def forward(
        path: str, _claims: Claims, authorization: Annotated[str, fastapi.Header()]
    ) -> fastapi.Response:
        reply = await http.get(f"/{path}", headers={"authorization": authorization})
        return fastapi.Response(reply.content, reply.status_code, media_type=reply.headers["content-type"])

    app.get("/{path:path}")(forward)
    return app


async def main() -> None:
    """Serve until the parent goes."""
    role, argument = sys.argv[1:]
    if role == "service":
        await _serve(service_app(json.loads(argument)))
        return
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{argument}") as http:
        await _serve(gateway_app(http))


async def _serve(app: fastapi.FastAPI) -> None:
    async with serve_http(app) as port:
        answer(port=port)
        async for _ in questions():
            answer()


if __name__ == "__main__":
    serve_child(main)
