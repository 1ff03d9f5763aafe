"""Parquet to columns, a batch of rows at a time: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from services.data.imports.arrow_columns import ArrowColumns, first_line
from services.data.imports.errors import file_error
from services.data.imports.times import TimeReader
from services.runtime.errors import resource_exhausted

_BATCH_ROWS: Final = 65_536
_GROUP_BYTES: Final = 1024 * 1024 * 1024
"""Of the columns that are read, decompressed."""
_FOOTER_BYTES: Final = 64 * 1024 * 1024


class ParquetReader(ArrowColumns):
    """Reads one file; its batches in order are the blocks of `read`.

    What the footer says is checked before anything is decompressed. Blocks: call it in a thread.
    """

    def __init__(self, file: Path, given: Mapping[str, str], times: TimeReader, *, most_rows: int) -> None:
        """``given`` names columns that are not called as usual.

        Raises:
            ApiError: FILE_UNREADABLE, FILE_TOO_LARGE, FILE_COLUMN_MISSING, FILE_COLUMN_TYPE_INVALID.
        """
        try:
            self._file = pq.ParquetFile(
                file,
                thrift_string_size_limit=_FOOTER_BYTES,
                thrift_container_size_limit=1_000_000,
            )
            schema: pa.Schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            raise file_error(f"the file is no Parquet: {first_line(error)}") from error
        if self._file.metadata.num_rows > most_rows:
            message = f"the file has more than {most_rows:,} rows; import it in parts"
            raise resource_exhausted("FILE_TOO_LARGE", message, most=str(most_rows))
        super().__init__(schema, given, times)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, in order; ApiError FILE_UNREADABLE, FILE_TOO_LARGE naming the row group."""
        wanted = list(self.names.values())
        for group in range(self._file.num_row_groups):
            self._check_size(group, wanted)
            batches = self._file.iter_batches(
                _BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False
            )
            while True:
                try:
                    batch = next(batches, None)
                except (pa.ArrowException, OSError, ValueError) as error:
                    raise file_error(
                        f"row group {group} cannot be read: {first_line(error)}", row_group=str(group)
                    ) from error
                if batch is None:
                    break
                yield batch

    def _check_size(self, group: int, wanted: list[str]) -> None:
        stated = self._file.metadata.row_group(group)
        columns = (stated.column(place) for place in range(stated.num_columns))
        size = sum(one.total_uncompressed_size for one in columns if one.path_in_schema in wanted)
        if size > _GROUP_BYTES:
            message = f"row group {group} has {size:,} bytes; write the file with smaller row groups"
            raise resource_exhausted("FILE_TOO_LARGE", message, most=str(_GROUP_BYTES), row_group=str(group))
