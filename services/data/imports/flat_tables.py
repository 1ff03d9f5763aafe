"""Tables of FlatBuffers, as far as the metadata of Arrow files needs them (flatbuffers.dev/internals)."""

from __future__ import annotations

import struct
from typing import Final

_INT16: Final = struct.Struct("<H")
_INT32: Final = struct.Struct("<i")
_UINT32: Final = struct.Struct("<I")


class FlatTable:
    """One table; a field that is absent reads as 0, None or empty. ValueError where the bytes are none."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._slots = position - self._read(_INT32, position)

    @classmethod
    def root(cls, data: bytes) -> FlatTable:
        """The outermost table of a buffer."""
        return cls(data, _at(_UINT32, data, 0))

    def integer(self, field: int, layout: struct.Struct) -> int:
        """A number."""
        place = self._place(field)
        return self._read(layout, place) if place else 0

    def table(self, field: int) -> FlatTable | None:
        """A table within."""
        place = self._place(field)
        return FlatTable(self._data, place + self._read(_UINT32, place)) if place else None

    def structs(self, field: int, layout: struct.Struct) -> list[tuple[int, ...]]:
        """A vector of structs, each of the layout."""
        place = self._place(field)
        if not place:
            return []
        begin = place + self._read(_UINT32, place)
        end = begin + 4 + layout.size * self._read(_UINT32, begin)
        if end > len(self._data):
            raise ValueError("a vector is cut")
        return list(layout.iter_unpack(self._data[begin + 4 : end]))

    def _place(self, field: int) -> int:
        """Where a field's value is; 0 when it is absent."""
        slot = 4 + 2 * field
        if slot >= self._read(_INT16, self._slots):
            return 0
        offset = self._read(_INT16, self._slots + slot)
        return self._position + offset if offset else 0

    def _read(self, layout: struct.Struct, position: int) -> int:
        return _at(layout, self._data, position)


def _at(layout: struct.Struct, data: bytes, position: int) -> int:
    if not 0 <= position <= len(data) - layout.size:
        raise ValueError("a table is cut")
    value: int = layout.unpack_from(data, position)[0]
    return value
