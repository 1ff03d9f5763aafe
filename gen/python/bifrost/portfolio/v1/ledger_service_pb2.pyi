from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.portfolio.v1 import ledger_pb2 as _ledger_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateDepositRequest(_message.Message):
    __slots__ = ("account_id", "request_id", "amount", "memo")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MEMO_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    request_id: str
    amount: _value_pb2.Money
    memo: str
    def __init__(self, account_id: _Optional[str] = ..., request_id: _Optional[str] = ..., amount: _Optional[_Union[_value_pb2.Money, _Mapping]] = ..., memo: _Optional[str] = ...) -> None: ...

class CreateDepositResponse(_message.Message):
    __slots__ = ("entry", "duplicate")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    entry: _ledger_pb2.LedgerEntry
    duplicate: bool
    def __init__(self, entry: _Optional[_Union[_ledger_pb2.LedgerEntry, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListLedgerEntriesRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token", "type")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    type: _ledger_pb2.LedgerEntryType
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., type: _Optional[_Union[_ledger_pb2.LedgerEntryType, str]] = ...) -> None: ...

class ListLedgerEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.LedgerEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_ledger_pb2.LedgerEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamLedgerLogRequest(_message.Message):
    __slots__ = ("resume_after",)
    RESUME_AFTER_FIELD_NUMBER: _ClassVar[int]
    resume_after: _stream_pb2.StreamPosition
    def __init__(self, resume_after: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ...) -> None: ...

class StreamLedgerLogResponse(_message.Message):
    __slots__ = ("header", "entry", "replay_end", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    entry: _ledger_pb2.LedgerEntry
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., entry: _Optional[_Union[_ledger_pb2.LedgerEntry, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...
