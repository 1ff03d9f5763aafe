"""Arrow IPC files (Feather version 2) to columns, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from services.data.imports.arrow_columns import ArrowColumns, first_line
from services.data.imports.arrow_sizes import batch_sizes
from services.data.imports.errors import file_error
from services.data.imports.times import TimeReader
from services.runtime.errors import resource_exhausted

_BLOCK_ROWS: Final = 65_536
_BATCH_BYTES: Final = 1024 * 1024 * 1024
"""Of all columns of a batch, decompressed."""
_FILE_BYTES: Final = 32 * _BATCH_BYTES


class ArrowReader(ArrowColumns):
    """Reads one file; its batches in order are the blocks of `read`.

    What the file says of its batches is checked before any is decompressed. Blocks: call it in a thread.
    """

    def __init__(self, file: Path, given: Mapping[str, str], times: TimeReader, *, most_rows: int) -> None:
        """``given`` names columns that are not called as usual.

        Raises:
            ApiError: FILE_UNREADABLE, FILE_TOO_LARGE, FILE_COLUMN_MISSING, FILE_COLUMN_TYPE_INVALID.
        """
        try:
            _check_sizes(file, most_rows)
            source = pa.memory_map(str(file))
            schema = pa.ipc.open_file(source).schema
        except (pa.ArrowException, OSError, ValueError) as error:
            raise file_error(f"the file is no Arrow file: {first_line(error)}") from error
        super().__init__(schema, given, times)
        # Columns of other names are neither decompressed nor looked at.
        options = pa.ipc.IpcReadOptions(included_fields=self.places, use_threads=False)
        self._file = pa.ipc.open_file(source, options=options)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, in order; ApiError FILE_UNREADABLE naming the batch."""
        for number in range(self._file.num_record_batches):
            try:
                batch = self._file.get_batch(number)
            except (pa.ArrowException, OSError, ValueError) as error:
                message = f"batch {number} cannot be read: {first_line(error)}"
                raise file_error(message, row_group=str(number)) from error
            for begin in range(0, batch.num_rows, _BLOCK_ROWS):
                yield batch.slice(begin, _BLOCK_ROWS)


def _check_sizes(file: Path, most_rows: int) -> None:
    rows = total = 0
    with file.open("rb") as content:
        for batch in batch_sizes(content):
            rows, total = rows + batch.rows, total + batch.size
            if rows > most_rows:
                message = f"the file has more than {most_rows:,} rows; import it in parts"
                raise resource_exhausted("FILE_TOO_LARGE", message, most=str(most_rows))
            if batch.size > _BATCH_BYTES:
                message = f"a batch has {batch.size:,} bytes; write the file with smaller batches"
                raise resource_exhausted("FILE_TOO_LARGE", message, most=str(_BATCH_BYTES))
            if total > _FILE_BYTES:
                message = f"the file has more than {_FILE_BYTES:,} bytes decompressed; import it in parts"
                raise resource_exhausted("FILE_TOO_LARGE", message, most=str(_FILE_BYTES))
