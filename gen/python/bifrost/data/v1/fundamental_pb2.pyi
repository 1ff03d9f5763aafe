import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FactPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACT_PERIOD_UNSPECIFIED: _ClassVar[FactPeriod]
    FACT_PERIOD_INSTANT: _ClassVar[FactPeriod]
    FACT_PERIOD_QUARTER: _ClassVar[FactPeriod]
    FACT_PERIOD_YEAR: _ClassVar[FactPeriod]
    FACT_PERIOD_TRAILING_YEAR: _ClassVar[FactPeriod]

class ReportTime(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_TIME_UNSPECIFIED: _ClassVar[ReportTime]
    REPORT_TIME_BEFORE_OPEN: _ClassVar[ReportTime]
    REPORT_TIME_DURING_SESSION: _ClassVar[ReportTime]
    REPORT_TIME_AFTER_CLOSE: _ClassVar[ReportTime]
FACT_PERIOD_UNSPECIFIED: FactPeriod
FACT_PERIOD_INSTANT: FactPeriod
FACT_PERIOD_QUARTER: FactPeriod
FACT_PERIOD_YEAR: FactPeriod
FACT_PERIOD_TRAILING_YEAR: FactPeriod
REPORT_TIME_UNSPECIFIED: ReportTime
REPORT_TIME_BEFORE_OPEN: ReportTime
REPORT_TIME_DURING_SESSION: ReportTime
REPORT_TIME_AFTER_CLOSE: ReportTime

class Fact(_message.Message):
    __slots__ = ("instrument_id", "name", "period", "period_end", "number", "text", "currency", "publish_time", "record_time", "source", "ingestion_id", "fetch_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    INGESTION_ID_FIELD_NUMBER: _ClassVar[int]
    FETCH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    name: str
    period: FactPeriod
    period_end: str
    number: str
    text: str
    currency: str
    publish_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    source: str
    ingestion_id: str
    fetch_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., name: _Optional[str] = ..., period: _Optional[_Union[FactPeriod, str]] = ..., period_end: _Optional[str] = ..., number: _Optional[str] = ..., text: _Optional[str] = ..., currency: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., ingestion_id: _Optional[str] = ..., fetch_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FactSpec(_message.Message):
    __slots__ = ("name", "period", "period_end", "number", "text", "currency", "publish_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    period: FactPeriod
    period_end: str
    number: str
    text: str
    currency: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., period: _Optional[_Union[FactPeriod, str]] = ..., period_end: _Optional[str] = ..., number: _Optional[str] = ..., text: _Optional[str] = ..., currency: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("instrument_id", "long_name", "sector", "industry", "country", "website", "employees", "description", "publish_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LONG_NAME_FIELD_NUMBER: _ClassVar[int]
    SECTOR_FIELD_NUMBER: _ClassVar[int]
    INDUSTRY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_FIELD_NUMBER: _ClassVar[int]
    EMPLOYEES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    long_name: str
    sector: str
    industry: str
    country: str
    website: str
    employees: str
    description: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., long_name: _Optional[str] = ..., sector: _Optional[str] = ..., industry: _Optional[str] = ..., country: _Optional[str] = ..., website: _Optional[str] = ..., employees: _Optional[str] = ..., description: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Valuation(_message.Message):
    __slots__ = ("instrument_id", "market_cap", "enterprise_value", "currency", "beta", "pe_ratio", "forward_pe_ratio", "peg_ratio", "pb_ratio", "ps_ratio", "ev_to_ebitda", "shares_outstanding", "publish_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    MARKET_CAP_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_VALUE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    PE_RATIO_FIELD_NUMBER: _ClassVar[int]
    FORWARD_PE_RATIO_FIELD_NUMBER: _ClassVar[int]
    PEG_RATIO_FIELD_NUMBER: _ClassVar[int]
    PB_RATIO_FIELD_NUMBER: _ClassVar[int]
    PS_RATIO_FIELD_NUMBER: _ClassVar[int]
    EV_TO_EBITDA_FIELD_NUMBER: _ClassVar[int]
    SHARES_OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    market_cap: str
    enterprise_value: str
    currency: str
    beta: str
    pe_ratio: str
    forward_pe_ratio: str
    peg_ratio: str
    pb_ratio: str
    ps_ratio: str
    ev_to_ebitda: str
    shares_outstanding: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., market_cap: _Optional[str] = ..., enterprise_value: _Optional[str] = ..., currency: _Optional[str] = ..., beta: _Optional[str] = ..., pe_ratio: _Optional[str] = ..., forward_pe_ratio: _Optional[str] = ..., peg_ratio: _Optional[str] = ..., pb_ratio: _Optional[str] = ..., ps_ratio: _Optional[str] = ..., ev_to_ebitda: _Optional[str] = ..., shares_outstanding: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GovernanceRisk(_message.Message):
    __slots__ = ("instrument_id", "audit_risk", "board_risk", "compensation_risk", "shareholder_rights_risk", "overall_risk", "effective_date", "publish_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIT_RISK_FIELD_NUMBER: _ClassVar[int]
    BOARD_RISK_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_RISK_FIELD_NUMBER: _ClassVar[int]
    SHAREHOLDER_RIGHTS_RISK_FIELD_NUMBER: _ClassVar[int]
    OVERALL_RISK_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    audit_risk: str
    board_risk: str
    compensation_risk: str
    shareholder_rights_risk: str
    overall_risk: str
    effective_date: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., audit_risk: _Optional[str] = ..., board_risk: _Optional[str] = ..., compensation_risk: _Optional[str] = ..., shareholder_rights_risk: _Optional[str] = ..., overall_risk: _Optional[str] = ..., effective_date: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DividendFacts(_message.Message):
    __slots__ = ("instrument_id", "dividend_yield", "payout_ratio", "dividend_rate", "currency", "ex_dividend_date", "dividend_frequency", "publish_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_YIELD_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_RATIO_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_RATE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EX_DIVIDEND_DATE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    dividend_yield: str
    payout_ratio: str
    dividend_rate: str
    currency: str
    ex_dividend_date: str
    dividend_frequency: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., dividend_yield: _Optional[str] = ..., payout_ratio: _Optional[str] = ..., dividend_rate: _Optional[str] = ..., currency: _Optional[str] = ..., ex_dividend_date: _Optional[str] = ..., dividend_frequency: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Earnings(_message.Message):
    __slots__ = ("instrument_id", "period", "period_end", "report_date", "report_time", "eps_estimate", "eps_actual", "currency", "surprise", "publish_time")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_FIELD_NUMBER: _ClassVar[int]
    REPORT_DATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    EPS_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    EPS_ACTUAL_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    SURPRISE_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    period: FactPeriod
    period_end: str
    report_date: str
    report_time: ReportTime
    eps_estimate: str
    eps_actual: str
    currency: str
    surprise: float
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument_id: _Optional[str] = ..., period: _Optional[_Union[FactPeriod, str]] = ..., period_end: _Optional[str] = ..., report_date: _Optional[str] = ..., report_time: _Optional[_Union[ReportTime, str]] = ..., eps_estimate: _Optional[str] = ..., eps_actual: _Optional[str] = ..., currency: _Optional[str] = ..., surprise: _Optional[float] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
