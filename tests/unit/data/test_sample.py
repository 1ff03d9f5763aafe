"""The sample is what it is said to be."""

from enum import IntEnum

import numpy as np
import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from bifrost.data.v1 import bar_pb2, ingestion_pb2, instrument_pb2
from bifrost.type.v1 import job_pb2
from services.data.calendars.source import build_session_table
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import SymbolError
from services.data.domain.instrument import AssetClass, InstrumentStatus
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.placing import bar_opens
from services.data.sources.preparation import ChunkPreparer
from services.data.sources.sample.source import SampleSource
from services.data.sources.source import FetchRequest, SymbolUnknownError
from services.runtime.jobs.job import JobState

NOW_NS = 1_700_000_000 * 10**9
ROWS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


class _Free:
    def take(self) -> None:
        return


def request(symbol: str) -> FetchRequest:
    return FetchRequest(symbol, BarInterval.DAY, None, None, NOW_NS, _Free())


@pytest.fixture(scope="module")
def source() -> SampleSource:
    return SampleSource()


@pytest.fixture(scope="module")
def calendar() -> MarketCalendar:
    return MarketCalendar(build_session_table("XNYS", 2014), "America/New_York")


@pytest.mark.parametrize("symbol", ROWS)
def test_no_row_is_refused(source: SampleSource, calendar: MarketCalendar, symbol: str) -> None:
    preparer = ChunkPreparer(BarInterval.DAY, calendar, now_ns=NOW_NS, settle_ns=0, until_ns=None)
    good = [len(preparer.take(chunk).checked.good) for chunk in source.fetch(request(symbol))]
    rest = preparer.finish()
    assert rest is not None
    assert sum(good) + len(rest.checked.good) == ROWS[symbol]
    assert not preparer.findings.quarantined


def test_symbols_are_sorted_and_others_unknown(source: SampleSource) -> None:
    assert source.symbols() == sorted(ROWS)
    with pytest.raises(SymbolUnknownError, match="not TSLA"):
        list(source.fetch(request("TSLA")))


def test_opens_follow_daylight_saving_and_holidays(calendar: MarketCalendar) -> None:
    days = ["2001-09-10", "2001-09-12", "2012-01-01", "2012-01-03", "2012-07-03", "1900-01-01", "2999-01-01"]
    dates = np.array(days, dtype="datetime64[D]")
    opens, in_session = bar_opens(calendar, BarInterval.DAY, np.zeros(7, dtype=np.int64), dates)
    as_text = [str(np.datetime64(int(ns), "ns").astype("datetime64[m]")) for ns in opens[in_session]]
    assert as_text == ["2001-09-10T13:30", "2012-01-03T14:30", "2012-07-03T13:30"]


@pytest.mark.parametrize(
    ("ours", "contract", "prefix"),
    [
        (AssetClass, instrument_pb2.AssetClass, "ASSET_CLASS_"),
        (InstrumentStatus, instrument_pb2.InstrumentStatus, "INSTRUMENT_STATUS_"),
        (SymbolError, ingestion_pb2.SymbolError, "SYMBOL_ERROR_"),
        (JobState, job_pb2.JobState, "JOB_STATE_"),
        (BarInterval, bar_pb2.BarInterval, "BAR_INTERVAL_"),
        (Adjustment, bar_pb2.Adjustment, "ADJUSTMENT_"),
    ],
)
def test_enums_are_numbered_as_in_the_contract(
    ours: type[IntEnum], contract: EnumTypeWrapper, prefix: str
) -> None:
    unspecified = {f"{prefix}UNSPECIFIED": 0}
    assert {f"{prefix}{one.name}": one.value for one in ours} | unspecified == dict(contract.items())
