from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import ingestion_pb2 as _ingestion_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateIngestionRequest(_message.Message):
    __slots__ = ("request_id", "source", "symbols", "interval", "start_date", "end_date", "kind")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    source: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    interval: _bar_pb2.BarInterval
    start_date: str
    end_date: str
    kind: _ingestion_pb2.IngestionKind
    def __init__(self, request_id: _Optional[str] = ..., source: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_date: _Optional[str] = ..., end_date: _Optional[str] = ..., kind: _Optional[_Union[_ingestion_pb2.IngestionKind, str]] = ...) -> None: ...

class CreateIngestionResponse(_message.Message):
    __slots__ = ("ingestion", "duplicate")
    INGESTION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    ingestion: _ingestion_pb2.Ingestion
    duplicate: bool
    def __init__(self, ingestion: _Optional[_Union[_ingestion_pb2.Ingestion, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class GetIngestionRequest(_message.Message):
    __slots__ = ("ingestion_id",)
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    def __init__(self, ingestion_id: _Optional[str] = ...) -> None: ...

class GetIngestionResponse(_message.Message):
    __slots__ = ("ingestion",)
    INGESTION_FIELD_NUMBER: _ClassVar[int]
    ingestion: _ingestion_pb2.Ingestion
    def __init__(self, ingestion: _Optional[_Union[_ingestion_pb2.Ingestion, _Mapping]] = ...) -> None: ...

class ListIngestionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIngestionsResponse(_message.Message):
    __slots__ = ("ingestions", "next_page_token")
    INGESTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ingestions: _containers.RepeatedCompositeFieldContainer[_ingestion_pb2.Ingestion]
    next_page_token: str
    def __init__(self, ingestions: _Optional[_Iterable[_Union[_ingestion_pb2.Ingestion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchIngestionRequest(_message.Message):
    __slots__ = ("ingestion_id",)
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    def __init__(self, ingestion_id: _Optional[str] = ...) -> None: ...

class WatchIngestionResponse(_message.Message):
    __slots__ = ("header", "ingestion", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    INGESTION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    ingestion: _ingestion_pb2.Ingestion
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., ingestion: _Optional[_Union[_ingestion_pb2.Ingestion, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...

class CancelIngestionRequest(_message.Message):
    __slots__ = ("ingestion_id",)
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    ingestion_id: str
    def __init__(self, ingestion_id: _Optional[str] = ...) -> None: ...

class CancelIngestionResponse(_message.Message):
    __slots__ = ("ingestion",)
    INGESTION_FIELD_NUMBER: _ClassVar[int]
    ingestion: _ingestion_pb2.Ingestion
    def __init__(self, ingestion: _Optional[_Union[_ingestion_pb2.Ingestion, _Mapping]] = ...) -> None: ...
