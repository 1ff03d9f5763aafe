"""What a request asks for, checked against the catalogue."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.data.domain.bars import BarInterval
from services.data.domain.resampling import divides
from services.data.indicators.catalogue import catalogue, nearest
from services.data.indicators.indicator import (
    ChoiceParameter,
    Indicator,
    IntegerParameter,
    Parameter,
    PriceSource,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One indicator as asked for."""

    label: str
    name: str
    parameters: Mapping[str, object]
    interval: BarInterval | None
    sources: Sequence[PriceSource | None]
    """For the selectable inputs; None for the default."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it cannot be computed: a reason of the contract, and the field."""

    reason: str
    field: str
    message: str
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """An indicator with everything set."""

    label: str
    indicator: Indicator
    settings: Mapping[str, int | float | str]
    sources: tuple[PriceSource, ...]
    """One an input."""
    interval: BarInterval | None
    """Of the longer bars it is computed over; None for the request's."""
    place: str
    """The field it came in, e.g. "indicators[2]"."""

    @property
    def window_field(self) -> str:
        """The field that sets how many bars it needs: its longest period."""
        periods = {
            one.name: self.settings[one.name]
            for one in self.indicator.parameters
            if isinstance(one, IntegerParameter)
        }
        if not periods:
            return f"{self.place}.name"
        return f"{self.place}.parameters.{max(periods, key=lambda name: float(periods[name]))}"


def select(asked: Sequence[Asked], interval: BarInterval) -> tuple[list[Selection], list[Problem]]:
    """The selections over bars of ``interval``, and all that is wrong with what was asked."""
    selections: list[Selection] = []
    problems: list[Problem] = []
    labels: set[str] = set()
    for number, one in enumerate(asked):
        place = f"indicators[{number}]"
        label = one.label or one.name
        if label in labels:
            message = f"{label} is the label of an indicator before it: give each its own"
            problems.append(Problem("INDICATOR_LABEL_REPEATED", f"{place}.label", message))
        labels.add(label)
        indicator = catalogue().get(one.name)
        if indicator is None:
            problems.append(_unknown(one.name, place))
            continue
        found = [
            *_settings_problems(indicator, one.parameters, place),
            *_problems(indicator, one, interval, place),
        ]
        problems += found
        if not found:
            selections.append(_selection(indicator, one, label, place, interval))
    return selections, problems


def _unknown(name: str, place: str) -> Problem:
    near = nearest(name)
    hint = f"; near it: {', '.join(near)}" if near else ""
    message = f"there is no indicator {name}{hint}"
    return Problem("INDICATOR_UNKNOWN", f"{place}.name", message, {"nearest": ",".join(near)})


def _selection(
    indicator: Indicator, asked: Asked, label: str, place: str, interval: BarInterval
) -> Selection:
    settings = indicator.defaults()
    for parameter in indicator.parameters:
        if parameter.name in asked.parameters:
            settings[parameter.name] = _typed(parameter, asked.parameters[parameter.name])
    chosen = iter(asked.sources)
    sources = tuple(
        (next(chosen, None) or one.default) if one.selectable else one.default for one in indicator.inputs
    )
    longer = asked.interval if asked.interval != interval else None
    return Selection(label, indicator, settings, sources, longer, place)


def _typed(parameter: Parameter, value: object) -> int | float | str:
    if isinstance(parameter, ChoiceParameter):
        return str(value)
    number = float(str(value))
    return int(number) if isinstance(parameter, IntegerParameter) else number


def _settings_problems(indicator: Indicator, values: Mapping[str, object], place: str) -> list[Problem]:
    known = {parameter.name: parameter for parameter in indicator.parameters}
    problems = []
    for name, value in values.items():
        where = f"{place}.parameters.{name}"
        if name not in known:
            names = ",".join(known)
            message = f"{indicator.name} has no parameter {name}; it has {names or 'none'}"
            problems.append(Problem("INDICATOR_PARAMETER_UNKNOWN", where, message, {"parameters": names}))
        elif not _fits(known[name], value):
            message = f"{name} is {value!r}, not {_description(known[name])}"
            problems.append(Problem("INDICATOR_PARAMETER_INVALID", where, message))
    return problems


def _fits(parameter: Parameter, value: object) -> bool:
    if isinstance(parameter, ChoiceParameter):
        return value in parameter.names
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if not parameter.minimum <= value <= parameter.maximum:  # NaN is not
        return False
    return not isinstance(parameter, IntegerParameter) or value == int(value)


def _description(parameter: Parameter) -> str:
    if isinstance(parameter, ChoiceParameter):
        return f"one of {', '.join(parameter.names)}"
    kind = "a whole number" if isinstance(parameter, IntegerParameter) else "a number"
    return f"{kind} from {parameter.minimum:g} to {parameter.maximum:g}"


def _problems(indicator: Indicator, asked: Asked, interval: BarInterval, place: str) -> list[Problem]:
    problems = []
    selectable = sum(one.selectable for one in indicator.inputs)
    if len(asked.sources) > selectable:
        message = f"{indicator.name} has {selectable} inputs to choose, not {len(asked.sources)}"
        problems.append(Problem("INDICATOR_SOURCE_INVALID", f"{place}.sources", message))
    longer = asked.interval
    if longer is not None and longer is not interval and not divides(interval, longer):
        message = f"{longer.name} is not made of whole bars of {interval.name}"
        problems.append(Problem("INDICATOR_INTERVAL_INVALID", f"{place}.interval", message))
    return problems
