"""Instruments and facts from a user's own files, as requests."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from bifrost.data.v1 import fundamental_pb2, fundamental_service_pb2, instrument_pb2, instrument_service_pb2
from bifrost.type.v1 import value_pb2
from services.cli.console import UsageError, short_name

_PLAIN = ("symbol", "mic", "name", "currency", "listing_date", "delisting_date")
_STEPS = ("tick_size", "lot_size", "isin", "figi")
_TERMS = ("expiry_date", "strike", "multiplier")
_ENUMS = {"right": instrument_pb2.OptionRight, "style": instrument_pb2.ExerciseStyle}
INSTRUMENT_COLUMNS = (
    *_PLAIN,
    *_STEPS,
    "asset_class",
    "status",
    "underlying",
    "underlying_mic",
    *_TERMS,
    *_ENUMS,
)
FACT_COLUMNS = ("symbol", "mic", "name", "period", "period_end", "value", "currency", "publish_time")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")

Row = Mapping[str, str]
M = TypeVar("M", bound=Message)


def read_instruments(file: Path) -> list[instrument_service_pb2.InstrumentSpec]:
    """The instruments of a CSV file, a row each; UsageError naming what is wrong with the file."""
    rows = _read_csv(file, INSTRUMENT_COLUMNS)
    return [_parsed(_instrument, row, instrument_service_pb2.InstrumentSpec(), line) for line, row in rows]


def read_facts(file: Path) -> list[fundamental_service_pb2.FactSubject]:
    """The facts of a CSV or JSON file, by instrument; UsageError naming what is wrong with the file."""
    rows = _read_json(file) if file.suffix.lower() == ".json" else _read_csv(file, FACT_COLUMNS)
    subjects: dict[tuple[str, str], fundamental_service_pb2.FactSubject] = {}
    for number, row in rows:
        symbol, mic = row.get("symbol", "").upper(), row.get("mic", "").upper()
        ref = value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol, mic=mic))
        subject = subjects.setdefault((symbol, mic), fundamental_service_pb2.FactSubject(instrument=ref))
        subject.facts.append(_parsed(_fact, row, fundamental_pb2.FactSpec(), number))
    return list(subjects.values())


def _instrument(row: Row) -> dict[str, object]:
    spec: dict[str, object] = {name: row[name] for name in (*_PLAIN, *_STEPS) if row.get(name)}
    spec["asset_class"] = _value(instrument_pb2.AssetClass, "asset_class", row.get("asset_class") or "equity")
    if row.get("status"):
        spec["status"] = _value(instrument_pb2.InstrumentStatus, "status", row["status"])
    kind = {"ASSET_CLASS_OPTION": "option", "ASSET_CLASS_FUTURE": "future"}.get(str(spec["asset_class"]))
    if kind is not None:
        terms: dict[str, object] = {name: row[name] for name in _TERMS if row.get(name)}
        terms |= {name: _value(enum, name, row[name]) for name, enum in _ENUMS.items() if row.get(name)}
        if row.get("underlying"):
            listed = {"symbol": row["underlying"].upper(), "mic": row.get("underlying_mic", "")}
            terms["underlying"] = {"listed": listed}
        spec[kind] = terms
    return spec


def _fact(row: Row) -> dict[str, object]:
    value = row.get("value", "")
    fact: dict[str, object] = {
        "name": row.get("name", ""),
        "period": _value(fundamental_pb2.FactPeriod, "period", row.get("period") or "instant"),
        "period_end": row.get("period_end", ""),
        "currency": row.get("currency", ""),
        "number" if _NUMBER.fullmatch(value) else "text": value,
    }
    if row.get("publish_time"):
        fact["publish_time"] = _moment(row["publish_time"])
    return fact


def _value(enum: EnumTypeWrapper, column: str, text: str) -> str:
    """The contract's name of what a cell says; ValueError that lists what it may say."""
    names = {short_name(enum, number): name for name, number in enum.items() if number}
    name = names.get(text.lower())
    if name is None:
        raise ValueError(f"{column} is one of {', '.join(names)}, not {text}")
    return name


def _moment(text: str) -> str:
    """The time in UTC; a day alone is its end, for what was said on it was not known before."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return f"{text}T23:59:59Z"
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"publish_time {text} has no time zone; write it like {text}+00:00")
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _parsed(read: Callable[[Row], dict[str, object]], row: Row, message: M, line: int) -> M:
    try:
        return ParseDict(read(row), message)
    except (ParseError, ValueError) as error:
        raise UsageError(f"row {line}: {error}") from None


def _read_csv(file: Path, columns: Iterable[str]) -> list[tuple[int, Row]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            reader = csv.DictReader(content)
            unknown = sorted(set(reader.fieldnames or ()).difference(columns))
            if unknown or not reader.fieldnames:
                named = f"has columns {', '.join(unknown)}" if unknown else "is empty"
                raise UsageError(f"{file} {named}; there may be {', '.join(columns)}")
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    for line, row in rows:
        if None in row or None in row.values():
            raise UsageError(f"{file}, line {line}: it has another number of cells than the first line")
    return [(line, {name: value.strip() for name, value in row.items()}) for line, row in rows]


def _read_json(file: Path) -> list[tuple[int, Row]]:
    try:
        document: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise UsageError(f"{file} holds no list of objects with {', '.join(FACT_COLUMNS)}")
    rows = [{str(name): str(value) for name, value in row.items() if value is not None} for row in document]
    for place, row in enumerate(rows, 1):
        unknown = sorted(set(row).difference(FACT_COLUMNS))
        if unknown:
            raise UsageError(f"{file}, object {place} has {', '.join(unknown)}")
    return list(enumerate(rows, 1))
