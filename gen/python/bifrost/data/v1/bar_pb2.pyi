from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BarInterval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BAR_INTERVAL_UNSPECIFIED: _ClassVar[BarInterval]
    BAR_INTERVAL_DAY: _ClassVar[BarInterval]
    BAR_INTERVAL_MINUTE: _ClassVar[BarInterval]
    BAR_INTERVAL_FIVE_MINUTES: _ClassVar[BarInterval]
    BAR_INTERVAL_FIFTEEN_MINUTES: _ClassVar[BarInterval]
    BAR_INTERVAL_THIRTY_MINUTES: _ClassVar[BarInterval]
    BAR_INTERVAL_HOUR: _ClassVar[BarInterval]
    BAR_INTERVAL_FOUR_HOURS: _ClassVar[BarInterval]
    BAR_INTERVAL_WEEK: _ClassVar[BarInterval]
    BAR_INTERVAL_MONTH: _ClassVar[BarInterval]
    BAR_INTERVAL_SECOND: _ClassVar[BarInterval]
    BAR_INTERVAL_FIVE_SECONDS: _ClassVar[BarInterval]
    BAR_INTERVAL_FIFTEEN_SECONDS: _ClassVar[BarInterval]
    BAR_INTERVAL_THIRTY_SECONDS: _ClassVar[BarInterval]
    BAR_INTERVAL_TWO_MINUTES: _ClassVar[BarInterval]
    BAR_INTERVAL_TEN_MINUTES: _ClassVar[BarInterval]
    BAR_INTERVAL_TWO_HOURS: _ClassVar[BarInterval]

class Adjustment(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADJUSTMENT_UNSPECIFIED: _ClassVar[Adjustment]
    ADJUSTMENT_RAW: _ClassVar[Adjustment]
    ADJUSTMENT_SPLIT: _ClassVar[Adjustment]
    ADJUSTMENT_FULL: _ClassVar[Adjustment]

class TradingHours(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRADING_HOURS_UNSPECIFIED: _ClassVar[TradingHours]
    TRADING_HOURS_REGULAR: _ClassVar[TradingHours]
    TRADING_HOURS_EXTENDED: _ClassVar[TradingHours]
    TRADING_HOURS_ALL: _ClassVar[TradingHours]
BAR_INTERVAL_UNSPECIFIED: BarInterval
BAR_INTERVAL_DAY: BarInterval
BAR_INTERVAL_MINUTE: BarInterval
BAR_INTERVAL_FIVE_MINUTES: BarInterval
BAR_INTERVAL_FIFTEEN_MINUTES: BarInterval
BAR_INTERVAL_THIRTY_MINUTES: BarInterval
BAR_INTERVAL_HOUR: BarInterval
BAR_INTERVAL_FOUR_HOURS: BarInterval
BAR_INTERVAL_WEEK: BarInterval
BAR_INTERVAL_MONTH: BarInterval
BAR_INTERVAL_SECOND: BarInterval
BAR_INTERVAL_FIVE_SECONDS: BarInterval
BAR_INTERVAL_FIFTEEN_SECONDS: BarInterval
BAR_INTERVAL_THIRTY_SECONDS: BarInterval
BAR_INTERVAL_TWO_MINUTES: BarInterval
BAR_INTERVAL_TEN_MINUTES: BarInterval
BAR_INTERVAL_TWO_HOURS: BarInterval
ADJUSTMENT_UNSPECIFIED: Adjustment
ADJUSTMENT_RAW: Adjustment
ADJUSTMENT_SPLIT: Adjustment
ADJUSTMENT_FULL: Adjustment
TRADING_HOURS_UNSPECIFIED: TradingHours
TRADING_HOURS_REGULAR: TradingHours
TRADING_HOURS_EXTENDED: TradingHours
TRADING_HOURS_ALL: TradingHours

class BarColumns(_message.Message):
    __slots__ = ("open_time_ns", "open", "high", "low", "close", "volume")
    OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    open_time_ns: _containers.RepeatedScalarFieldContainer[int]
    open: _containers.RepeatedScalarFieldContainer[float]
    high: _containers.RepeatedScalarFieldContainer[float]
    low: _containers.RepeatedScalarFieldContainer[float]
    close: _containers.RepeatedScalarFieldContainer[float]
    volume: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, open_time_ns: _Optional[_Iterable[int]] = ..., open: _Optional[_Iterable[float]] = ..., high: _Optional[_Iterable[float]] = ..., low: _Optional[_Iterable[float]] = ..., close: _Optional[_Iterable[float]] = ..., volume: _Optional[_Iterable[float]] = ...) -> None: ...

class Bar(_message.Message):
    __slots__ = ("instrument_id", "interval", "open_time_ns", "open", "high", "low", "close", "volume", "closed", "stale", "age_ms")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    interval: BarInterval
    open_time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool
    stale: bool
    age_ms: int
    def __init__(self, instrument_id: _Optional[str] = ..., interval: _Optional[_Union[BarInterval, str]] = ..., open_time_ns: _Optional[int] = ..., open: _Optional[float] = ..., high: _Optional[float] = ..., low: _Optional[float] = ..., close: _Optional[float] = ..., volume: _Optional[float] = ..., closed: _Optional[bool] = ..., stale: _Optional[bool] = ..., age_ms: _Optional[int] = ...) -> None: ...
