"""Traces: W3C trace context carried through every call, spans only for the sampled share."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_TRACEPARENT_CHARS: Final = 55
# Bit 0 of the flags says sampled, bit 1 that the id is random (W3C Trace Context, level 2).
_SAMPLED: Final = frozenset("13579bdf")
_random = random.Random()  # noqa: S311  sampling, not secrecy


class Tracing:
    """Decides which calls are traced and makes their spans.

    A caller's decision is kept (parent-based); without one `ratio` of the calls is sampled. A call that is
    not costs one comparison: the incoming header is handed on as it is.
    """

    def __init__(self, service: str, *, ratio: float, exporter: SpanExporter | None = None) -> None:
        self._ratio = ratio
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource.create({"service.name": f"bifrost-{service}"})
        )
        if exporter is not None:
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  starts threads

            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("bifrost")

    def samples(self, traceparent: str | None) -> bool:
        """Whether a call with this incoming trace context (None: without one) is to be traced."""
        if traceparent is None:
            return _random.random() < self._ratio
        return traceparent[-1] in _SAMPLED

    def start(self, path: str, traceparent: str | None) -> Span | None:
        """A server span of the method, child of the incoming context; None if that context is unreadable."""
        parent = Context() if traceparent is None else _parent(traceparent)
        if parent is None:
            return None
        span = self._tracer.start_span(path[1:], context=parent, kind=SpanKind.SERVER)
        span.set_attribute("rpc.system", "grpc")
        return span if isinstance(span, Span) else None

    def close(self) -> None:
        """Hand over what is left; may take the exporter's timeout, so call it off the loop."""
        self._provider.shutdown()


def otlp_exporter(endpoint: str) -> SpanExporter:
    """Spans to an OpenTelemetry collector over gRPC ("http://127.0.0.1:4317")."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415  0.2 s, rarely needed
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"))


def incoming(headers: Mapping[str, str]) -> str | None:
    """The caller's trace context; None when there is none, or one of another shape."""
    traceparent = headers.get("traceparent")
    return traceparent if traceparent and len(traceparent) == _TRACEPARENT_CHARS else None


def traceparent_of(span: Span) -> str:
    """The header that makes a peer's span this one's child."""
    context = span.get_span_context()
    if context is None:
        raise ValueError("the span has no context")
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id(traceparent: str | None) -> str:
    """The trace id as 32 hexadecimal digits, empty when there is none."""
    return "" if traceparent is None else traceparent[3:35]


def end_span(span: Span, code: str) -> None:
    """Finish the span with the call's status code."""
    span.set_attribute("rpc.grpc.status_code", code)
    if code not in {"OK", "CANCELLED"}:
        span.set_status(Status(StatusCode.ERROR, code))
    span.end()


def _parent(traceparent: str) -> Context | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    remote = SpanContext(
        trace_id=int(match[1], 16),
        span_id=int(match[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match[3], 16)),
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())
