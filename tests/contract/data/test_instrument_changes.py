"""Changing instruments and their symbols over a socket and a real database, each bad input included."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2, instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from services.data.domain.instrument_index import InstrumentIndex
from services.data.instruments.instrument_store import InstrumentStore
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed
from tests.contract.data.instrument_calls import (
    BAD,
    TICKS,
    change,
    create,
    get,
    make,
    on,
    refused,
    spec,
    update,
)


def former(*periods: tuple[str, str, str]) -> list[instrument_pb2.SymbolPeriod]:
    return [
        instrument_pb2.SymbolPeriod(symbol=symbol, mic="XNYS", from_date=begin, to_date=end)
        for symbol, begin, end in periods
    ]


@pytest.mark.parametrize(
    "periods",
    [
        (("OLD", "2010-01-04", "2015-01-02"), ("OLDER", "2014-01-02", "2016-01-04")),
        (("OLD", "2010-01-04", "2015-01-02"), ("OLDER", "2015-02-02", "2016-01-04")),
        (("OLD", "2011-01-04", "2015-01-02"),),
        (("OLD", "2010-01-04", "2010-01-04"),),
        (("OLD", "2010-01-04", ""),),
        (("AAPL", "2010-01-04", "2015-01-02"), ("PER", "2015-01-02", "2016-01-04")),
    ],
)
async def test_periods_that_overlap_or_leave_gaps(
    data: RunningData, periods: tuple[tuple[str, str, str], ...]
) -> None:
    what = spec("PER", former_symbols=former(*periods))
    assert (await refused(create(data, what)))[1] == "SYMBOL_PERIOD_INVALID"


async def test_of_what_is_held_only_what_changed_is_read_again(
    data: RunningData, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_store: InstrumentStore) -> InstrumentIndex:
        raise AssertionError("all instruments were read")

    monkeypatch.setattr(InstrumentStore, "read_index", refuse)
    alone = await make(data, spec("ALONE", isin="US5949181045"))
    changed = await change(data, alone, "LONE", "2022-06-09")
    assert await get(data, listed("LONE")) == changed
    assert await get(data, on("ALONE", "2022-06-08")) == changed
    await data.ingest(symbols=["IBM"])
    assert (await get(data, listed("IBM"))).symbol == "IBM"


async def test_a_changed_symbol_is_found_by_date_and_may_go_to_another(data: RunningData) -> None:
    face = await make(data, spec("FACE", listing_date="2012-05-18", name="Face"))
    meta = await change(data, face, "MTA", "2022-06-09")
    assert (meta.instrument_id, meta.symbol, meta.etag) == (face.instrument_id, "MTA", "2")
    failure = await failure_of(get(data, listed("FACE")))
    assert (failure.reason, failure.metadata["now"]) == ("INSTRUMENT_NOT_FOUND", "MTA")
    assert await get(data, on("FACE", "2022-06-08")) == meta
    assert (await refused(get(data, on("FACE", "2022-06-09"))))[1] == "INSTRUMENT_NOT_FOUND"
    assert (await refused(get(data, on("MTA", "2022-06-08"))))[1] == "INSTRUMENT_NOT_FOUND"
    assert (await refused(get(data, on("FACE", "2022-02-30"))))[1] == "FIELD_INVALID"
    # The symbol is free from then on, not before.
    early = spec("FACE", listing_date="2022-01-03", name="Another")
    assert (await refused(create(data, early)))[1] == "INSTRUMENT_EXISTS"
    other = await make(data, spec("FACE", listing_date="2023-01-03", name="Another"))
    assert await get(data, listed("FACE")) == other
    assert await get(data, on("FACE", "2020-01-02")) == meta
    assert await get(data, on("FACE", "2023-01-03", "XNYS")) == other
    request = pb.ListSymbolChangesRequest(instrument=by_id(meta.instrument_id))
    periods = (await data.instruments.ListSymbolChanges(request, metadata=data.headers)).periods
    assert [(one.symbol, one.from_date, one.to_date) for one in periods] == [
        ("FACE", "2012-05-18", "2022-06-09"),
        ("MTA", "2022-06-09", ""),
    ]
    found = await data.instruments.SearchInstruments(
        pb.SearchInstrumentsRequest(query="face"), metadata=data.headers
    )
    reasons = {one.instrument.symbol: one.reason for one in found.matches}
    assert reasons["FACE"] == pb.MATCH_REASON_SYMBOL_EXACT
    assert reasons["MTA"] == pb.MATCH_REASON_FORMER_SYMBOL
    bars = bar_service_pb2.ListBarsRequest(
        instrument=on("FACE", "2020-01-02"), interval=bar_pb2.BAR_INTERVAL_DAY
    )
    # It is resolved: what is missing are bars.
    assert (await refused(data.bars.ListBars(bars, metadata=data.headers)))[1] == "BARS_NOT_FOUND"


async def test_symbols_that_cannot_change(data: RunningData) -> None:
    held = await make(data, spec("CHG", listing_date="2012-05-18"))
    exists = grpc.StatusCode.ALREADY_EXISTS
    for symbol, effective, reason in (
        ("CHG", "2020-01-02", "SYMBOL_PERIOD_INVALID"),
        ("NEW", "2010-01-01", "SYMBOL_PERIOD_INVALID"),
        ("NEW", "2012-05-18", "SYMBOL_PERIOD_INVALID"),
        ("NEW", "2999-01-01", "SYMBOL_PERIOD_INVALID"),
        ("NEW", "2020-02-30", "FIELD_INVALID"),
        ("IBM", "2020-01-02", "INSTRUMENT_EXISTS"),
    ):
        code, found, _ = await refused(change(data, held, symbol, effective))
        assert (code, found) == (exists if symbol == "IBM" else BAD, reason)
    stale = await failure_of(change(data, held, "NEW", "2020-01-02", etag="7"))
    assert (stale.code, stale.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert stale.metadata["etag"] == held.etag
    nobody = instrument_pb2.Instrument(instrument_id=str(uuid.uuid4()), etag="1")
    assert (await refused(change(data, nobody, "NEW", "2020-01-02")))[1] == "INSTRUMENT_NOT_FOUND"
    moved = await change(data, held, "CHG", "2020-01-02", mic="XNAS")
    assert (moved.mic, moved.instrument_id) == ("XNAS", held.instrument_id)


async def test_update_changes_what_the_mask_names(data: RunningData) -> None:
    held = await make(data, spec("UPD", name="Before"))
    changed = await update(data, held, name="After", lot_size="5")
    assert (changed.name, changed.lot_size, changed.etag) == ("After", "5", "2")
    banded = await update(data, changed, tick_bands=TICKS)
    assert (banded.tick_size, list(banded.tick_bands)) == ("0.01", TICKS)
    plain = await update(data, banded, tick_size="0.5")
    assert (plain.tick_size, list(plain.tick_bands)) == ("0.5", [])
    status = instrument_pb2.INSTRUMENT_STATUS_DELISTED
    gone = await update(data, plain, status=status, delisting_date="2020-05-04")
    assert (gone.status, gone.delisting_date) == (status, "2020-05-04")
    assert await get(data, listed("UPD")) == gone
    # Its symbol may go to another; it may not come back then.
    other = await make(data, spec("UPD", listing_date="2021-01-04"))
    assert await get(data, listed("UPD")) == other
    active: dict[str, Any] = {"status": instrument_pb2.INSTRUMENT_STATUS_ACTIVE, "delisting_date": ""}
    assert (await refused(update(data, gone, **active)))[1] == "INSTRUMENT_EXISTS"


@pytest.mark.parametrize(
    ("values", "paths", "reason"),
    [
        ({"name": ""}, (), "FIELD_INVALID"),
        ({"isin": "US0378331006"}, (), "IDENTIFIER_INVALID"),
        ({"tick_size": "0"}, (), "FIELD_INVALID"),
        ({"tick_size": ""}, ("tick_size",), "FIELD_INVALID"),
        ({}, ("tick_bands",), "TICK_TABLE_INVALID"),
        ({"tick_bands": TICKS[::-1]}, (), "TICK_TABLE_INVALID"),
        ({"tick_bands": TICKS}, ("tick_bands", "tick_size"), "FIELD_INVALID"),
        ({"status": instrument_pb2.INSTRUMENT_STATUS_DELISTED}, (), "FIELD_INVALID"),
        ({}, ("status",), "FIELD_INVALID"),
        ({"delisting_date": "1980-01-02"}, (), "FIELD_INVALID"),
        ({"delisting_date": "2021-02-30"}, (), "FIELD_INVALID"),
        ({"name": "x"}, ("currency",), "FIELD_INVALID"),
    ],
)
async def test_updates_that_are_refused(
    data: RunningData, values: dict[str, Any], paths: tuple[str, ...], reason: str
) -> None:
    held = await get(data, listed("MSFT"))
    assert (await refused(update(data, held, *paths, **values)))[1] == reason
    assert await get(data, listed("MSFT")) == held


async def test_a_stale_etag_changes_nothing(data: RunningData) -> None:
    held = await get(data, listed("MSFT"))
    failure = await failure_of(update(data, held, name="x", etag="0"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_what_was_changed_here_is_not_a_sources_to_change(data: RunningData) -> None:
    held = await get(data, listed("GOOG"))
    renamed = await update(data, held, name="Alphabet Inc.")
    await data.ingest(symbols=["GOOG"])
    assert await get(data, listed("GOOG")) == renamed
