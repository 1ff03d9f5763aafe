import datetime

from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import fundamental_pb2 as _fundamental_pb2
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

class AsOf(_message.Message):
    __slots__ = ("publish_time", "record_time")
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    publish_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    def __init__(self, publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FactSubject(_message.Message):
    __slots__ = ("instrument", "facts")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    facts: _containers.RepeatedCompositeFieldContainer[_fundamental_pb2.FactSpec]
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., facts: _Optional[_Iterable[_Union[_fundamental_pb2.FactSpec, _Mapping]]] = ...) -> None: ...

class RecordFactsRequest(_message.Message):
    __slots__ = ("request_id", "source", "subjects")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    source: str
    subjects: _containers.RepeatedCompositeFieldContainer[FactSubject]
    def __init__(self, request_id: _Optional[str] = ..., source: _Optional[str] = ..., subjects: _Optional[_Iterable[_Union[FactSubject, _Mapping]]] = ...) -> None: ...

class RecordFactsResponse(_message.Message):
    __slots__ = ("recorded", "unchanged", "record_time", "duplicate")
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    recorded: int
    unchanged: int
    record_time: _timestamp_pb2.Timestamp
    duplicate: bool
    def __init__(self, recorded: _Optional[int] = ..., unchanged: _Optional[int] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListFactsRequest(_message.Message):
    __slots__ = ("instrument", "names", "period", "period_end_from", "period_end_to", "as_of", "all_versions", "page_size", "page_token")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FROM_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TO_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    ALL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    names: _containers.RepeatedScalarFieldContainer[str]
    period: _fundamental_pb2.FactPeriod
    period_end_from: str
    period_end_to: str
    as_of: AsOf
    all_versions: bool
    page_size: int
    page_token: str
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., names: _Optional[_Iterable[str]] = ..., period: _Optional[_Union[_fundamental_pb2.FactPeriod, str]] = ..., period_end_from: _Optional[str] = ..., period_end_to: _Optional[str] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ..., all_versions: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFactsResponse(_message.Message):
    __slots__ = ("facts", "next_page_token")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[_fundamental_pb2.Fact]
    next_page_token: str
    def __init__(self, facts: _Optional[_Iterable[_Union[_fundamental_pb2.Fact, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: AsOf
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ...) -> None: ...

class GetProfileResponse(_message.Message):
    __slots__ = ("profile",)
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    profile: _fundamental_pb2.Profile
    def __init__(self, profile: _Optional[_Union[_fundamental_pb2.Profile, _Mapping]] = ...) -> None: ...

class GetValuationRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: AsOf
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ...) -> None: ...

class GetValuationResponse(_message.Message):
    __slots__ = ("valuation",)
    VALUATION_FIELD_NUMBER: _ClassVar[int]
    valuation: _fundamental_pb2.Valuation
    def __init__(self, valuation: _Optional[_Union[_fundamental_pb2.Valuation, _Mapping]] = ...) -> None: ...

class GetGovernanceRiskRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: AsOf
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ...) -> None: ...

class GetGovernanceRiskResponse(_message.Message):
    __slots__ = ("governance_risk",)
    GOVERNANCE_RISK_FIELD_NUMBER: _ClassVar[int]
    governance_risk: _fundamental_pb2.GovernanceRisk
    def __init__(self, governance_risk: _Optional[_Union[_fundamental_pb2.GovernanceRisk, _Mapping]] = ...) -> None: ...

class GetDividendFactsRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: AsOf
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ...) -> None: ...

class GetDividendFactsResponse(_message.Message):
    __slots__ = ("dividend_facts",)
    DIVIDEND_FACTS_FIELD_NUMBER: _ClassVar[int]
    dividend_facts: _fundamental_pb2.DividendFacts
    def __init__(self, dividend_facts: _Optional[_Union[_fundamental_pb2.DividendFacts, _Mapping]] = ...) -> None: ...

class ListEarningsRequest(_message.Message):
    __slots__ = ("instrument", "as_of")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    instrument: _value_pb2.InstrumentRef
    as_of: AsOf
    def __init__(self, instrument: _Optional[_Union[_value_pb2.InstrumentRef, _Mapping]] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ...) -> None: ...

class ListEarningsResponse(_message.Message):
    __slots__ = ("earnings",)
    EARNINGS_FIELD_NUMBER: _ClassVar[int]
    earnings: _containers.RepeatedCompositeFieldContainer[_fundamental_pb2.Earnings]
    def __init__(self, earnings: _Optional[_Iterable[_Union[_fundamental_pb2.Earnings, _Mapping]]] = ...) -> None: ...
