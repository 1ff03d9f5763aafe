"""An upload as blocks of whole lines, checked against its header."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import IO

from bifrost.data.v1 import import_service_pb2 as pb
from services.data.imports.csv_reader import LineCutter
from services.data.imports.errors import row_error
from services.runtime.errors import ApiError, aborted, invalid_argument, resource_exhausted

# Large enough that a batch pays for its thread and its COPY, small enough to wait for in memory.
_BLOCK_BYTES = 2 * 1024 * 1024


class Upload:
    """Takes the messages of one stream."""

    def __init__(self, requests: AsyncIterator[pb.ImportBarsRequest], *, silence_s: float) -> None:
        """``silence_s``: how long the client may say nothing; it holds a transaction open."""
        self._requests = requests
        self._silence_s = silence_s
        self._cutter = LineCutter()
        self._digest = hashlib.sha256()

    async def header(self) -> pb.ImportHeader:
        """The first message; ApiError IMPORT_OUT_OF_ORDER when it is something else."""
        first = await self._next()
        if first is None or first.WhichOneof("part") != "header":
            raise _out_of_order("the first message must be the header")
        return first.header

    async def blocks(self, *, sha256: str) -> AsyncIterator[bytes]:
        """The file in blocks of whole lines.

        Raises:
            ApiError: IMPORT_OUT_OF_ORDER, IMPORT_STALLED, FILE_ROW_INVALID; at the end FILE_INCOMPLETE.
        """
        waiting: list[bytes] = []
        size = lines = 0
        while (message := await self._next()) is not None:
            if message.WhichOneof("part") != "chunk":
                raise _out_of_order("there is one header, and only chunks after it")
            self._digest.update(message.chunk)
            whole = self._cutter.take(message.chunk)
            if self._cutter.endless:
                line = lines + sum(part.count(b"\n") for part in (*waiting, whole)) + 1
                raise row_error(line, "is too long, or the file is no text")
            waiting.append(whole)
            size += len(whole)
            if size >= _BLOCK_BYTES:
                block = b"".join(waiting)
                lines += block.count(b"\n")
                waiting, size = [], 0
                yield block
        self._check_digest(sha256)
        if rest := b"".join((*waiting, self._cutter.last())):
            yield rest

    async def into(self, file: IO[bytes], *, sha256: str, most_bytes: int) -> None:
        """Write the whole file, for formats that are read from their end.

        Raises:
            ApiError: IMPORT_OUT_OF_ORDER, IMPORT_STALLED, FILE_TOO_LARGE, FILE_INCOMPLETE.
        """
        size = 0
        while (message := await self._next()) is not None:
            if message.WhichOneof("part") != "chunk":
                raise _out_of_order("there is one header, and only chunks after it")
            size += len(message.chunk)
            if size > most_bytes:
                text = f"the file has more than {most_bytes:,} bytes; import it in parts"
                raise resource_exhausted("FILE_TOO_LARGE", text, most=str(most_bytes))
            self._digest.update(message.chunk)
            await asyncio.to_thread(file.write, message.chunk)
        self._check_digest(sha256)
        await asyncio.to_thread(file.flush)

    def _check_digest(self, sha256: str) -> None:
        found = self._digest.hexdigest()
        if found != sha256:
            message = "the bytes that came are not those of the header's sha256: the file was cut or changed"
            raise invalid_argument("FILE_INCOMPLETE", message, field="sha256", sha256=found)

    async def _next(self) -> pb.ImportBarsRequest | None:
        try:
            async with asyncio.timeout(self._silence_s):
                return await anext(self._requests, None)
        except TimeoutError:
            message = f"nothing came for {self._silence_s:g} s; nothing was stored, send the file again"
            raise aborted("IMPORT_STALLED", message) from None


def _out_of_order(message: str) -> ApiError:
    return invalid_argument("IMPORT_OUT_OF_ORDER", message, field="part")
