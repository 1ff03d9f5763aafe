"""Indicators as they are typed: sma:timeperiod=20,source=volume@week."""

from __future__ import annotations

import re
from typing import Final

from bifrost.data.v1 import bar_pb2, indicator_pb2
from services.cli.console import UsageError

HOW: Final = "name[:parameter=value,…][@interval], as in macd, sma:timeperiod=20 or rsi@week"
_FORM: Final = re.compile(r"(?P<name>\w+)(:(?P<settings>[^@]+))?(@(?P<interval>\w+))?")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SOURCE: Final = "source"


def parse_indicator(text: str) -> indicator_pb2.IndicatorSpec:
    """The spec, labelled with the text itself.

    Raises:
        UsageError: it is not of that form, or names no interval or source there is.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UsageError(f"an indicator is written {HOW}; not {text}")
    interval = form["interval"] or ""
    sources: list[str] = []
    parameters: dict[str, float | str] = {}
    for setting in form["settings"].split(",") if form["settings"] else ():
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not (name and equals and value):
            raise UsageError(f"a parameter is written name=value, not {setting}")
        if name == _SOURCE:
            sources.append(_known(indicator_pb2.PriceSource.keys(), "PRICE_SOURCE_", value, _SOURCE))
        else:
            parameters[name] = float(value) if _NUMBER.fullmatch(value) else value.upper()
    spec = indicator_pb2.IndicatorSpec(
        label=text.strip(),
        name=form["name"].upper(),
        interval=_known(bar_pb2.BarInterval.keys(), "BAR_INTERVAL_", interval, "interval")
        if interval
        else None,
        sources=sources,
    )
    if parameters:
        spec.parameters.update(parameters)
    return spec


def _known(names: list[str], prefix: str, typed: str, what: str) -> str:
    name = prefix + typed.upper()
    if name in names and not name.endswith("UNSPECIFIED"):
        return name
    known = (one.removeprefix(prefix).lower() for one in names if not one.endswith("UNSPECIFIED"))
    raise UsageError(f"there is no {what} {typed}; there are {', '.join(known)}")
