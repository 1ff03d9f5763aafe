from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import instrument_pb2 as _instrument_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FileFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILE_FORMAT_UNSPECIFIED: _ClassVar[FileFormat]
    FILE_FORMAT_CSV: _ClassVar[FileFormat]
    FILE_FORMAT_PARQUET: _ClassVar[FileFormat]
    FILE_FORMAT_ARROW: _ClassVar[FileFormat]

class QuarantineReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUARANTINE_REASON_UNSPECIFIED: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_PRICE_NOT_NUMBER: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_PRICE_NOT_POSITIVE: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_OHLC_ORDER: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_VOLUME_INVALID: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_TIME_IN_FUTURE: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_NOT_A_SESSION: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_TIME_REPEATED: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_UNIT_ERROR: _ClassVar[QuarantineReason]
    QUARANTINE_REASON_SPIKE: _ClassVar[QuarantineReason]
FILE_FORMAT_UNSPECIFIED: FileFormat
FILE_FORMAT_CSV: FileFormat
FILE_FORMAT_PARQUET: FileFormat
FILE_FORMAT_ARROW: FileFormat
QUARANTINE_REASON_UNSPECIFIED: QuarantineReason
QUARANTINE_REASON_PRICE_NOT_NUMBER: QuarantineReason
QUARANTINE_REASON_PRICE_NOT_POSITIVE: QuarantineReason
QUARANTINE_REASON_OHLC_ORDER: QuarantineReason
QUARANTINE_REASON_VOLUME_INVALID: QuarantineReason
QUARANTINE_REASON_TIME_IN_FUTURE: QuarantineReason
QUARANTINE_REASON_NOT_A_SESSION: QuarantineReason
QUARANTINE_REASON_TIME_REPEATED: QuarantineReason
QUARANTINE_REASON_UNIT_ERROR: QuarantineReason
QUARANTINE_REASON_SPIKE: QuarantineReason

class NewInstrument(_message.Message):
    __slots__ = ("symbol", "mic", "currency", "name", "asset_class")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ASSET_CLASS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    mic: str
    currency: str
    name: str
    asset_class: _instrument_pb2.AssetClass
    def __init__(self, symbol: _Optional[str] = ..., mic: _Optional[str] = ..., currency: _Optional[str] = ..., name: _Optional[str] = ..., asset_class: _Optional[_Union[_instrument_pb2.AssetClass, str]] = ...) -> None: ...

class BarColumnNames(_message.Message):
    __slots__ = ("time", "open", "high", "low", "close", "volume", "adjusted_close")
    TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_CLOSE_FIELD_NUMBER: _ClassVar[int]
    time: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    adjusted_close: str
    def __init__(self, time: _Optional[str] = ..., open: _Optional[str] = ..., high: _Optional[str] = ..., low: _Optional[str] = ..., close: _Optional[str] = ..., volume: _Optional[str] = ..., adjusted_close: _Optional[str] = ...) -> None: ...

class ImportHeader(_message.Message):
    __slots__ = ("request_id", "instrument", "new_instrument", "interval", "format", "time_zone", "columns", "sha256")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    NEW_INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument: _value_pb2.InstrumentRef
    new_instrument: NewInstrument
    interval: _bar_pb2.BarInterval
    format: FileFormat
    time_zone: str
    columns: BarColumnNames
    sha256: str
    def __init__(self, request_id: _Optional[str] = ..., instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., new_instrument: _Optional[_Union[NewInstrument, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., format: _Optional[_Union[FileFormat, str]] = ..., time_zone: _Optional[str] = ..., columns: _Optional[_Union[BarColumnNames, _Mapping]] = ..., sha256: _Optional[str] = ...) -> None: ...

class ImportBarsRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ImportHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[ImportHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ImportProblem(_message.Message):
    __slots__ = ("line", "column", "reason")
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    line: int
    column: str
    reason: QuarantineReason
    def __init__(self, line: _Optional[int] = ..., column: _Optional[str] = ..., reason: _Optional[_Union[QuarantineReason, str]] = ...) -> None: ...

class QuarantineCount(_message.Message):
    __slots__ = ("reason", "rows")
    REASON_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    reason: QuarantineReason
    rows: int
    def __init__(self, reason: _Optional[_Union[QuarantineReason, str]] = ..., rows: _Optional[int] = ...) -> None: ...

class ImportBarsResponse(_message.Message):
    __slots__ = ("ingestion_id", "instrument_id", "rows_read", "rows_stored", "rows_unchanged", "rows_differing", "rows_quarantined", "rows_without_volume", "first_open_time_ns", "last_open_time_ns", "quarantined", "problems", "duplicate")
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_READ_FIELD_NUMBER: _ClassVar[int]
    ROWS_STORED_FIELD_NUMBER: _ClassVar[int]
    ROWS_UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    ROWS_DIFFERING_FIELD_NUMBER: _ClassVar[int]
    ROWS_QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    ROWS_WITHOUT_VOLUME_FIELD_NUMBER: _ClassVar[int]
    FIRST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    LAST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    instrument_id: str
    rows_read: int
    rows_stored: int
    rows_unchanged: int
    rows_differing: int
    rows_quarantined: int
    rows_without_volume: int
    first_open_time_ns: int
    last_open_time_ns: int
    quarantined: _containers.RepeatedCompositeFieldContainer[QuarantineCount]
    problems: _containers.RepeatedCompositeFieldContainer[ImportProblem]
    duplicate: bool
    def __init__(self, ingestion_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., rows_read: _Optional[int] = ..., rows_stored: _Optional[int] = ..., rows_unchanged: _Optional[int] = ..., rows_differing: _Optional[int] = ..., rows_quarantined: _Optional[int] = ..., rows_without_volume: _Optional[int] = ..., first_open_time_ns: _Optional[int] = ..., last_open_time_ns: _Optional[int] = ..., quarantined: _Optional[_Iterable[_Union[QuarantineCount, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[ImportProblem, _Mapping]]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListQuarantinedBarsRequest(_message.Message):
    __slots__ = ("instrument", "page_size", "page_token")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    page_size: int
    page_token: str
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QuarantinedBar(_message.Message):
    __slots__ = ("reason", "ingestion_id", "line", "bar", "quarantine_no")
    REASON_FIELD_NUMBER: _ClassVar[int]
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    BAR_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_NO_FIELD_NUMBER: _ClassVar[int]
    reason: QuarantineReason
    ingestion_id: str
    line: int
    bar: _bar_pb2.Bar
    quarantine_no: int
    def __init__(self, reason: _Optional[_Union[QuarantineReason, str]] = ..., ingestion_id: _Optional[str] = ..., line: _Optional[int] = ..., bar: _Optional[_Union[_bar_pb2.Bar, _Mapping]] = ..., quarantine_no: _Optional[int] = ...) -> None: ...

class ListQuarantinedBarsResponse(_message.Message):
    __slots__ = ("bars", "next_page_token")
    BARS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bars: _containers.RepeatedCompositeFieldContainer[QuarantinedBar]
    next_page_token: str
    def __init__(self, bars: _Optional[_Iterable[_Union[QuarantinedBar, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
