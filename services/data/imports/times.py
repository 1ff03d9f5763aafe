"""Times as files write them, to nanoseconds since the epoch, UTC.

A file writes them in one way, that of its first row: a mixture is refused, since it is mostly two files in
one. Finer than a microsecond is cut off.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from services.data.domain.bars import Ints
from services.data.imports.errors import cell_error, time_error

_A_TIME: Final = "a time: write 2024-01-31, 2024-01-31 16:00 or 2024-01-31T16:00:00Z"
_DAY, _CLOCK = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}"
_OFFSET: Final = r"[+-]\d{2}:?\d{2}"


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: re.Pattern[str]
    layout: str
    """For polars; empty for numbers."""
    is_date: bool = False
    has_offset: bool = False
    unit_ns: int = 0


def _forms() -> tuple[_Form, ...]:
    forms = [
        _Form(re.compile(r"\d{9,10}"), "", unit_ns=10**9),
        _Form(re.compile(r"\d{12,13}"), "", unit_ns=10**6),
        _Form(re.compile(_DAY), "%Y-%m-%d", is_date=True),
        _Form(re.compile(r"\d{8}"), "%Y%m%d", is_date=True),
    ]
    for seconds, layout in (("", "%H:%M"), (r":\d{2}", "%H:%M:%S"), (r":\d{2}\.\d{1,9}", "%H:%M:%S%.f")):
        for between in (" ", "T"):
            local = f"{_DAY}{between}{_CLOCK}{seconds}"
            forms.append(_Form(re.compile(local), f"%Y-%m-%d{between}{layout}"))
            forms.append(_Form(re.compile(local + _OFFSET), f"%Y-%m-%d{between}{layout}%z", has_offset=True))
    return tuple(forms)


_FORMS: Final = _forms()


@dataclass(frozen=True, slots=True)
class Times:
    """When rows are; for plain dates their start in the time zone, or in UTC."""

    ns: Ints
    dates: NDArray[np.datetime64] | None
    """datetime64[D] when the file has plain dates."""


class TimeReader:
    """Reads the column of times of one file."""

    def __init__(self, time_zone: str, *, daily: bool) -> None:
        """``time_zone`` is an IANA name or empty; ``daily``: dates without one are fine."""
        if time_zone:
            ZoneInfo(time_zone)
        self._zone = time_zone
        self._daily = daily
        self._form: _Form | None = None

    def read(self, cells: pl.Series, lines: Ints, column: str) -> Times:
        """The times of cells without spaces around.

        Raises:
            ApiError: FILE_CELL_INVALID, FILE_TIME_AMBIGUOUS.
        """
        if cells.str.ends_with("Z").any():
            cells = cells.str.replace("Z$", "+00:00")
        form = self._form or _form_of(cells[0])
        if form is None:
            raise cell_error(int(lines[0]), column, cells[0], _A_TIME)
        self._form = form
        if form.unit_ns:
            return Times(self._numbers(cells, lines, column, form), None)
        if form.is_date:
            days = cells.str.to_date(form.layout, strict=False)
            moments = days.cast(pl.Datetime("us"))
        else:
            moments = cells.str.to_datetime(form.layout, strict=False, time_unit="us")
        self._check(moments, cells, lines, column, form)
        if not form.has_offset:
            moments = self._in_zone(moments, cells, lines, column, form)
        ns = moments.dt.epoch("us").to_numpy() * 1000
        dates = days.to_numpy().astype("datetime64[D]") if form.is_date else None
        return Times(ns, dates)

    def read_typed(self, moments: pl.Series, lines: Ints, column: str) -> Times:
        """Times that are dates or datetimes already, of whatever unit and time zone; none is null.

        Datetimes without a zone at midnight are dates where bars are daily.

        Raises:
            ApiError: FILE_CELL_INVALID, FILE_TIME_AMBIGUOUS.
        """
        form = _Form(re.compile(""), "", is_date=moments.dtype == pl.Date)
        zoned = isinstance(moments.dtype, pl.Datetime) and moments.dtype.time_zone is not None
        if not zoned and self._daily and not form.is_date and (moments.dt.time() == dt.time()).all():
            form, moments = _Form(form.pattern, "", is_date=True), moments.dt.date()
        cells = moments.cast(pl.String)
        days = moments if form.is_date else None
        if zoned:
            moments = moments.dt.convert_time_zone("UTC")
        moments = moments.cast(pl.Datetime("us", "UTC" if zoned else None))
        self._check(moments, cells, lines, column, form)
        if not zoned:
            moments = self._in_zone(moments, cells, lines, column, form)
        dates = None if days is None else days.to_numpy().astype("datetime64[D]")
        return Times(moments.dt.epoch("us").to_numpy() * 1000, dates)

    def _numbers(self, cells: pl.Series, lines: Ints, column: str, form: _Form) -> Ints:
        values = cells.cast(pl.Int64, strict=False)
        self._check(values, cells, lines, column, form)
        digits = cells.str.len_bytes()
        lengths = (9, 10) if form.unit_ns == 10**9 else (12, 13)
        other = ~digits.is_between(*lengths)
        if other.any():
            at = int(other.arg_max() or 0)
            raise _not_as_before(cells[at], int(lines[at]), column)
        found: Ints = values.to_numpy() * form.unit_ns
        return found

    def _check(self, values: pl.Series, cells: pl.Series, lines: Ints, column: str, form: _Form) -> None:
        wrong = values.is_null()
        if values.dtype.is_temporal():
            wrong = wrong | ~values.dt.year().is_between(1800, 2200)
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            other = _form_of(cells[at])
            if other is not None and other is not form:
                raise _not_as_before(cells[at], int(lines[at]), column)
            raise cell_error(int(lines[at]), column, cells[at], _A_TIME)

    def _in_zone(
        self, moments: pl.Series, cells: pl.Series, lines: Ints, column: str, form: _Form
    ) -> pl.Series:
        if not self._zone:
            if form.is_date and self._daily:
                return moments
            raise time_error(int(lines[0]), column, cells[0], "has no time zone: name it in time_zone")
        found = moments.dt.replace_time_zone(self._zone, ambiguous="null", non_existent="null")
        if found.null_count():
            at = int(found.is_null().arg_max() or 0)
            earliest = moments[at : at + 1].dt.replace_time_zone(
                self._zone, ambiguous="earliest", non_existent="null"
            )
            happened = "never was" if earliest.null_count() else "was twice"
            why = f"{happened} in {self._zone}, where clocks changed; write it with an offset"
            raise time_error(int(lines[at]), column, cells[at], why)
        return found


def _form_of(text: str) -> _Form | None:
    return next((form for form in _FORMS if form.pattern.fullmatch(text)), None)


def _not_as_before(value: str, line: int, column: str) -> Exception:
    return time_error(line, column, value, "is written in another way than the times before")
