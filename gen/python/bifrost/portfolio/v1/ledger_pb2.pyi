import datetime

from bifrost.type.v1 import value_pb2 as _value_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LedgerEntryType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEDGER_ENTRY_TYPE_UNSPECIFIED: _ClassVar[LedgerEntryType]
    LEDGER_ENTRY_TYPE_DEPOSIT: _ClassVar[LedgerEntryType]
    LEDGER_ENTRY_TYPE_TRADE: _ClassVar[LedgerEntryType]
LEDGER_ENTRY_TYPE_UNSPECIFIED: LedgerEntryType
LEDGER_ENTRY_TYPE_DEPOSIT: LedgerEntryType
LEDGER_ENTRY_TYPE_TRADE: LedgerEntryType

class LedgerEntry(_message.Message):
    __slots__ = ("entry_id", "account_id", "type", "amount", "balance_after", "fill_id", "execution_id", "event_time", "post_time", "memo")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BALANCE_AFTER_FIELD_NUMBER: _ClassVar[int]
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    POST_TIME_FIELD_NUMBER: _ClassVar[int]
    MEMO_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    account_id: str
    type: LedgerEntryType
    amount: _value_pb2.Money
    balance_after: str
    fill_id: str
    execution_id: str
    event_time: _timestamp_pb2.Timestamp
    post_time: _timestamp_pb2.Timestamp
    memo: str
    def __init__(self, entry_id: _Optional[str] = ..., account_id: _Optional[str] = ..., type: _Optional[_Union[LedgerEntryType, str]] = ..., amount: _Optional[_Union[_value_pb2.Money, _Mapping]] = ..., balance_after: _Optional[str] = ..., fill_id: _Optional[str] = ..., execution_id: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., post_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., memo: _Optional[str] = ...) -> None: ...
