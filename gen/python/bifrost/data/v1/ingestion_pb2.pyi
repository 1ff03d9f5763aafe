from bifrost.type.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ingestion(_message.Message):
    __slots__ = ("ingestion_id", "source", "symbols", "status", "results")
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    source: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    status: _job_pb2.JobStatus
    results: _containers.RepeatedCompositeFieldContainer[SymbolResult]
    def __init__(self, ingestion_id: _Optional[str] = ..., source: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[_job_pb2.JobStatus, _Mapping]] = ..., results: _Optional[_Iterable[_Union[SymbolResult, _Mapping]]] = ...) -> None: ...

class SymbolResult(_message.Message):
    __slots__ = ("symbol", "instrument_id", "rows_stored", "rows_refused", "first_date", "last_date", "error_message")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_STORED_FIELD_NUMBER: _ClassVar[int]
    ROWS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    instrument_id: str
    rows_stored: int
    rows_refused: int
    first_date: str
    last_date: str
    error_message: str
    def __init__(self, symbol: _Optional[str] = ..., instrument_id: _Optional[str] = ..., rows_stored: _Optional[int] = ..., rows_refused: _Optional[int] = ..., first_date: _Optional[str] = ..., last_date: _Optional[str] = ..., error_message: _Optional[str] = ...) -> None: ...
