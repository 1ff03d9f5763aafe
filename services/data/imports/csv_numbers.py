"""Numbers as CSV files write them, with commas between thousands too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from services.data.domain.bars import Doubles, Ints
from services.data.imports.errors import cell_error

_GROUPED: Final = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
# A comma before a point, or two of them, cannot begin decimals.
_SURELY_GROUPED: Final = r"^[+-]?\d{1,3}((,\d{3})+\.\d*|(,\d{3}){2,})$"
_NOT_CERTAIN: Final = "certain: the comma may begin thousands or decimals; write it without"


class NumberReader:
    """Reads the columns of numbers of one file.

    "1,234" is 1234 or, where decimals begin with a comma, 1.234: as a price it is read only where the file
    shows elsewhere that its commas stand before thousands. Volumes are whole numbers.
    """

    def __init__(self) -> None:
        self._surely_grouped = False

    def read(
        self, columns: Mapping[str, pl.Series], lines: Ints, names: Mapping[str, str]
    ) -> dict[str, Doubles]:
        """Numbers of cells without spaces around, NaN for empty ones; ``names`` are the file's.

        Raises:
            ApiError: FILE_CELL_INVALID.
        """
        values = {column: cells.cast(pl.Float64, strict=False) for column, cells in columns.items()}
        unread = {}
        for column, cells in columns.items():
            if values[column].null_count() and (mask := values[column].is_null() & (cells != "")).any():
                unread[column] = mask
        for column, mask in unread.items():
            self._surely_grouped |= bool(columns[column].filter(mask).str.contains(_SURELY_GROUPED).any())
        for column, mask in unread.items():
            self._check(column, columns[column], mask, lines, names[column])
            values[column] = (
                columns[column].str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
            )
        return {
            column: (found.fill_null(float("nan")) if found.null_count() else found).to_numpy()
            for column, found in values.items()
        }

    def _check(self, column: str, cells: pl.Series, unread: pl.Series, lines: Ints, name: str) -> None:
        wrong = unread & ~cells.str.contains(_GROUPED)
        what = "a number"
        if not wrong.any() and column != "volume" and not self._surely_grouped:
            wrong, what = unread, _NOT_CERTAIN
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            raise cell_error(int(lines[at]), name, cells[at], what)
