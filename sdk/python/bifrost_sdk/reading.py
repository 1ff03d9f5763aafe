"""The state of a read: what to ask for next, and what has come. It makes no calls itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, history_service_pb2, indicator_pb2, indicator_service_pb2
from bifrost.type.v1.value_pb2 import InstrumentRef, ListedSymbol
from bifrost_sdk.frames import Frame, GrowingColumns
from bifrost_sdk.wire import read_bar_chunk

Moment = str | dt.date | dt.datetime | int
"""ISO 8601 text, a date, a datetime, or nanoseconds since the epoch; without a time zone it is UTC."""
READ_BARS: Final = "/bifrost.data.v1.HistoryService/ReadBars"
STREAM_INDICATORS: Final = "/bifrost.data.v1.IndicatorService/StreamIndicators"
INTERVALS: Final[Mapping[str, str]] = {
    "1s": "SECOND",
    "5s": "FIVE_SECONDS",
    "15s": "FIFTEEN_SECONDS",
    "30s": "THIRTY_SECONDS",
    "1m": "MINUTE",
    "2m": "TWO_MINUTES",
    "5m": "FIVE_MINUTES",
    "10m": "TEN_MINUTES",
    "15m": "FIFTEEN_MINUTES",
    "30m": "THIRTY_MINUTES",
    "1h": "HOUR",
    "2h": "TWO_HOURS",
    "4h": "FOUR_HOURS",
    "1d": "DAY",
    "1w": "WEEK",
    "1mo": "MONTH",
}
_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_NANOS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Range:
    """What of an instrument's history is asked for."""

    interval: str = "1d"
    start: Moment | None = None
    end: Moment | None = None
    adjustment: str = "raw"
    as_of: Moment | None = None
    hours: str = "regular"

    def fields(self) -> dict[str, object]:
        """Of a request; ValueError names what is wrong."""
        if self.interval not in INTERVALS:
            raise ValueError(f"no interval {self.interval!r}; there are {', '.join(INTERVALS)}")
        if self.adjustment not in ("raw", "split", "full"):
            raise ValueError(f"no adjustment {self.adjustment!r}; there are raw, split, full")
        if self.hours not in ("regular", "extended", "all"):
            raise ValueError(f"no hours {self.hours!r}; there are regular, extended, all")
        return {
            "interval": bar_pb2.BarInterval.Value(f"BAR_INTERVAL_{INTERVALS[self.interval]}"),
            "adjustment": bar_pb2.Adjustment.Value(f"ADJUSTMENT_{self.adjustment.upper()}"),
            "start_time": timestamp(self.start),
            "end_time": timestamp(self.end),
            "as_of": timestamp(self.as_of),
            "hours": bar_pb2.TradingHours.Value(f"TRADING_HOURS_{self.hours.upper()}"),
        }


class BarReading:
    """Bars of instruments as they come; one that was cut off begins anew, so that it is of one state."""

    def __init__(self, symbols: str | Sequence[str], asked: Range) -> None:
        self._single = isinstance(symbols, str)
        self._symbols = [symbols] if isinstance(symbols, str) else list(symbols)
        if not self._symbols:
            raise ValueError("name at least one symbol")
        self._asked = asked
        self._columns = GrowingColumns(_COLUMNS)
        self._rows: list[int] = []
        self._first = 0

    def request(self) -> history_service_pb2.ReadBarsRequest:
        """For the instruments that have not come whole."""
        self._first = len(self._rows)
        self._columns.cut(sum(self._rows))
        # ignore: values of a request's fields, which the types of its constructor cannot know.
        return history_service_pb2.ReadBarsRequest(
            instruments=map(instrument_ref, self._symbols[self._first :]),
            **self._asked.fields(),  # type: ignore[arg-type]
        )

    def take(self, message: bytes) -> None:
        """A message; ValueError when it is none, or not the one that follows."""
        chunk = read_bar_chunk(message)
        if self._first + chunk.place != len(self._rows):
            raise ValueError(f"bars of instrument {chunk.place} out of turn")
        times, *values = chunk.columns.values()
        self._columns.append(times, values, len(chunk))
        if chunk.last:
            self._rows.append(len(self._columns) - sum(self._rows))

    def __len__(self) -> int:
        return len(self._columns)

    def frame(self) -> Frame:
        """All bars."""
        return self._columns.frame() if self._single else self._columns.frame(self._symbols, self._rows)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One of the catalogue with its parameters: Indicator("SMA", {"timeperiod": 20})."""

    name: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    label: str = ""
    """Of its column; the name when empty. With several outputs columns are called "label.output"."""
    interval: str = ""
    """Over bars of this longer interval; the request's when empty."""

    def spec(self) -> indicator_pb2.IndicatorSpec:
        """As the service takes it."""
        parameters = struct_pb2.Struct()
        parameters.update(dict(self.parameters))
        interval = f"BAR_INTERVAL_{INTERVALS[self.interval]}" if self.interval else None
        return indicator_pb2.IndicatorSpec(
            label=self.label, name=self.name, parameters=parameters, interval=interval
        )


class IndicatorReading:
    """Indicators as they come; after a cut all begins anew, so that it is of one state."""

    def __init__(self, symbol: str, indicators: Sequence[Indicator | str], asked: Range) -> None:
        self._symbol = symbol
        self._indicators = [Indicator(one) if isinstance(one, str) else one for one in indicators]
        self._asked = asked
        self._columns: GrowingColumns | None = None
        self.ended = False

    def request(self) -> indicator_service_pb2.StreamIndicatorsRequest:
        """For all of it."""
        self._columns = None
        # ignore: as in BarReading.request.
        return indicator_service_pb2.StreamIndicatorsRequest(
            instrument=instrument_ref(self._symbol),
            indicators=[one.spec() for one in self._indicators],
            **self._asked.fields(),  # type: ignore[arg-type]
        )

    def take(self, message: bytes) -> None:
        """A message."""
        part = indicator_service_pb2.StreamIndicatorsResponse.FromString(message)
        outputs = [(one, output) for one in part.indicators for output in one.outputs]
        if self._columns is None:
            names = [
                one.label if len(one.outputs) == 1 else f"{one.label}.{output.name}"
                for one, output in outputs
            ]
            self._columns = GrowingColumns(names)
        columns = [output.values for _, output in outputs]
        self._columns.append(part.open_time_ns, columns, len(part.open_time_ns))

    def frame(self) -> Frame:
        """All rows."""
        return GrowingColumns(()).frame() if self._columns is None else self._columns.frame()


def instrument_ref(symbol: str) -> InstrumentRef:
    """ "AAPL", or "BP@XLON" where a symbol has several listings."""
    name, _, mic = symbol.partition("@")
    return InstrumentRef(listed=ListedSymbol(symbol=name.upper(), mic=mic.upper()))


def timestamp(moment: Moment | None) -> Timestamp | None:
    """The moment as the service takes it; ValueError when the text is none."""
    if moment is None:
        return None
    if isinstance(moment, int):
        return Timestamp(seconds=moment // _NANOS, nanos=moment % _NANOS)
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime(moment.year, moment.month, moment.day, tzinfo=dt.UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
