from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.type.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IngestionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INGESTION_KIND_UNSPECIFIED: _ClassVar[IngestionKind]
    INGESTION_KIND_BARS: _ClassVar[IngestionKind]
    INGESTION_KIND_FACTS: _ClassVar[IngestionKind]

class SymbolError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYMBOL_ERROR_UNSPECIFIED: _ClassVar[SymbolError]
    SYMBOL_ERROR_SYMBOL_UNKNOWN: _ClassVar[SymbolError]
    SYMBOL_ERROR_SYMBOL_UNSUPPORTED: _ClassVar[SymbolError]
    SYMBOL_ERROR_INSTRUMENT_DIFFERS: _ClassVar[SymbolError]
    SYMBOL_ERROR_RANGE_UNAVAILABLE: _ClassVar[SymbolError]
    SYMBOL_ERROR_ANSWER_EMPTY: _ClassVar[SymbolError]
    SYMBOL_ERROR_ANSWER_MALFORMED: _ClassVar[SymbolError]
    SYMBOL_ERROR_RATE_LIMITED: _ClassVar[SymbolError]
    SYMBOL_ERROR_BUDGET_EXHAUSTED: _ClassVar[SymbolError]
    SYMBOL_ERROR_SOURCE_UNAUTHORISED: _ClassVar[SymbolError]
    SYMBOL_ERROR_SOURCE_UNAVAILABLE: _ClassVar[SymbolError]
    SYMBOL_ERROR_TIMED_OUT: _ClassVar[SymbolError]
INGESTION_KIND_UNSPECIFIED: IngestionKind
INGESTION_KIND_BARS: IngestionKind
INGESTION_KIND_FACTS: IngestionKind
SYMBOL_ERROR_UNSPECIFIED: SymbolError
SYMBOL_ERROR_SYMBOL_UNKNOWN: SymbolError
SYMBOL_ERROR_SYMBOL_UNSUPPORTED: SymbolError
SYMBOL_ERROR_INSTRUMENT_DIFFERS: SymbolError
SYMBOL_ERROR_RANGE_UNAVAILABLE: SymbolError
SYMBOL_ERROR_ANSWER_EMPTY: SymbolError
SYMBOL_ERROR_ANSWER_MALFORMED: SymbolError
SYMBOL_ERROR_RATE_LIMITED: SymbolError
SYMBOL_ERROR_BUDGET_EXHAUSTED: SymbolError
SYMBOL_ERROR_SOURCE_UNAUTHORISED: SymbolError
SYMBOL_ERROR_SOURCE_UNAVAILABLE: SymbolError
SYMBOL_ERROR_TIMED_OUT: SymbolError

class Ingestion(_message.Message):
    __slots__ = ("ingestion_id", "source", "symbols", "status", "results", "interval", "start_date", "end_date", "kind")
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    source: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    status: _job_pb2.JobStatus
    results: _containers.RepeatedCompositeFieldContainer[SymbolResult]
    interval: _bar_pb2.BarInterval
    start_date: str
    end_date: str
    kind: IngestionKind
    def __init__(self, ingestion_id: _Optional[str] = ..., source: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[_job_pb2.JobStatus, _Mapping]] = ..., results: _Optional[_Iterable[_Union[SymbolResult, _Mapping]]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., kind: _Optional[_Union[IngestionKind, str]] = ...) -> None: ...

class SymbolResult(_message.Message):
    __slots__ = ("symbol", "instrument_id", "rows_stored", "rows_refused", "first_date", "last_date", "error_message", "error", "attempts", "requests", "rows_revised", "state", "progress")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_STORED_FIELD_NUMBER: _ClassVar[int]
    ROWS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ROWS_REVISED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    instrument_id: str
    rows_stored: int
    rows_refused: int
    first_date: str
    last_date: str
    error_message: str
    error: SymbolError
    attempts: int
    requests: int
    rows_revised: int
    state: _job_pb2.JobState
    progress: float
    def __init__(self, symbol: _Optional[str] = ..., instrument_id: _Optional[str] = ..., rows_stored: _Optional[int] = ..., rows_refused: _Optional[int] = ..., first_date: _Optional[str] = ..., last_date: _Optional[str] = ..., error_message: _Optional[str] = ..., error: _Optional[_Union[SymbolError, str]] = ..., attempts: _Optional[int] = ..., requests: _Optional[int] = ..., rows_revised: _Optional[int] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., progress: _Optional[float] = ...) -> None: ...
