"""What a call may end in: an exception of its status code, or of its reason where one is worth catching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DETAILS_KEY: Final = "grpc-status-details-bin"


@dataclass(eq=False)
class BifrostError(Exception):
    """A call failed; `reason` is a value of the service's ErrorReason (docs/errors.md)."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[tuple[str, str], ...] = ()
    """Bad fields and what is wrong with them."""
    retry_after_s: float | None = None

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value}" for key, value in self.metadata.items() if value)
        text = f"{self.reason or self.code.name}: {self.message}"
        return f"{text} ({details})" if details else text


class InvalidArgumentError(BifrostError):
    """A field of the request is wrong; `violations` name them all."""


class NotFoundError(BifrostError):
    """It is not there, or not yours."""


class InstrumentNotFoundError(NotFoundError):
    """No instrument has this symbol or id."""


class BarsNotFoundError(NotFoundError):
    """The instrument has no bars of this interval; metadata "available" lists those held."""


class SymbolAmbiguousError(InvalidArgumentError):
    """The symbol has several listings: name one as "BP@XLON"; metadata "mics" lists them."""


class UnauthenticatedError(BifrostError):
    """No token, or one that does not hold."""


class PermissionDeniedError(BifrostError):
    """The user has no right to it."""


class FailedPreconditionError(BifrostError):
    """The state of things forbids it."""


class AbortedError(BifrostError):
    """A race was lost; read again and retry."""


class ResourceExhaustedError(BifrostError):
    """A limit was reached."""


class UnavailableError(BifrostError):
    """The service is away, and was when it was tried again."""


class DeadlineError(BifrostError):
    """It took too long."""


_BY_CODE: Final[Mapping[grpc.StatusCode, type[BifrostError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
}
_BY_REASON: Final[Mapping[str, type[BifrostError]]] = {
    "INSTRUMENT_NOT_FOUND": InstrumentNotFoundError,
    "BARS_NOT_FOUND": BarsNotFoundError,
    "SYMBOL_AMBIGUOUS": SymbolAmbiguousError,
}


def error_of(error: grpc.RpcError) -> BifrostError:
    """The typed error of a failed call, of grpc or grpc.aio."""
    code: grpc.StatusCode = error.code()
    message: str = error.details() or ""
    pairs: Any = error.trailing_metadata() or ()  # of grpc and of grpc.aio: types that differ
    status = _status(next((value for key, value in pairs if key == _DETAILS_KEY), None))
    info, retry, bad = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.RetryInfo(),
        error_details_pb2.BadRequest(),
    )
    retry_after_s: float | None = None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    kind = _BY_REASON.get(info.reason) or _BY_CODE.get(code, BifrostError)
    return kind(
        code,
        message,
        info.reason,
        info.domain,
        dict(info.metadata),
        tuple((one.field, one.description) for one in bad.field_violations),
        retry_after_s,
    )


def _status(serialised: bytes | str | None) -> status_pb2.Status:
    try:
        content = serialised.encode() if isinstance(serialised, str) else serialised or b""
        return status_pb2.Status.FromString(content)
    except DecodeError:
        return status_pb2.Status()
