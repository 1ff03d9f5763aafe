import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.runtime.tracing import Tracing, end_span, incoming, otlp_exporter, trace_id, traceparent_of

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, False), (1.0, True)])
def test_without_a_parent_the_ratio_decides(ratio: float, expected: bool) -> None:
    assert Tracing("x", ratio=ratio).samples(None) is expected


def test_a_parents_decision_is_kept() -> None:
    tracing = Tracing("x", ratio=1.0)
    assert tracing.samples(PARENT)
    assert tracing.samples(PARENT[:-2] + "03")
    assert not tracing.samples(PARENT[:-2] + "00")
    assert not tracing.samples(PARENT[:-2] + "02")


@pytest.mark.parametrize("header", ["", "nonsense-01", PARENT + "0"])
def test_a_header_of_another_shape_is_no_trace(header: str) -> None:
    assert incoming({"traceparent": header}) is None
    assert incoming({"traceparent": PARENT}) == PARENT
    assert incoming({}) is None


def test_a_span_is_the_parents_child_and_is_exported() -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing("execution", ratio=1.0, exporter=exporter)
    span = tracing.start("/a.B/C", PARENT)
    assert span is not None
    header = traceparent_of(span)
    assert trace_id(header) == "a" * 32
    assert header[-1] in "13"
    end_span(span, "INTERNAL")
    root = tracing.start("/a.B/C", None)
    assert root is not None
    end_span(root, "OK")
    tracing.close()
    failed, fine = exporter.get_finished_spans()
    assert failed.name == "a.B/C"
    assert failed.parent is not None
    assert f"{failed.parent.span_id:016x}" == "b" * 16
    assert failed.attributes is not None
    assert failed.attributes["rpc.grpc.status_code"] == "INTERNAL"
    assert not failed.status.is_ok
    assert fine.parent is None
    assert failed.resource.attributes["service.name"] == "bifrost-execution"


@pytest.mark.parametrize("header", ["nonsense-01", f"00-{'g' * 32}-{'b' * 16}-01", PARENT + "-x-01"])
def test_an_unreadable_parent_makes_no_span(header: str) -> None:
    assert Tracing("x", ratio=1.0).start("/a.B/C", header) is None


def test_no_trace_no_id() -> None:
    assert trace_id(None) == ""


def test_spans_go_to_a_collector_where_one_is_named() -> None:
    exporter = otlp_exporter("http://127.0.0.1:4317")
    exporter.shutdown()
