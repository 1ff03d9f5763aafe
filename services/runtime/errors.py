"""Errors of the API: one exception that becomes google.rpc.Status, and its reading on the caller's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"

# Peers refuse trailers over 8 KiB (base64 adds a third); beyond this the last violations are left out.
_MAX_STATUS_BYTES = 5000
_MAX_MESSAGE_CHARS = 1000
_NO_METADATA: Mapping[str, str] = {}


class ApiError(Exception):
    """An error a handler ends in; the server turns it into google.rpc.Status.

    `reason` names a value of an ErrorReason enum without its prefix (ORDER_NOT_FOUND); `violations` are
    (field, description) pairs; `precondition` is (type, subject, description).
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] = _NO_METADATA,
        violations: Sequence[tuple[str, str]] = (),
        retry_after_s: float | None = None,
        precondition: tuple[str, str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata)
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        self.precondition = precondition

    def __str__(self) -> str:
        return f"{self.code.name} {self.reason}: {self.message}"

    def to_status(self, domain: str) -> status_pb2.Status:
        """The error as google.rpc.Status; `domain` goes into ErrorInfo ("bifrost.execution")."""
        status = status_pb2.Status(code=self.code.value[0], message=self.message[:_MAX_MESSAGE_CHARS])
        for detail in self._details(domain):
            status.details.add().Pack(detail)
        return status

    def _details(self, domain: str) -> list[Message]:
        details: list[Message] = [
            error_details_pb2.ErrorInfo(reason=self.reason, domain=domain, metadata=self.metadata)
        ]
        if self.precondition is not None:
            kind, subject, description = self.precondition
            failure = error_details_pb2.PreconditionFailure()
            failure.violations.add(type=kind, subject=subject, description=description)
            details.append(failure)
        if self.retry_after_s is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(round(self.retry_after_s * 1e9))
            details.append(retry)
        if self.violations:
            details.append(self._bad_request())
        return details

    def _bad_request(self) -> error_details_pb2.BadRequest:
        bad = error_details_pb2.BadRequest()
        for name, description in self.violations:
            bad.field_violations.add(field=name, description=description[:_MAX_MESSAGE_CHARS])
            if bad.ByteSize() > _MAX_STATUS_BYTES - _MAX_MESSAGE_CHARS:
                del bad.field_violations[-1]
                break
        return bad


def invalid_argument(reason: str, message: str, *, field: str, **metadata: str) -> ApiError:
    """INVALID_ARGUMENT naming the bad field."""
    code = grpc.StatusCode.INVALID_ARGUMENT
    return ApiError(code, reason, message, metadata=metadata, violations=[(field, message)])


def not_found(reason: str, message: str, **metadata: str) -> ApiError:
    """NOT_FOUND: it is not there, or it is another's."""
    return ApiError(grpc.StatusCode.NOT_FOUND, reason, message, metadata=metadata)


def already_exists(reason: str, message: str, **metadata: str) -> ApiError:
    """ALREADY_EXISTS: the name or request_id is taken by something else."""
    return ApiError(grpc.StatusCode.ALREADY_EXISTS, reason, message, metadata=metadata)


def failed_precondition(
    reason: str, message: str, *, precondition: tuple[str, str, str] | None = None, **metadata: str
) -> ApiError:
    """FAILED_PRECONDITION: its state forbids it; `precondition` is (type, subject, description)."""
    code = grpc.StatusCode.FAILED_PRECONDITION
    return ApiError(
        code, reason, message, metadata=metadata, precondition=precondition or (reason, "", message)
    )


def aborted(reason: str, message: str, **metadata: str) -> ApiError:
    """ABORTED: a stale etag or a lost race; read again and retry."""
    return ApiError(grpc.StatusCode.ABORTED, reason, message, metadata=metadata)


def permission_denied(reason: str, message: str, **metadata: str) -> ApiError:
    """PERMISSION_DENIED: the caller is known and lacks the right."""
    return ApiError(grpc.StatusCode.PERMISSION_DENIED, reason, message, metadata=metadata)


def unauthenticated(reason: str, message: str, **metadata: str) -> ApiError:
    """UNAUTHENTICATED: no token, or one that does not hold."""
    return ApiError(grpc.StatusCode.UNAUTHENTICATED, reason, message, metadata=metadata)


def resource_exhausted(
    reason: str, message: str, *, retry_after_s: float | None = None, **metadata: str
) -> ApiError:
    """RESOURCE_EXHAUSTED: a limit, a quota, a slow reader."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    return ApiError(code, reason, message, metadata=metadata, retry_after_s=retry_after_s)


def unavailable(reason: str, message: str, *, retry_after_s: float = 1.0, **metadata: str) -> ApiError:
    """UNAVAILABLE with RetryInfo: a dependency is away, nothing was changed."""
    code = grpc.StatusCode.UNAVAILABLE
    return ApiError(code, reason, message, metadata=metadata, retry_after_s=retry_after_s)


@dataclass(frozen=True)
class RpcFailure:
    """What a failed call said. `reason` and `domain` are empty when the peer (or a proxy) sent no details."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[tuple[str, str], ...] = ()
    retry_after_s: float | None = None


def error_from_rpc(error: grpc.aio.AioRpcError) -> RpcFailure:
    """The caught error with its details unpacked; unreadable details are treated as absent."""
    message = error.details() or ""
    status = _status_of(error)
    if status is None:
        return RpcFailure(error.code(), message)
    info = error_details_pb2.ErrorInfo()
    retry = error_details_pb2.RetryInfo()
    bad = error_details_pb2.BadRequest()
    retry_after_s: float | None = None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    return RpcFailure(
        code=error.code(),
        message=message,
        reason=info.reason,
        domain=info.domain,
        metadata=dict(info.metadata),
        violations=tuple((v.field, v.description) for v in bad.field_violations),
        retry_after_s=retry_after_s,
    )


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            try:
                return status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
            except DecodeError:
                return None
    return None
