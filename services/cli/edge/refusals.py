"""What Envoy refuses by itself, answered as a service would: code, reason, ErrorInfo, over gRPC and REST."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import json_format

from bifrost.type.v1 import error_reason_pb2
from services.cli.edge.methods import EdgeMethod
from services.runtime.errors import DETAILS_KEY, ApiError

Config = dict[str, Any]

_TABLE = Path(__file__).parents[3] / "envoy" / "refusals.yaml"
_DOMAIN = "bifrost.edge"
_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
# The transcoder has already made a REST call a gRPC one when it finds the body broken.
_IS_REST = (
    "('x-envoy-original-path' in request.headers"
    " || !request.headers['content-type'].startsWith('application/grpc'))"
)
_HAS_TYPE = "'content-type' in request.headers"


# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


@dataclass(frozen=True)
class Refusal:
    """One kind of local reply: which (CEL over the call and the reply), and what it is answered with."""

    when: str
    code: str
    reason: str
    message: str
    """Over REST Envoy's own words, which name the field, stand in for it where `own_words` is set."""
    own_words: bool = False
    grpc_code: str = ""
    """Over gRPC, where it differs from `code`."""
    retry_after_s: float | None = None
    each: str = ""
    """"scope" or "service": the line stands for one line each."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def error(self, code: str) -> ApiError:
        """As a service would raise it."""
        return ApiError(
            grpc.StatusCode[code],
            self.reason,
            self.message,
            metadata=self.metadata,
            retry_after_s=self.retry_after_s,
        )


def load_refusals(methods: Iterable[EdgeMethod]) -> list[Refusal]:
    """The table in envoy/refusals.yaml, with what the contracts say filled in."""
    known = list(methods)
    internal = _cel_list(method.path for method in known if method.internal)
    rows = [Refusal(**row) for row in yaml.safe_load(_TABLE.read_text(encoding="utf-8"))]
    refusals: list[Refusal] = []
    for row in rows:
        filled = replace(row, when=row.when.replace("{internal}", internal))
        refusals += _of_each(filled, known) if row.each else [filled]
    return refusals


def _of_each(row: Refusal, methods: list[EdgeMethod]) -> Iterator[Refusal]:
    if row.each == "scope":
        for scope in sorted({scope for method in methods for scope in method.policy.scopes}):
            paths = _cel_list(method.path for method in methods if scope in method.policy.scopes)
            yield _filled(row, {"scope": scope}, {"methods": paths, "scope": scope})
    else:
        for service in sorted({method.service for method in methods}):
            yield _filled(row, {"dependency": service}, {"service": service})


def _filled(row: Refusal, metadata: Mapping[str, str], places: Mapping[str, str]) -> Refusal:
    when, message = row.when, row.message
    for name, value in places.items():
        when, message = when.replace(f"{{{name}}}", value), message.replace(f"{{{name}}}", value)
    return replace(row, when=when, message=message, metadata=metadata)


def _cel_list(values: Iterable[str]) -> str:
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


def reply_mappers(methods: Iterable[EdgeMethod]) -> list[Config]:
    """Mappers of local replies: for each refusal one over gRPC (typed details) and one over REST (JSON)."""
    mappers = []
    for refusal in load_refusals(methods):
        error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{refusal.reason}")  # documented, or this fails
        mappers += [_grpc_mapper(refusal), _rest_mapper(refusal)]
    return mappers


def _grpc_mapper(refusal: Refusal) -> Config:
    status = refusal.error(refusal.grpc_code or refusal.code).to_status(_DOMAIN)
    details = base64.b64encode(status.SerializeToString()).decode("ascii").rstrip("=")
    return {
        "filter": _filter(f"({refusal.when}) && {_HAS_TYPE} && !{_IS_REST}"),
        "headers_to_add": [
            _header(DETAILS_KEY, details),
            _header("grpc-status", str(status.code)),
            _header("grpc-message", status.message),
        ],
        # Headers alone, as gRPC has it: gRPC-Web would make a status of its own out of anything else.
        "status_code": 200,
        "body_format_override": {
            "text_format_source": {"inline_string": ""},
            "content_type": "application/grpc",
        },
    }


def _rest_mapper(refusal: Refusal) -> Config:
    error = refusal.error(refusal.code)
    body = json_format.MessageToDict(error.to_status(_DOMAIN), preserving_proto_field_name=True)
    if refusal.own_words:
        body["message"] = "%LOCAL_REPLY_BODY%"
    body["details"][0].setdefault("metadata", {})["call_id"] = "%REQ(X-REQUEST-ID)%"
    return {
        "filter": _filter(f"({refusal.when}) && (!({_HAS_TYPE}) || {_IS_REST})"),
        "status_code": _HTTP[error.code],
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }


def _header(key: str, value: str) -> Config:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _filter(expression: str) -> Config:
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {"@type": _CEL, "expression": expression},
        }
    }
