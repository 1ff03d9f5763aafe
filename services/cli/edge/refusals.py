"""What Envoy refuses by itself, answered as a service would: code, reason, ErrorInfo, over gRPC and REST."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.rpc import code_pb2

from bifrost.type.v1 import error_reason_pb2
from services.runtime.errors import DETAILS_KEY, ApiError

Config = dict[str, Any]

_TABLE = Path(__file__).parents[3] / "envoy" / "refusals.yaml"
_DOMAIN = "bifrost.edge"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
# The transcoder has already made a REST call a gRPC one when it finds the body broken.
_IS_REST = (
    "('x-envoy-original-path' in request.headers"
    " || !request.headers['content-type'].startsWith('application/grpc'))"
)
_HAS_TYPE = "'content-type' in request.headers"


@dataclass(frozen=True)
class Refusal:
    """One kind of local reply: which (CEL over the response), and what it is answered with."""

    when: str
    code: str
    reason: str
    message: str
    """Used over gRPC; over REST Envoy's own words, which name the field, stand where `own_words` is set."""
    own_words: bool = False


def load_refusals() -> list[Refusal]:
    """The table in envoy/refusals.yaml."""
    return [Refusal(**row) for row in yaml.safe_load(_TABLE.read_text(encoding="utf-8"))]


def reply_mappers() -> list[Config]:
    """Mappers of local replies: for each refusal one over gRPC (typed details) and one over REST (JSON)."""
    mappers = []
    for refusal in load_refusals():
        error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{refusal.reason}")  # documented, or this fails
        mappers += [_grpc_mapper(refusal), _rest_mapper(refusal)]
    return mappers


def _grpc_mapper(refusal: Refusal) -> Config:
    status = ApiError(grpc.StatusCode[refusal.code], refusal.reason, refusal.message).to_status(_DOMAIN)
    details = base64.b64encode(status.SerializeToString()).decode("ascii").rstrip("=")
    return {
        "filter": _filter(f"({refusal.when}) && {_HAS_TYPE} && !{_IS_REST}"),
        "headers_to_add": [
            {"header": {"key": DETAILS_KEY, "value": details}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }


def _rest_mapper(refusal: Refusal) -> Config:
    body = {
        "code": code_pb2.Code.Value(refusal.code),
        "message": "%LOCAL_REPLY_BODY%" if refusal.own_words else refusal.message,
        "details": [
            {
                "@type": _ERROR_INFO,
                "reason": refusal.reason,
                "domain": _DOMAIN,
                "metadata": {"call_id": "%REQ(X-REQUEST-ID)%"},
            }
        ],
    }
    return {
        "filter": _filter(f"({refusal.when}) && (!({_HAS_TYPE}) || {_IS_REST})"),
        "body_format_override": {"json_format": body, "content_type": "application/json"},
    }


def _filter(expression: str) -> Config:
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {"@type": _CEL, "expression": expression},
        }
    }
