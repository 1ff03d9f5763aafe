"""Routes and clusters of Envoy, one route a method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.cli.edge.methods import EdgeMethod
from services.cli.edge.rights import OPEN_PREFIXES, rate_class_name

Config = dict[str, Any]

DEADLINE = "15s"
_MAX_GRPC_BYTES = 4 * 1024 * 1024
_BUFFER = "envoy.filters.http.buffer"
_TYPES = "type.googleapis.com"
_RETRY_READ: Config = {
    "retry_on": "unavailable,connect-failure,refused-stream,reset",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": f"{_TYPES}/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
    "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
}
_RETRY_WRITE: Config = {"retry_on": "connect-failure,refused-stream", "num_retries": 1}


def edge_routes(methods: Iterable[EdgeMethod], transcoder: Config) -> list[Config]:
    """A route a public method, then the REST paths (before transcoding), then health and reflection."""
    known = [method for method in methods if not method.internal]
    routes = [_method_route(method) for method in known]
    sse = transcoder | {"print_options": transcoder["print_options"] | {"stream_sse_style_delimited": True}}
    sse["print_options"].pop("stream_newline_delimited")
    first = known[0].service
    routes += [
        {
            "match": {
                "prefix": "/v1/",
                "headers": [{"name": "accept", "string_match": {"contains": "text/event-stream"}}],
            },
            "route": {"cluster": first, "timeout": "0s", "idle_timeout": "0s"},
            "typed_per_filter_config": {"envoy.filters.http.grpc_json_transcoder": sse},
        },
        # A real route, not a direct response, so that the CORS policy applies; the transcoder chooses again.
        {"match": {"prefix": "/v1/"}, "route": {"cluster": first, "timeout": DEADLINE}},
    ]
    routes += [
        {
            "match": {"prefix": prefix},
            "route": {"cluster": first, "timeout": "0s", "idle_timeout": "0s"},
            # Reflection talks both ways on one stream.
            "typed_per_filter_config": {_BUFFER: _buffer_per_route(disabled=True)},
        }
        for prefix in OPEN_PREFIXES
    ]
    return routes


def _method_route(method: EdgeMethod) -> Config:
    route: Config = {"cluster": method.service, "timeout": "0s"}
    if method.streaming:
        route["idle_timeout"] = "0s"
    else:
        route["max_stream_duration"] = {"grpc_timeout_header_max": DEADLINE, "max_stream_duration": DEADLINE}
        route["retry_policy"] = _RETRY_READ if method.retryable else _RETRY_WRITE
    return {
        "match": {"path": method.path},
        "route": route,
        "metadata": {
            "filter_metadata": {"bifrost": {"rate_class": rate_class_name(method.policy.rate_class)}}
        },
        "typed_per_filter_config": {
            # What a client streams is bounded by the service, a message at a time.
            _BUFFER: _buffer_per_route(disabled=True)
            if method.uploads
            else _buffer_per_route(buffer={"max_request_bytes": _MAX_GRPC_BYTES})
        },
    }


def _buffer_per_route(**settings: object) -> Config:
    return {"@type": f"{_TYPES}/envoy.extensions.filters.http.buffer.v3.BufferPerRoute", **settings}


def mesh_routes(contracts: Mapping[str, str]) -> list[Config]:
    """Routes of the mesh listener: contract service to cluster; deadlines are the callers'."""
    return [
        {
            "match": {"prefix": f"/{contract}/"},
            "route": {"cluster": service, "timeout": "0s", "idle_timeout": "0s"},
        }
        for contract, service in contracts.items()
    ]


def cluster(service: str, targets: Iterable[str], health_name: str) -> Config:
    """A cluster of one service: gRPC health checks, ejection, circuit breakers."""
    return {
        "name": service,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "per_connection_buffer_limit_bytes": 32768,
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPES}/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {
                    "http2_protocol_options": {
                        "connection_keepalive": {"interval": "30s", "timeout": "5s"},
                        "initial_stream_window_size": 65536,
                        # At least streams x stream window, or stalled readers starve the others.
                        "initial_connection_window_size": 67108864,
                    }
                },
            }
        },
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 64, "max_pending_requests": 1024, "max_requests": 4096, "max_retries": 16}
            ]
        },
        "outlier_detection": {
            "consecutive_5xx": 5,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
        "health_checks": [
            {
                "timeout": "1s",
                "interval": "1s",
                "no_traffic_interval": "1s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "grpc_health_check": {"service_name": health_name},
            }
        ],
        "load_assignment": {
            "cluster_name": service,
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _address(target)}} for target in targets]}
            ],
        },
    }


def _address(target: str) -> Config:
    host, _, port = target.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}
