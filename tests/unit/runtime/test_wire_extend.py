"""A shared message with more in its first field equals the message that protobuf itself writes."""

from hypothesis import given
from hypothesis import strategies as st

from bifrost.execution.v1.order_service_pb2 import StreamOrderEventsResponse
from bifrost.type.v1.stream_pb2 import Heartbeat, StreamHeader
from services.runtime.wire import extend_first, uint_field


@given(st.text(max_size=300), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_header_is_extended_in_place(epoch: str, sequence: int, previous: int) -> None:
    header = StreamHeader(epoch=epoch, sequence=sequence)
    shared = StreamOrderEventsResponse(header=header, heartbeat=Heartbeat()).SerializeToString()
    header.previous_sequence = previous
    expected = StreamOrderEventsResponse(header=header, heartbeat=Heartbeat()).SerializeToString()
    assert extend_first(shared, uint_field(6, previous)) == expected
