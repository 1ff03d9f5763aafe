from bifrost.data.v1 import bar_pb2 as _bar_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IndicatorMemory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDICATOR_MEMORY_UNSPECIFIED: _ClassVar[IndicatorMemory]
    INDICATOR_MEMORY_WINDOW: _ClassVar[IndicatorMemory]
    INDICATOR_MEMORY_FADING: _ClassVar[IndicatorMemory]
    INDICATOR_MEMORY_CUMULATIVE: _ClassVar[IndicatorMemory]

class PriceSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRICE_SOURCE_UNSPECIFIED: _ClassVar[PriceSource]
    PRICE_SOURCE_OPEN: _ClassVar[PriceSource]
    PRICE_SOURCE_HIGH: _ClassVar[PriceSource]
    PRICE_SOURCE_LOW: _ClassVar[PriceSource]
    PRICE_SOURCE_CLOSE: _ClassVar[PriceSource]
    PRICE_SOURCE_VOLUME: _ClassVar[PriceSource]
    PRICE_SOURCE_MEDIAN: _ClassVar[PriceSource]
    PRICE_SOURCE_TYPICAL: _ClassVar[PriceSource]
    PRICE_SOURCE_WEIGHTED_CLOSE: _ClassVar[PriceSource]
    PRICE_SOURCE_AVERAGE: _ClassVar[PriceSource]
INDICATOR_MEMORY_UNSPECIFIED: IndicatorMemory
INDICATOR_MEMORY_WINDOW: IndicatorMemory
INDICATOR_MEMORY_FADING: IndicatorMemory
INDICATOR_MEMORY_CUMULATIVE: IndicatorMemory
PRICE_SOURCE_UNSPECIFIED: PriceSource
PRICE_SOURCE_OPEN: PriceSource
PRICE_SOURCE_HIGH: PriceSource
PRICE_SOURCE_LOW: PriceSource
PRICE_SOURCE_CLOSE: PriceSource
PRICE_SOURCE_VOLUME: PriceSource
PRICE_SOURCE_MEDIAN: PriceSource
PRICE_SOURCE_TYPICAL: PriceSource
PRICE_SOURCE_WEIGHTED_CLOSE: PriceSource
PRICE_SOURCE_AVERAGE: PriceSource

class Indicator(_message.Message):
    __slots__ = ("name", "group", "description", "inputs", "parameters", "outputs", "source", "can_repaint", "memory")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAN_REPAINT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    name: str
    group: str
    description: str
    inputs: _containers.RepeatedCompositeFieldContainer[IndicatorInput]
    parameters: _containers.RepeatedCompositeFieldContainer[IndicatorParameter]
    outputs: _containers.RepeatedScalarFieldContainer[str]
    source: str
    can_repaint: bool
    memory: IndicatorMemory
    def __init__(self, name: _Optional[str] = ..., group: _Optional[str] = ..., description: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[IndicatorInput, _Mapping]]] = ..., parameters: _Optional[_Iterable[_Union[IndicatorParameter, _Mapping]]] = ..., outputs: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., can_repaint: _Optional[bool] = ..., memory: _Optional[_Union[IndicatorMemory, str]] = ...) -> None: ...

class IndicatorInput(_message.Message):
    __slots__ = ("default_source", "selectable")
    DEFAULT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    SELECTABLE_FIELD_NUMBER: _ClassVar[int]
    default_source: PriceSource
    selectable: bool
    def __init__(self, default_source: _Optional[_Union[PriceSource, str]] = ..., selectable: _Optional[bool] = ...) -> None: ...

class IndicatorParameter(_message.Message):
    __slots__ = ("name", "description", "integer", "real", "choice")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    REAL_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    integer: IntegerParameter
    real: RealParameter
    choice: ChoiceParameter
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., integer: _Optional[_Union[IntegerParameter, _Mapping]] = ..., real: _Optional[_Union[RealParameter, _Mapping]] = ..., choice: _Optional[_Union[ChoiceParameter, _Mapping]] = ...) -> None: ...

class IntegerParameter(_message.Message):
    __slots__ = ("default_value", "minimum", "maximum")
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    default_value: int
    minimum: int
    maximum: int
    def __init__(self, default_value: _Optional[int] = ..., minimum: _Optional[int] = ..., maximum: _Optional[int] = ...) -> None: ...

class RealParameter(_message.Message):
    __slots__ = ("default_value", "minimum", "maximum")
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    default_value: float
    minimum: float
    maximum: float
    def __init__(self, default_value: _Optional[float] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ...) -> None: ...

class ChoiceParameter(_message.Message):
    __slots__ = ("default_value", "names")
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    default_value: str
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, default_value: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class IndicatorSpec(_message.Message):
    __slots__ = ("label", "name", "parameters", "interval", "sources")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    label: str
    name: str
    parameters: _struct_pb2.Struct
    interval: _bar_pb2.BarInterval
    sources: _containers.RepeatedScalarFieldContainer[PriceSource]
    def __init__(self, label: _Optional[str] = ..., name: _Optional[str] = ..., parameters: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., interval: _Optional[_Union[_bar_pb2.BarInterval, str]] = ..., sources: _Optional[_Iterable[_Union[PriceSource, str]]] = ...) -> None: ...

class IndicatorColumns(_message.Message):
    __slots__ = ("label", "name", "outputs", "repaints")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    REPAINTS_FIELD_NUMBER: _ClassVar[int]
    label: str
    name: str
    outputs: _containers.RepeatedCompositeFieldContainer[IndicatorColumn]
    repaints: bool
    def __init__(self, label: _Optional[str] = ..., name: _Optional[str] = ..., outputs: _Optional[_Iterable[_Union[IndicatorColumn, _Mapping]]] = ..., repaints: _Optional[bool] = ...) -> None: ...

class IndicatorColumn(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...
