import datetime

from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import instrument_pb2 as _instrument_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_KIND_UNSPECIFIED: _ClassVar[FindingKind]
    FINDING_KIND_PRICE_INVALID: _ClassVar[FindingKind]
    FINDING_KIND_OHLC_ORDER: _ClassVar[FindingKind]
    FINDING_KIND_VOLUME_INVALID: _ClassVar[FindingKind]
    FINDING_KIND_TIME_IN_FUTURE: _ClassVar[FindingKind]
    FINDING_KIND_OUT_OF_SESSION: _ClassVar[FindingKind]
    FINDING_KIND_DUPLICATE: _ClassVar[FindingKind]
    FINDING_KIND_MISSING_SESSION: _ClassVar[FindingKind]
    FINDING_KIND_MISSING_BARS: _ClassVar[FindingKind]
    FINDING_KIND_SPIKE: _ClassVar[FindingKind]
    FINDING_KIND_UNIT_ERROR: _ClassVar[FindingKind]
    FINDING_KIND_STALE: _ClassVar[FindingKind]
    FINDING_KIND_ZERO_VOLUME: _ClassVar[FindingKind]
    FINDING_KIND_SPLIT_MISSED: _ClassVar[FindingKind]
    FINDING_KIND_SPLIT_DOUBLED: _ClassVar[FindingKind]
    FINDING_KIND_DIVIDEND_UNIT: _ClassVar[FindingKind]
    FINDING_KIND_CURRENCY_CHANGE: _ClassVar[FindingKind]

class FindingSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_SEVERITY_UNSPECIFIED: _ClassVar[FindingSeverity]
    FINDING_SEVERITY_INFO: _ClassVar[FindingSeverity]
    FINDING_SEVERITY_WARNING: _ClassVar[FindingSeverity]
    FINDING_SEVERITY_ERROR: _ClassVar[FindingSeverity]

class RepairKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPAIR_KIND_UNSPECIFIED: _ClassVar[RepairKind]
    REPAIR_KIND_UNIT: _ClassVar[RepairKind]
    REPAIR_KIND_SPLIT_RECORD: _ClassVar[RepairKind]
    REPAIR_KIND_SPLIT_RETRACT: _ClassVar[RepairKind]
    REPAIR_KIND_DIVIDEND: _ClassVar[RepairKind]
    REPAIR_KIND_RELEASE: _ClassVar[RepairKind]
FINDING_KIND_UNSPECIFIED: FindingKind
FINDING_KIND_PRICE_INVALID: FindingKind
FINDING_KIND_OHLC_ORDER: FindingKind
FINDING_KIND_VOLUME_INVALID: FindingKind
FINDING_KIND_TIME_IN_FUTURE: FindingKind
FINDING_KIND_OUT_OF_SESSION: FindingKind
FINDING_KIND_DUPLICATE: FindingKind
FINDING_KIND_MISSING_SESSION: FindingKind
FINDING_KIND_MISSING_BARS: FindingKind
FINDING_KIND_SPIKE: FindingKind
FINDING_KIND_UNIT_ERROR: FindingKind
FINDING_KIND_STALE: FindingKind
FINDING_KIND_ZERO_VOLUME: FindingKind
FINDING_KIND_SPLIT_MISSED: FindingKind
FINDING_KIND_SPLIT_DOUBLED: FindingKind
FINDING_KIND_DIVIDEND_UNIT: FindingKind
FINDING_KIND_CURRENCY_CHANGE: FindingKind
FINDING_SEVERITY_UNSPECIFIED: FindingSeverity
FINDING_SEVERITY_INFO: FindingSeverity
FINDING_SEVERITY_WARNING: FindingSeverity
FINDING_SEVERITY_ERROR: FindingSeverity
REPAIR_KIND_UNSPECIFIED: RepairKind
REPAIR_KIND_UNIT: RepairKind
REPAIR_KIND_SPLIT_RECORD: RepairKind
REPAIR_KIND_SPLIT_RETRACT: RepairKind
REPAIR_KIND_DIVIDEND: RepairKind
REPAIR_KIND_RELEASE: RepairKind

class Finding(_message.Message):
    __slots__ = ("kind", "severity", "first_open_time_ns", "last_open_time_ns", "rows", "value", "expected", "explanation")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    LAST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    severity: FindingSeverity
    first_open_time_ns: int
    last_open_time_ns: int
    rows: int
    value: float
    expected: float
    explanation: str
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., severity: _Optional[_Union[FindingSeverity, str]] = ..., first_open_time_ns: _Optional[int] = ..., last_open_time_ns: _Optional[int] = ..., rows: _Optional[int] = ..., value: _Optional[float] = ..., expected: _Optional[float] = ..., explanation: _Optional[str] = ...) -> None: ...

class FindingCount(_message.Message):
    __slots__ = ("kind", "severity", "findings", "rows")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    severity: FindingSeverity
    findings: int
    rows: int
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., severity: _Optional[_Union[FindingSeverity, str]] = ..., findings: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...

class MonthCoverage(_message.Message):
    __slots__ = ("month", "expected", "held", "findings")
    MONTH_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    month: str
    expected: int
    held: int
    findings: int
    def __init__(self, month: _Optional[str] = ..., expected: _Optional[int] = ..., held: _Optional[int] = ..., findings: _Optional[int] = ...) -> None: ...

class QualityReport(_message.Message):
    __slots__ = ("instrument_id", "interval", "score", "bars", "first_open_time_ns", "last_open_time_ns", "sessions_expected", "sessions_held", "counts", "findings", "months", "quarantined_bars", "etag")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    FIRST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    LAST_OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_EXPECTED_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_HELD_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_BARS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    interval: _bar_pb2.BarInterval
    score: float
    bars: int
    first_open_time_ns: int
    last_open_time_ns: int
    sessions_expected: int
    sessions_held: int
    counts: _containers.RepeatedCompositeFieldContainer[FindingCount]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    months: _containers.RepeatedCompositeFieldContainer[MonthCoverage]
    quarantined_bars: int
    etag: str
    def __init__(self, instrument_id: _Optional[str] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., score: _Optional[float] = ..., bars: _Optional[int] = ..., first_open_time_ns: _Optional[int] = ..., last_open_time_ns: _Optional[int] = ..., sessions_expected: _Optional[int] = ..., sessions_held: _Optional[int] = ..., counts: _Optional[_Iterable[_Union[FindingCount, _Mapping]]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., months: _Optional[_Iterable[_Union[MonthCoverage, _Mapping]]] = ..., quarantined_bars: _Optional[int] = ..., etag: _Optional[str] = ...) -> None: ...

class RepairProposal(_message.Message):
    __slots__ = ("proposal_id", "kind", "what", "why", "rows", "before", "after", "split", "dividend_before", "dividend_after")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_AFTER_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    kind: RepairKind
    what: str
    why: str
    rows: int
    before: _containers.RepeatedCompositeFieldContainer[_bar_pb2.Bar]
    after: _containers.RepeatedCompositeFieldContainer[_bar_pb2.Bar]
    split: _instrument_pb2.Split
    dividend_before: _instrument_pb2.Dividend
    dividend_after: _instrument_pb2.Dividend
    def __init__(self, proposal_id: _Optional[str] = ..., kind: _Optional[_Union[RepairKind, str]] = ..., what: _Optional[str] = ..., why: _Optional[str] = ..., rows: _Optional[int] = ..., before: _Optional[_Iterable[_Union[_bar_pb2.Bar, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[_bar_pb2.Bar, _Mapping]]] = ..., split: _Optional[_Union[_instrument_pb2.Split, _Mapping]] = ..., dividend_before: _Optional[_Union[_instrument_pb2.Dividend, _Mapping]] = ..., dividend_after: _Optional[_Union[_instrument_pb2.Dividend, _Mapping]] = ...) -> None: ...

class Repair(_message.Message):
    __slots__ = ("repair_id", "instrument_id", "interval", "kinds", "actions", "rows", "user_id", "record_time", "revert_time", "revert_user_id")
    REPAIR_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    REVERT_TIME_FIELD_NUMBER: _ClassVar[int]
    REVERT_USER_ID_FIELD_NUMBER: _ClassVar[int]
    repair_id: str
    instrument_id: str
    interval: _bar_pb2.BarInterval
    kinds: _containers.RepeatedScalarFieldContainer[RepairKind]
    actions: _containers.RepeatedScalarFieldContainer[str]
    rows: int
    user_id: str
    record_time: _timestamp_pb2.Timestamp
    revert_time: _timestamp_pb2.Timestamp
    revert_user_id: str
    def __init__(self, repair_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., kinds: _Optional[_Iterable[_Union[RepairKind, str]]] = ..., actions: _Optional[_Iterable[str]] = ..., rows: _Optional[int] = ..., user_id: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revert_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revert_user_id: _Optional[str] = ...) -> None: ...
