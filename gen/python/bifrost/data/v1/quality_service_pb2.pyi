import datetime

from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import bar_pb2 as _bar_pb2
from bifrost.data.v1 import quality_pb2 as _quality_pb2
from bifrost.type.v1 import value_pb2 as _value_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckBarsRequest(_message.Message):
    __slots__ = ("instrument", "interval", "start_time", "end_time", "kinds")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    kinds: _containers.RepeatedScalarFieldContainer[_quality_pb2.FindingKind]
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kinds: _Optional[_Iterable[_Union[_quality_pb2.FindingKind, str]]] = ...) -> None: ...

class CheckBarsResponse(_message.Message):
    __slots__ = ("bars", "counts", "findings")
    BARS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    bars: int
    counts: _containers.RepeatedCompositeFieldContainer[_quality_pb2.FindingCount]
    findings: _containers.RepeatedCompositeFieldContainer[_quality_pb2.Finding]
    def __init__(self, bars: _Optional[int] = ..., counts: _Optional[_Iterable[_Union[_quality_pb2.FindingCount, _Mapping]]] = ..., findings: _Optional[_Iterable[_Union[_quality_pb2.Finding, _Mapping]]] = ...) -> None: ...

class GetQualityReportRequest(_message.Message):
    __slots__ = ("instrument", "interval", "include_picture")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PICTURE_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    include_picture: bool
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., include_picture: _Optional[bool] = ...) -> None: ...

class GetQualityReportResponse(_message.Message):
    __slots__ = ("report", "picture", "picture_content_type")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    report: _quality_pb2.QualityReport
    picture: bytes
    picture_content_type: str
    def __init__(self, report: _Optional[_Union[_quality_pb2.QualityReport, _Mapping]] = ..., picture: _Optional[bytes] = ..., picture_content_type: _Optional[str] = ...) -> None: ...

class ProposeRepairsRequest(_message.Message):
    __slots__ = ("instrument", "interval")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ...) -> None: ...

class ProposeRepairsResponse(_message.Message):
    __slots__ = ("proposals", "etag")
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    proposals: _containers.RepeatedCompositeFieldContainer[_quality_pb2.RepairProposal]
    etag: str
    def __init__(self, proposals: _Optional[_Iterable[_Union[_quality_pb2.RepairProposal, _Mapping]]] = ..., etag: _Optional[str] = ...) -> None: ...

class ApplyRepairsRequest(_message.Message):
    __slots__ = ("request_id", "instrument", "interval", "proposal_ids", "etag")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_IDS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument: _value_pb2.InstrumentRef
    interval: _bar_pb2.BarInterval
    proposal_ids: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    def __init__(self, request_id: _Optional[str] = ..., instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., proposal_ids: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ...) -> None: ...

class ApplyRepairsResponse(_message.Message):
    __slots__ = ("repair", "duplicate")
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    repair: _quality_pb2.Repair
    duplicate: bool
    def __init__(self, repair: _Optional[_Union[_quality_pb2.Repair, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class RevertRepairRequest(_message.Message):
    __slots__ = ("request_id", "repair_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REPAIR_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    repair_id: str
    def __init__(self, request_id: _Optional[str] = ..., repair_id: _Optional[str] = ...) -> None: ...

class RevertRepairResponse(_message.Message):
    __slots__ = ("repair", "duplicate")
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    repair: _quality_pb2.Repair
    duplicate: bool
    def __init__(self, repair: _Optional[_Union[_quality_pb2.Repair, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListRepairsRequest(_message.Message):
    __slots__ = ("instrument", "page_size", "page_token")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    page_size: int
    page_token: str
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRepairsResponse(_message.Message):
    __slots__ = ("repairs", "next_page_token")
    REPAIRS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    repairs: _containers.RepeatedCompositeFieldContainer[_quality_pb2.Repair]
    next_page_token: str
    def __init__(self, repairs: _Optional[_Iterable[_Union[_quality_pb2.Repair, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReleaseQuarantinedBarsRequest(_message.Message):
    __slots__ = ("request_id", "instrument", "quarantine_nos", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_NOS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instrument: _value_pb2.InstrumentRef
    quarantine_nos: _containers.RepeatedScalarFieldContainer[int]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., quarantine_nos: _Optional[_Iterable[int]] = ..., reason: _Optional[str] = ...) -> None: ...

class ReleaseQuarantinedBarsResponse(_message.Message):
    __slots__ = ("repair", "duplicate")
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    repair: _quality_pb2.Repair
    duplicate: bool
    def __init__(self, repair: _Optional[_Union[_quality_pb2.Repair, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...
