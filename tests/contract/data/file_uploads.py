"""Files as tests import them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from tests.contract.data.data_harness import RunningData


# Any: fields of the header.
def header_of(content: bytes, symbol: str, *, mic: str = "XXXX", **fields: Any) -> pb.ImportHeader:
    """Of a CSV file of minute bars for a new instrument, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "request_id": str(uuid.uuid4()),
        "interval": bar_pb2.BAR_INTERVAL_MINUTE,
        "format": pb.FILE_FORMAT_CSV,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    if "instrument" not in fields:
        values["new_instrument"] = pb.NewInstrument(symbol=symbol, mic=mic, currency="USD")
    return pb.ImportHeader(**values | fields)


def requests_of(
    header: pb.ImportHeader, content: bytes, *, size: int = 50_000
) -> Iterator[pb.ImportBarsRequest]:
    """The header, then the file cut anywhere."""
    yield pb.ImportBarsRequest(header=header)
    for at in range(0, len(content), size):
        yield pb.ImportBarsRequest(chunk=content[at : at + size])


async def send(
    data: RunningData, header: pb.ImportHeader, content: bytes, *, size: int = 50_000
) -> pb.ImportBarsResponse:
    """Import the file."""
    stub = ImportServiceStub(data.channel)
    return await stub.ImportBars(requests_of(header, content, size=size), metadata=data.headers, timeout=60)


def minute_bars(rows: int, *, start_s: int = 1_600_000_000) -> list[str]:
    """Lines of a gentle sawtooth, a minute apart, as TradingView exports them."""
    lines = []
    for row in range(rows):
        price = 100 + row % 50 * 0.01
        lines.append(
            f"{start_s + 60 * row},{price:.2f},{price + 0.05:.2f},{price - 0.05:.2f},{price:.2f},{row + 1}"
        )
    return lines


def csv_of(lines: Sequence[str], *, head: str = "time,open,high,low,close,Volume") -> bytes:
    """The file with these lines."""
    return "\n".join((head, *lines, "")).encode()
