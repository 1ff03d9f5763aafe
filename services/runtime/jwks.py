"""Public keys that verify tokens: from a file that is read again when it changes, or from a peer by RPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from pathlib import Path
from typing import Protocol

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from services.runtime.auth import current_call
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import ApiError, unavailable

JwksSource = Callable[[], Awaitable[Mapping[str, object]]]
"""Asks for a JSON Web Key Set (RFC 7517, section 5) as plain data; raises when it cannot be had."""

_REFETCH_NS = 5 * NANOS
_log = structlog.get_logger(__name__)


class KeySet(Protocol):
    """Public keys by key id."""

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """The key, None when the set has no such id; ApiError UNAVAILABLE when the set cannot be had."""
        ...


def parse_jwks(document: object) -> dict[str, EllipticCurvePublicKey]:
    """The P-256 keys of a JWKS by key id; ValueError when it is none."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("a JWKS has a list of keys")  # noqa: TRY004  a document, not an argument
    keys: dict[str, EllipticCurvePublicKey] = {}
    for entry in entries:
        try:
            key = jwt.PyJWK(entry, algorithm="ES256").key
            kid = entry["kid"]
        except (jwt.PyJWTError, AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"a key of the JWKS is unreadable: {error}") from error
        if isinstance(key, EllipticCurvePublicKey) and isinstance(kid, str):
            keys[kid] = key
    return keys


class FileKeySet:
    """Keys of a JWKS file. Whoever writes it replaces it atomically."""

    def __init__(self, path: Path, *, dependency: str) -> None:
        self._path = path
        self._dependency = dependency
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, EllipticCurvePublicKey] = {}

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """The key of that id; the file is read again when it changed since the last look."""
        try:
            # A stat and, rarely, a read of a kilobyte: below what a thread hop would cost.
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._keys = parse_jwks(json.loads(self._path.read_bytes()))
                self._seen = seen
        except (OSError, ValueError) as error:
            _log.warning("jwks_unreadable", path=str(self._path), error=str(error))
            raise _keys_unavailable(self._dependency) from error
        return self._keys.get(kid)


class FetchedKeySet:
    """Keys asked of a peer when an unknown id turns up, at most once in five seconds."""

    def __init__(self, source: JwksSource, *, dependency: str, clock: Clock) -> None:
        self._source = source
        self._dependency = dependency
        self._clock = clock
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._fetch: asyncio.Task[None] | None = None
        self._fetched_ns: int | None = None

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """The key of that id, fetched when it is not known yet; concurrent callers share one fetch."""
        key = self._keys.get(kid)
        if key is not None:
            return key
        now = self._clock.monotonic_ns()
        if self._fetched_ns is not None and now - self._fetched_ns < _REFETCH_NS:
            return None
        if self._fetch is None:
            # In no call's name: the first caller's short deadline must not fail the fetch for all.
            context = copy_context()
            context.run(current_call.set, None)
            self._fetch = asyncio.create_task(self._refresh(), name="fetch_jwks", context=context)
        # A caller that goes away must not take the fetch of the others with it.
        await asyncio.shield(self._fetch)
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        try:
            self._keys = parse_jwks(await self._source())
        except Exception as error:  # whatever the source raises, the keys are away
            _log.warning("jwks_fetch_failed", dependency=self._dependency, error=str(error))
            raise _keys_unavailable(self._dependency) from error
        else:
            self._fetched_ns = self._clock.monotonic_ns()
        finally:
            self._fetch = None


class EmptyKeySet:
    """No keys: nobody of that kind can call."""

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:  # noqa: ARG002  the protocol's name
        """None."""
        return None


def _keys_unavailable(dependency: str) -> ApiError:
    return unavailable(
        "DEPENDENCY_UNAVAILABLE",
        f"the keys of {dependency} cannot be had at the moment, so the token cannot be verified; try again",
        dependency=dependency,
    )
