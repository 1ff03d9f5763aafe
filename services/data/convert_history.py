"""Chunks of history from columns; nothing else."""

from __future__ import annotations

from typing import Final

from bifrost.data.v1 import history_service_pb2
from services.data.domain.bars import Bars
from services.runtime.columns import Pieces, packed_doubles, packed_sfixed64
from services.runtime.wire import field_bytes, uint_field

_CHUNK: Final = {field.name: field.number for field in history_service_pb2.ReadBarsResponse.DESCRIPTOR.fields}
_PRICES_AND_VOLUME: Final = ("open", "high", "low", "close", "volume")


def chunk_columns(bars: Bars) -> Pieces:
    """The columns as fields of a ReadBarsResponse; they are the arrays' own memory."""
    columns = packed_sfixed64(_CHUNK["open_time_ns"], bars.open_time_ns)
    for name in _PRICES_AND_VOLUME:
        columns += packed_doubles(_CHUNK[name], getattr(bars, name))
    return columns


def read_bars_response(place: int, instrument_id: str, columns: Pieces, *, last: bool) -> bytes:
    """A chunk, serialised."""
    head = uint_field(_CHUNK["place"], place) + uint_field(_CHUNK["last"], int(last))
    return b"".join((head, field_bytes(_CHUNK["instrument_id"], instrument_id.encode()), *columns))
