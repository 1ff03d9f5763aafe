"""Columns of 64-bit numbers as frames, sharing their memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ROOM: Final = 2**20
V = TypeVar("V", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of one instrument, or of several one after another, each oldest first."""

    time_ns: Ints
    """Start of each bar, nanoseconds since the epoch, UTC; shape (n,)."""
    columns: Mapping[str, Doubles]
    """Each of shape (n,)."""
    symbols: Sequence[str] = ()
    """Of the instruments; empty when one was asked for by itself: frames then have no column of symbols."""
    rows: Sequence[int] = ()
    """How many each instrument has."""

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, column: str) -> Doubles:
        return self.columns[column]

    @property
    def symbol_codes(self) -> npt.NDArray[np.int32]:
        """Of each row the place of its instrument in `symbols`; shape (n,)."""
        return np.repeat(np.arange(len(self.symbols), dtype=np.int32), self.rows)

    def to_numpy(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays by name, "time" as datetime64[ns] (UTC); "symbol" as objects when there are several."""
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        if self.symbols:
            arrays["symbol"] = np.array(self.symbols, dtype=object)[self.symbol_codes]
        arrays["time"] = self.time_ns.view("datetime64[ns]")
        return arrays | dict(self.columns)

    def to_arrow(self) -> pa.Table:
        """An Arrow table over the same memory; "time" is timestamp[ns, UTC], "symbol" a dictionary."""
        import pyarrow as pa  # noqa: PLC0415  an extra

        columns: dict[str, pa.Array] = {}
        if self.symbols:
            columns["symbol"] = pa.DictionaryArray.from_arrays(self.symbol_codes, list(self.symbols))
        columns["time"] = _shared(pa.timestamp("ns", "UTC"), self.time_ns)
        for name, values in self.columns.items():
            columns[name] = _shared(pa.float64(), values)
        return pa.table(columns)

    def to_polars(self) -> pl.DataFrame:
        """A polars frame over the same memory; "time" is Datetime("ns", "UTC"), "symbol" categorical."""
        import polars as pl  # noqa: PLC0415  an extra

        frame = pl.from_arrow(self.to_arrow(), rechunk=False)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101  of a table it is one
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame over the same memory; "time" is datetime64[ns, UTC], "symbol" categorical."""
        import pandas as pd  # noqa: PLC0415  an extra

        columns: dict[str, object] = {}
        if self.symbols:
            columns["symbol"] = pd.Categorical.from_codes(self.symbol_codes, list(self.symbols))
        columns["time"] = pd.DatetimeIndex(self.time_ns.view("datetime64[ns]"), tz="UTC", copy=False)
        return pd.DataFrame(columns | dict(self.columns), copy=False)


def _shared(kind: pa.DataType, values: Ints | Doubles) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415  an extra

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


class GrowingColumns:
    """Columns that parts are appended to: each value is copied once or twice, never one by one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._time_ns = np.empty(0, dtype=np.int64)
        self._columns = {name: np.empty(0) for name in names}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, time_ns: npt.ArrayLike, columns: Sequence[npt.ArrayLike], count: int) -> None:
        """Add rows; ``columns`` in the order of the names."""
        end = self._count + count
        if end > len(self._time_ns):
            # The first part may be all. Room that is not written to takes no memory, so that after it there
            # may be plenty.
            self._grow(end if self._count == 0 else max(_ROOM, 2 * end))
        self._time_ns[self._count : end] = time_ns
        for column, values in zip(self._columns.values(), columns, strict=True):
            column[self._count : end] = values
        self._count = end

    def cut(self, count: int) -> None:
        """Keep only the first rows."""
        self._count = count

    @property
    def last_time_ns(self) -> int:
        """Of the last row."""
        return int(self._time_ns[self._count - 1])

    def frame(self, symbols: Sequence[str] = (), rows: Sequence[int] = ()) -> Frame:
        """What there is."""
        columns = {name: column[: self._count] for name, column in self._columns.items()}
        return Frame(self._time_ns[: self._count], columns, symbols, rows)

    def _grow(self, capacity: int) -> None:
        self._time_ns = _grown(self._time_ns, self._count, capacity)
        self._columns = {
            name: _grown(column, self._count, capacity) for name, column in self._columns.items()
        }


def _grown(column: npt.NDArray[V], count: int, capacity: int) -> npt.NDArray[V]:
    grown = np.empty(capacity, dtype=column.dtype)
    grown[:count] = column[:count]
    return grown
