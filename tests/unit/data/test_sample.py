"""The sample is what it is said to be."""

from enum import IntEnum

import numpy as np
import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from bifrost.data.v1 import bar_pb2, instrument_pb2
from bifrost.type.v1 import job_pb2
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import JobState
from services.data.domain.instrument import AssetClass, InstrumentStatus
from services.data.sources.preparation import prepare
from services.data.sources.sample import SampleSource
from services.data.sources.sessions import NOT_A_SESSION, session_opens_ns
from services.data.sources.source import SymbolUnknownError

ROWS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


@pytest.fixture(scope="module")
def source() -> SampleSource:
    return SampleSource()


@pytest.mark.parametrize("symbol", ROWS)
def test_no_row_is_refused(source: SampleSource, symbol: str) -> None:
    prepared = prepare(source, symbol)
    assert (len(prepared.bars), prepared.refusals, prepared.refusal_message) == (ROWS[symbol], [], "")


def test_symbols_are_sorted_and_others_unknown(source: SampleSource) -> None:
    assert source.symbols() == sorted(ROWS)
    with pytest.raises(SymbolUnknownError, match="not TSLA"):
        source.read("TSLA")


def test_opens_follow_daylight_saving_and_holidays() -> None:
    days = ["2001-09-10", "2001-09-12", "2012-01-01", "2012-01-03", "2012-07-03", "1900-01-01", "2999-01-01"]
    opens = session_opens_ns("XNAS", np.array(days, dtype="datetime64[D]"))
    as_text = [
        "" if ns == NOT_A_SESSION else str(np.datetime64(int(ns), "ns").astype("datetime64[m]"))
        for ns in opens
    ]
    assert as_text == ["2001-09-10T13:30", "", "", "2012-01-03T14:30", "2012-07-03T13:30", "", ""]


@pytest.mark.parametrize(
    ("ours", "contract", "prefix"),
    [
        (AssetClass, instrument_pb2.AssetClass, "ASSET_CLASS_"),
        (InstrumentStatus, instrument_pb2.InstrumentStatus, "INSTRUMENT_STATUS_"),
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
