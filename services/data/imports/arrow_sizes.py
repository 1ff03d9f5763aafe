"""What an Arrow file says of its batches, read before Arrow opens any: how many rows, and how large.

Arrow decompresses whole batches, and believes what they state of their size. The layout is that of Footer,
Message and RecordBatch in Arrow's File.fbs and Message.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from services.data.imports.flat_tables import FlatTable

MAGIC: Final = b"ARROW1"
_MOST_METADATA: Final = 64 * 1024 * 1024
_FOOTER_SIZE: Final = struct.Struct("<i6s")
_INT64: Final = struct.Struct("<q")
_UINT8: Final = struct.Struct("<B")
_PREFIX: Final = struct.Struct("<ii")
_CONTINUED: Final = -1
# offset, length of metadata, padding, length of body
_BLOCK: Final = struct.Struct("<qiiq")
# offset in the body, length
_BUFFER: Final = struct.Struct("<qq")
_DICTIONARIES, _BATCHES = 2, 3
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY = 2
_DICTIONARY_DATA = 1
_ROWS, _BUFFERS, _COMPRESSION = 0, 2, 3
# Of a buffer that is not compressed though others are.
_PLAIN: Final = -1


@dataclass(frozen=True, slots=True)
class BatchSize:
    """What a batch states."""

    rows: int
    """0 for a dictionary."""
    size: int
    """Bytes of its columns, decompressed."""


def batch_sizes(file: IO[bytes]) -> Iterator[BatchSize]:
    """Of each dictionary, then of each batch of rows, in order; ValueError where it is no Arrow file."""
    size = file.seek(0, 2)
    footer_size, magic = _FOOTER_SIZE.unpack(_read(file, size - _FOOTER_SIZE.size, _FOOTER_SIZE.size))
    if magic != MAGIC:
        raise ValueError("it does not end as Arrow files do")
    footer = FlatTable.root(_read(file, size - _FOOTER_SIZE.size - footer_size, footer_size))
    left = _MOST_METADATA - footer_size
    for field in (_DICTIONARIES, _BATCHES):
        for offset, metadata_size, _, _ in footer.structs(field, _BLOCK):
            left -= metadata_size
            if left < 0:
                raise ValueError(f"it has more than {_MOST_METADATA:,} bytes of metadata")
            yield _batch_size(file, offset, metadata_size)


def _batch_size(file: IO[bytes], offset: int, metadata_size: int) -> BatchSize:
    data = _read(file, offset, metadata_size)
    if len(data) < _PREFIX.size:
        raise ValueError("a batch has no metadata")
    # Before Arrow 0.15 there was the length alone.
    continued = _PREFIX.unpack_from(data)[0] == _CONTINUED
    message = FlatTable.root(data[8 if continued else 4 :])
    batch, rows = message.table(_HEADER), 0
    if batch is not None and message.integer(_HEADER_TYPE, _UINT8) == _DICTIONARY:
        batch = batch.table(_DICTIONARY_DATA)
    elif batch is not None:
        rows = batch.integer(_ROWS, _INT64)
    if batch is None or rows < 0:
        raise ValueError("a batch says nothing of its rows")
    buffers = batch.structs(_BUFFERS, _BUFFER)
    if batch.table(_COMPRESSION) is None:
        return BatchSize(rows, sum(length for _, length in buffers))
    body = offset + metadata_size
    sizes = [_decompressed(file, body + at, length) for at, length in buffers if length]
    return BatchSize(rows, sum(sizes))


def _decompressed(file: IO[bytes], position: int, length: int) -> int:
    stated: int = _INT64.unpack(_read(file, position, _INT64.size))[0]
    if stated == _PLAIN:
        return length
    if stated < 0:
        raise ValueError("a column states no size")
    return stated


def _read(file: IO[bytes], position: int, size: int) -> bytes:
    if position < 0 or not 0 <= size <= _MOST_METADATA:
        raise ValueError("it is cut")
    file.seek(position)
    data = file.read(size)
    if len(data) != size:
        raise ValueError("it is cut")
    return data
