"""What an indicator is: its inputs, parameters and outputs, how far back it reaches, and its formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from services.data.domain.bars import Bars, Doubles

Settings: TypeAlias = Mapping[str, int | float | str]
"""A value for each parameter: a choice by its name."""

_SETTLED_AFTER: Final = 10_000
_SETTLED_WINDOWS: Final = 40


class PriceSource(IntEnum):
    """What of a bar goes into an input, numbered as in the contract."""

    OPEN = 1
    HIGH = 2
    LOW = 3
    CLOSE = 4
    VOLUME = 5
    MEDIAN = 6
    TYPICAL = 7
    WEIGHTED_CLOSE = 8
    AVERAGE = 9


class Memory(IntEnum):
    """How far back a value reaches, numbered as in the contract."""

    WINDOW = 1
    FADING = 2
    CUMULATIVE = 3


@dataclass(frozen=True, slots=True)
class Input:
    """A series the indicator reads."""

    default: PriceSource
    selectable: bool


@dataclass(frozen=True, slots=True)
class IntegerParameter:
    """A whole number."""

    name: str
    description: str
    default: int
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class RealParameter:
    """A number."""

    name: str
    description: str
    default: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class ChoiceParameter:
    """One of some names."""

    name: str
    description: str
    default: str
    names: tuple[str, ...]


Parameter: TypeAlias = IntegerParameter | RealParameter | ChoiceParameter


def _none(_settings: Settings) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Indicator:
    """An entry of the catalogue."""

    name: str
    group: str
    description: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    source: str
    memory: Memory
    lookback: Callable[[Settings], int]
    """Bars before the first that has a value."""
    formula: Callable[[Sequence[Doubles], Settings], Sequence[Doubles]]
    """From a series an input, each of n > lookback bars, to one of n an output: NaN where there is none."""
    can_repaint: bool = False
    lookahead: Callable[[Settings], int] = _none
    """Bars after its own that a value depends on: 0 but for repainting forms."""

    def bars_before(self, settings: Settings) -> int | None:
        """How many bars before one it needs for the value there to be the same however many more there are.

        None: all.
        """
        lookback = self.lookback(settings)
        if self.memory is Memory.WINDOW:
            return lookback
        if self.memory is Memory.FADING:
            return _SETTLED_AFTER + _SETTLED_WINDOWS * lookback
        return None

    def defaults(self) -> dict[str, int | float | str]:
        """The settings when nothing is set."""
        return {parameter.name: parameter.default for parameter in self.parameters}


def price_series(bars: Bars, source: PriceSource) -> Doubles:
    """The series of ``source``, shape (n,)."""
    match source:
        case PriceSource.MEDIAN:
            return (bars.high + bars.low) / 2
        case PriceSource.TYPICAL:
            return (bars.high + bars.low + bars.close) / 3
        case PriceSource.WEIGHTED_CLOSE:
            return (bars.high + bars.low + 2 * bars.close) / 4
        case PriceSource.AVERAGE:
            return (bars.open + bars.high + bars.low + bars.close) / 4
        case _:
            column: Doubles = getattr(bars, source.name.lower())
            return column
