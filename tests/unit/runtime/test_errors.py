from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from services.runtime import errors
from services.runtime.errors import DETAILS_KEY, ApiError, RpcFailure, error_from_rpc

Details = TypeVar("Details", bound=Message)
DOMAIN = "bifrost.execution"


def rpc_error(status: status_pb2.Status | None, raw: bytes | None = None) -> grpc.aio.AioRpcError:
    code = grpc.StatusCode.UNKNOWN
    if status is not None:
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        raw = status.SerializeToString()
    trailers = grpc.aio.Metadata() if raw is None else grpc.aio.Metadata((DETAILS_KEY, raw))
    details = "" if status is None else status.message
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details)


def test_an_error_reads_back_as_it_was_written() -> None:
    error = ApiError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMITED",
        "too fast",
        metadata={"limit": "5"},
        violations=[("a", "bad"), ("b", "worse")],
        retry_after_s=0.25,
        precondition=("T", "s", "d"),
    )
    failure = error_from_rpc(rpc_error(error.to_status(DOMAIN)))
    assert failure == RpcFailure(
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        message="too fast",
        reason="RATE_LIMITED",
        domain=DOMAIN,
        metadata={"limit": "5"},
        violations=(("a", "bad"), ("b", "worse")),
        retry_after_s=0.25,
    )
    assert str(error) == "RESOURCE_EXHAUSTED RATE_LIMITED: too fast"


@pytest.mark.parametrize("raw", [None, b"\xff\xff"])
def test_an_error_without_readable_details(raw: bytes | None) -> None:
    assert error_from_rpc(rpc_error(None, raw)) == RpcFailure(grpc.StatusCode.UNKNOWN, "")


def details(error: ApiError, detail: Details) -> Details:
    for packed in error.to_status(DOMAIN).details:
        if packed.Unpack(detail):
            return detail
    raise LookupError(detail.DESCRIPTOR.name)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.not_found("R", "m", order_id="1"), "NOT_FOUND"),
        (errors.already_exists("R", "m", order_id="1"), "ALREADY_EXISTS"),
        (errors.aborted("R", "m", order_id="1"), "ABORTED"),
        (errors.permission_denied("R", "m", order_id="1"), "PERMISSION_DENIED"),
        (errors.unauthenticated("R", "m", order_id="1"), "UNAUTHENTICATED"),
        (errors.resource_exhausted("R", "m", order_id="1"), "RESOURCE_EXHAUSTED"),
        (errors.unavailable("R", "m", order_id="1"), "UNAVAILABLE"),
        (errors.failed_precondition("R", "m", order_id="1"), "FAILED_PRECONDITION"),
        (errors.invalid_argument("R", "m", field="f", order_id="1"), "INVALID_ARGUMENT"),
    ],
)
def test_each_situation_has_its_code(error: ApiError, code: str) -> None:
    assert error.code.name == code
    info = details(error, error_details_pb2.ErrorInfo())
    assert (info.reason, info.domain, dict(info.metadata)) == ("R", DOMAIN, {"order_id": "1"})


def test_details_of_the_situations_that_have_more() -> None:
    retry = details(errors.unavailable("R", "m", retry_after_s=2), error_details_pb2.RetryInfo())
    assert retry.retry_delay.seconds == 2
    bad = details(errors.invalid_argument("R", "m", field="f"), error_details_pb2.BadRequest())
    assert (bad.field_violations[0].field, bad.field_violations[0].description) == ("f", "m")
    state = details(errors.failed_precondition("R", "m"), error_details_pb2.PreconditionFailure())
    assert (state.violations[0].type, state.violations[0].description) == ("R", "m")
    with pytest.raises(LookupError):
        details(errors.not_found("R", "m"), error_details_pb2.RetryInfo())


def test_a_status_stays_below_what_trailers_may_hold() -> None:
    error = ApiError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "R",
        "m" * 100_000,
        violations=[(f"field{n}", "x" * 5_000) for n in range(500)],
    )
    assert error.to_status(DOMAIN).ByteSize() < 6_000
