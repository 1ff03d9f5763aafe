"""What went wrong, as the caller may know it: any exception of a handler becomes an ApiError."""

from __future__ import annotations

import uuid
from typing import Final

import asyncpg
import grpc
import sqlalchemy.exc
import structlog

from services.runtime.errors import ApiError, error_from_rpc, unavailable

_log = structlog.get_logger(__name__)

# The connection is gone or cannot be had: the statement is not at fault, and a repeat may succeed.
_DATABASE_AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    sqlalchemy.exc.TimeoutError,
    ConnectionError,
)


def deadline_exceeded() -> ApiError:
    """DEADLINE_EXCEEDED: a mutation may or may not have happened."""
    return ApiError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "DEADLINE_EXCEEDED",
        "the deadline passed before the answer was known; repeat a change with the same request_id",
    )


def draining() -> ApiError:
    """UNAVAILABLE: the service is stopping."""
    return unavailable("DRAINING", "the service is stopping; call again, another instance will answer")


def to_api_error(error: Exception, path: str) -> ApiError:
    """The ApiError to answer with. What is not foreseen is logged under an id, and only the id leaves."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TimeoutError):
        return deadline_exceeded()
    if isinstance(error, grpc.aio.AioRpcError):
        answer = _from_peer(error)
        if answer is not None:
            return answer
    if is_database_away(error):
        _log.warning("database_unavailable", method=path, error=str(error))
        return unavailable("DEPENDENCY_UNAVAILABLE", "the database is away; try again", dependency="database")
    return _unforeseen(error, path)


def is_database_away(error: BaseException) -> bool:
    """Whether the error says that the database cannot be reached, rather than that a statement is wrong."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(cause, _DATABASE_AWAY)
    return isinstance(error, _DATABASE_AWAY)


def _from_peer(error: grpc.aio.AioRpcError) -> ApiError | None:
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return deadline_exceeded()
    if error.code() is not grpc.StatusCode.UNAVAILABLE:
        return None
    failure = error_from_rpc(error)
    peer = failure.domain.removeprefix("bifrost.") or "a peer"
    return unavailable(
        "DEPENDENCY_UNAVAILABLE",
        f"{peer} is away; try again",
        retry_after_s=failure.retry_after_s or 1.0,
        dependency=peer,
    )


def _unforeseen(error: Exception, path: str) -> ApiError:
    error_id = uuid.uuid4().hex
    _log.error("unexpected_error", method=path, error_id=error_id, exc_info=error)
    return ApiError(
        grpc.StatusCode.INTERNAL,
        "INTERNAL",
        f"an unexpected error; the log has it under {error_id}",
        metadata={"error_id": error_id},
    )
