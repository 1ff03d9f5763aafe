"""ImportService: takes bars from a user's own file, and shows those it refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import numpy as np

from bifrost.data.v1 import import_service_pb2 as pb
from bifrost.data.v1 import import_service_pb2_grpc as pb_grpc
from services.data.calendars.calendars import Calendars
from services.data.convert_imports import import_answer, listing_of, quarantined_message
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import Ingestion, SymbolResult, finish, record_symbol
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.bar_import import BarImport, Imported
from services.data.imports.bar_writer import BarWriter
from services.data.imports.checking import RowChecker
from services.data.imports.csv_header import USUAL_NAMES
from services.data.imports.csv_reader import CsvReader
from services.data.imports.import_store import (
    QuarantineStore,
    Target,
    find_or_make,
    insert_answer,
    read_answer,
    set_listing_date,
)
from services.data.imports.placing import session_dates
from services.data.imports.rows import CsvRows
from services.data.imports.times import TimeReader
from services.data.imports.upload import Upload
from services.data.ingestions.ingestion_store import (
    insert_batch,
    insert_ingestion,
    put_result,
    update_ingestion,
)
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_store import begin_record
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.database import Database, Transaction
from services.runtime.errors import already_exists, invalid_argument
from services.runtime.failpoints import failpoint
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.ids import new_id
from services.runtime.jobs.job import start
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from services.data.imports.arrow_reader import ArrowReader
    from services.data.imports.parquet_reader import ParquetReader

T = TypeVar("T")
_IMPORT = "ImportBars"
SOURCE = "import"
# Each holds a connection and some tens of megabytes; the others wait.
_AT_ONCE = 2
# Of a file that is read from its end: it waits in the folder for temporary files until it has come whole.
_MOST_BYTES = 2 * 1024**3
# Until the first bar says when a new instrument was listed.
_NOT_YET = date.max


class ImportService(pb_grpc.ImportServiceServicer):
    """The servicer."""

    def __init__(
        self,
        database: Database,
        directory: InstrumentDirectory,
        calendars: Calendars,
        idempotency: IdempotencyStore,
        *,
        clock: Clock,
        most_rows: int,
        silence_s: float,
    ) -> None:
        self._database = database
        self._quarantine = QuarantineStore(database)
        self._directory = directory
        self._calendars = calendars
        self._idempotency = idempotency
        self._clock = clock
        self._most_rows = most_rows
        self._silence_s = silence_s
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def ImportBars(
        self,
        request_iterator: AsyncIterator[pb.ImportBarsRequest],
        _context: ServicerContext[pb.ImportBarsRequest, pb.ImportBarsResponse],
    ) -> pb.ImportBarsResponse:
        """Store a file in one transaction."""
        upload = Upload(request_iterator, silence_s=self._silence_s)
        header = await upload.header()
        times = _time_reader(header)
        principal = current_principal()
        owner, digest = principal.caller, request_digest(header)
        async with self._turn, self._database.open_transaction() as transaction:
            connection, request_id = transaction.connection, header.request_id
            stored = await self._idempotency.begin(connection, owner, _IMPORT, request_id, digest)
            if stored is not None:
                answer = pb.ImportBarsResponse.FromString(await read_answer(connection, stored.resource_id))
                answer.duplicate = True
                return answer
            answer = await self._import(transaction, upload, header, times)
            await self._idempotency.finish(connection, owner, _IMPORT, request_id, answer.ingestion_id)
            failpoint("data.import.before_commit")
            await transaction.commit()
        await self._directory.reload()
        return answer

    async def ListQuarantinedBars(
        self,
        request: pb.ListQuarantinedBarsRequest,
        _context: ServicerContext[pb.ListQuarantinedBarsRequest, pb.ListQuarantinedBarsResponse],
    ) -> pb.ListQuarantinedBarsResponse:
        """A page of refused rows."""
        instrument = await self._directory.resolve(request.instrument)
        position = decode_page_token(request, request.page_token, quarantine_no=number)
        after = 0 if position is None else int(position["quarantine_no"])
        size = page_size(request.page_size)
        found = await self._quarantine.list_page(instrument.instrument_no, after=after, limit=size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"quarantine_no": str(found[size - 1].quarantine_no)})
        bars = [quarantined_message(instrument.instrument_id, bar) for bar in found[:size]]
        return pb.ListQuarantinedBarsResponse(bars=bars, next_page_token=token)

    async def _import(
        self, transaction: Transaction, upload: Upload, header: pb.ImportHeader, times: TimeReader
    ) -> pb.ImportBarsResponse:
        connection, now_ns = transaction.connection, self._clock.now_ns()
        target = await self._target(transaction, header)
        interval = BarInterval(header.interval)
        made = Ingestion(
            new_id(self._clock),
            SOURCE,
            (target.symbol,),
            interval=interval,
            create_time_ns=now_ns,
            update_time_ns=now_ns,
        )
        job = start(made, "read source", now_ns)
        await insert_ingestion(connection, job)
        batch_no = await insert_batch(
            connection,
            job.ingestion_id,
            instrument_no=target.instrument_no,
            source=SOURCE,
            fetch_time_ns=now_ns,
            record_time_ns=await begin_record(connection, target.instrument_no, self._clock),
        )
        calendar = await self._calendars.of_market(target.mic)
        writer = BarWriter(transaction.driver, target.instrument_no, interval, batch_no, job.ingestion_id)
        imported = await self._store(upload, header, times, calendar, writer, now_ns=now_ns)
        first, last = session_dates(calendar, np.array(imported.span_ns or (now_ns, now_ns)))
        target = await set_listing_date(connection, target, first)
        result = SymbolResult(
            target.symbol,
            instrument_id=target.instrument_id,
            rows_stored=imported.merged.stored,
            rows_refused=imported.findings.rows_quarantined,
            first_date=first if imported.span_ns else None,
            last_date=last if imported.span_ns else None,
        )
        job = finish(record_symbol(job, result, of=1, now_ns=now_ns), self._clock.now_ns())
        await put_result(connection, job.ingestion_id, result)
        await update_ingestion(connection, job)
        answer = import_answer(job.ingestion_id, target.instrument_id, imported)
        await insert_answer(connection, job.ingestion_id, answer.SerializeToString())
        return answer

    async def _store(
        self,
        upload: Upload,
        header: pb.ImportHeader,
        times: TimeReader,
        calendar: MarketCalendar | None,
        writer: BarWriter,
        *,
        now_ns: int,
    ) -> Imported:
        given = {column: getattr(header.columns, column) for column in USUAL_NAMES}
        interval, most_rows = BarInterval(header.interval), self._most_rows
        if header.format == pb.FILE_FORMAT_CSV:
            csv = RowChecker(CsvRows(CsvReader(given), times), interval, calendar, now_ns=now_ns)
            lines = upload.blocks(sha256=header.sha256)
            return await BarImport(csv, writer, most_rows=most_rows).run(lines)
        reading = _binary_reader(header.format)
        with NamedTemporaryFile(prefix="bifrost-import-") as spool:
            await upload.into(spool.file, sha256=header.sha256, most_bytes=_MOST_BYTES)
            file = Path(spool.name)
            reader = await asyncio.to_thread(reading, file, given, times, most_rows=most_rows)
            checker = RowChecker(reader, interval, calendar, now_ns=now_ns)
            batches = _in_thread(reader.batches())
            return await BarImport(checker, writer, most_rows=most_rows).run(batches)

    async def _target(self, transaction: Transaction, header: pb.ImportHeader) -> Target:
        if header.WhichOneof("target") == "instrument":
            held = await self._directory.resolve(header.instrument, field="header.instrument")
            return Target(held.instrument_no, held.instrument_id, held.symbol, held.mic, held.currency)
        new = header.new_instrument
        target = await find_or_make(transaction.connection, listing_of(new, _NOT_YET))
        if target.currency != new.currency:
            message = f"{new.symbol} at {new.mic} is held in {target.currency}, not {new.currency}"
            raise already_exists("INSTRUMENT_DIFFERS", message, currency=target.currency)
        return target


def _binary_reader(file_format: pb.FileFormat) -> Callable[..., ParquetReader | ArrowReader]:
    # Here: Arrow is 40 MB that most installations never need.
    from services.data.imports.arrow_reader import ArrowReader  # noqa: PLC0415
    from services.data.imports.parquet_reader import ParquetReader  # noqa: PLC0415

    return ArrowReader if file_format == pb.FILE_FORMAT_ARROW else ParquetReader


async def _in_thread(items: Iterator[T]) -> AsyncIterator[T]:
    """Items whose making blocks."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item


def _time_reader(header: pb.ImportHeader) -> TimeReader:
    try:
        return TimeReader(header.time_zone, daily=BarInterval(header.interval) is BarInterval.DAY)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"there is no time zone {header.time_zone!r}; write it like America/New_York"
        raise invalid_argument("FIELD_INVALID", message, field="header.time_zone") from None
