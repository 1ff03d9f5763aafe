"""Making instruments, one and many, over a socket and a real database, each bad input included."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.type.v1 import value_pb2
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed
from tests.contract.data.instrument_calls import (
    BAD,
    TICKS,
    create,
    get,
    imported,
    make,
    option,
    refused,
    spec,
)


async def test_created_once_and_found_every_way(data: RunningData) -> None:
    what = spec("KO", name="Coca-Cola", isin="US1912161007", figi="BBG000BMX289", lot_size="10")
    first = await create(data, what, "ko-1")
    again = await create(data, what, "ko-1")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.instrument == first.instrument
    made = first.instrument
    assert (made.tick_size, made.lot_size, made.etag) == ("0.01", "10", "1")
    isin = value_pb2.ListedIsin(isin="US1912161007")
    for ref in (
        listed("KO"),
        by_id(made.instrument_id),
        value_pb2.InstrumentRef(figi="BBG000BMX289"),
        value_pb2.InstrumentRef(listed_isin=isin),
    ):
        assert await get(data, ref) == made
    assert (await refused(create(data, spec("KOX"), "ko-1")))[1] == "REQUEST_ID_REUSED"
    for query, reason in (("US1912161007", "IDENTIFIER"), ("bbg000bmx289", "IDENTIFIER")):
        request = pb.SearchInstrumentsRequest(query=query)
        matches = (await data.instruments.SearchInstruments(request, metadata=data.headers)).matches
        assert matches[0].instrument == made
        assert pb.MatchReason.Name(matches[0].reason) == f"MATCH_REASON_{reason}"
        assert matches[0].score == 1


async def test_an_isin_listed_twice_needs_a_market(data: RunningData) -> None:
    for mic in ("XNYS", "XLON"):
        await make(data, spec("TWICE", mic=mic, isin="GB0002634946"))
    ref = value_pb2.InstrumentRef(listed_isin=value_pb2.ListedIsin(isin="GB0002634946"))
    assert await refused(get(data, ref)) == (BAD, "SYMBOL_AMBIGUOUS", "instrument.listed_isin.mic")
    ref.listed_isin.mic = "XLON"
    assert (await get(data, ref)).mic == "XLON"
    for unknown in (
        value_pb2.InstrumentRef(figi="BBG000BPH459"),
        value_pb2.InstrumentRef(listed_isin=value_pb2.ListedIsin(isin="US5949181045")),
    ):
        assert (await refused(get(data, unknown)))[1] == "INSTRUMENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("what", "reason", "field"),
    [
        (spec("BAD", isin="US0378331006"), "IDENTIFIER_INVALID", "isin"),
        (spec("BAD", isin="APPLE"), "IDENTIFIER_INVALID", "isin"),
        (spec("BAD", figi="BBG000B9XRY5"), "IDENTIFIER_INVALID", "figi"),
        (spec("BAD", currency="USX"), "CURRENCY_UNKNOWN", "currency"),
        (spec("BAD", tick_size="0"), "FIELD_INVALID", "tick_size"),
        (spec("BAD", lot_size="-1"), "FIELD_INVALID", "lot_size"),
        (spec("BAD", tick_bands=TICKS[::-1]), "TICK_TABLE_INVALID", "tick_bands"),
        (spec("BAD", tick_bands=TICKS, tick_size="0.01"), "TICK_TABLE_INVALID", "tick_size"),
        (spec("BAD", listing_date="2010-02-30"), "FIELD_INVALID", "listing_date"),
        (spec("BAD", delisting_date="2009-01-01"), "FIELD_INVALID", "delisting_date"),
        (spec("BAD", status=instrument_pb2.INSTRUMENT_STATUS_DELISTED), "FIELD_INVALID", "delisting_date"),
        (spec("BAD", asset_class=instrument_pb2.ASSET_CLASS_OPTION), "CONTRACT_TERMS_INVALID", "option"),
        (
            spec("BAD", future=pb.FutureSpec(expiry_date="2024-01-19", multiplier="1")),
            "CONTRACT_TERMS_INVALID",
            "future",
        ),
        (option(strike="-5"), "CONTRACT_TERMS_INVALID", "option.strike"),
        (option(strike="0"), "CONTRACT_TERMS_INVALID", "option.strike"),
        (option(multiplier="0"), "CONTRACT_TERMS_INVALID", "option.multiplier"),
        (option(expiry_date="2009-12-31"), "CONTRACT_TERMS_INVALID", "option.expiry_date"),
        (option(expiry_date="2024-13-01"), "FIELD_INVALID", "option.expiry_date"),
        (option(underlying=listed("NOPE")), "INSTRUMENT_NOT_FOUND", "option.underlying"),
        (spec("AAPL", mic="XNAS"), "INSTRUMENT_EXISTS", "symbol"),
        (spec("NEW", figi="BBG000BMX289"), "INSTRUMENT_EXISTS", "figi"),
    ],
)
async def test_what_cannot_be_made(
    data: RunningData, what: pb.InstrumentSpec, reason: str, field: str
) -> None:
    if what.figi == "BBG000BMX289":
        await make(data, spec("FIGI", figi="BBG000BMX289")) if not await has_figi(data) else None
    code, found, where = await refused(create(data, what))
    assert (found, where) == (reason, f"instrument.{field}")
    expected = {
        "INSTRUMENT_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "INSTRUMENT_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    }
    assert code is expected.get(reason, BAD)


async def has_figi(data: RunningData) -> bool:
    try:
        await get(data, value_pb2.InstrumentRef(figi="BBG000BMX289"))
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_a_batch_is_all_or_nothing(data: RunningData) -> None:
    good = [spec("ROW"), option("ROW.C", underlying=listed("ROW", "XNYS"))]
    bad = spec("ROWX", isin="US0378331006", currency="USX")
    failure = await failure_of(imported(data, *good, bad, spec("ROW", name="Other")))
    assert (failure.code, failure.reason) == (BAD, "ROWS_INVALID")
    assert [field for field, _ in failure.violations] == ["instruments[2].currency", "instruments[3].symbol"]
    assert failure.violations[0][1].startswith("CURRENCY_UNKNOWN: ")
    assert failure.violations[1][1].startswith("INSTRUMENT_EXISTS: ")
    assert (await refused(get(data, listed("ROW"))))[1] == "INSTRUMENT_NOT_FOUND"
    first = await imported(data, *good, request_id="rows")
    assert (first.created, first.duplicate) == (2, False)
    assert first.instrument_ids[0] == (await get(data, listed("ROW"))).instrument_id
    again = await imported(data, *good, request_id="rows")
    assert (list(again.instrument_ids), again.created, again.duplicate) == (
        list(first.instrument_ids),
        2,
        True,
    )
    same = await imported(data, *good, spec("ROW2"))
    assert (list(same.instrument_ids)[:2], same.created) == (list(first.instrument_ids), 1)


async def test_option_chain_in_order_and_in_pages(data: RunningData) -> None:
    base = await make(data, spec("CHAIN"))
    put, call = instrument_pb2.OPTION_RIGHT_PUT, instrument_pb2.OPTION_RIGHT_CALL
    rows = []
    for expiry in ("2024-02-16", "2024-01-19"):
        for strike in ("20", "5.5", "100"):
            for right in (put, call):
                symbol = f"CHAIN.{expiry[5:7]}.{strike}.{right}"
                rows.append(
                    option(
                        symbol,
                        underlying=by_id(base.instrument_id),
                        expiry_date=expiry,
                        strike=strike,
                        right=right,
                    )
                )
    await imported(data, *rows)
    future = spec(
        "CHAINF",
        asset_class=instrument_pb2.ASSET_CLASS_FUTURE,
        future=pb.FutureSpec(underlying=listed("CHAIN"), expiry_date="2024-03-15", multiplier="50"),
    )
    assert (await make(data, future)).future.underlying_id == base.instrument_id

    async def chain(**values: Any) -> list[tuple[str, str, int]]:
        found, token = list[tuple[str, str, int]](), ""
        while True:
            request = pb.ListOptionChainRequest(
                underlying=listed("CHAIN"), page_size=5, page_token=token, **values
            )
            page = await data.instruments.ListOptionChain(request, metadata=data.reader_headers)
            found += [(one.option.expiry_date, one.option.strike, one.option.right) for one in page.options]
            token = page.next_page_token
            if not token:
                return found

    strikes = [(strike, right) for strike in ("5.5", "20", "100") for right in (call, put)]
    everything = [(expiry, *pair) for expiry in ("2024-01-19", "2024-02-16") for pair in strikes]
    assert await chain() == everything
    assert await chain(expiry_from="2024-01-20") == everything[6:]
    assert await chain(expiry_to="2024-01-19", right=put) == everything[1:6:2]
    assert (await refused(chain(expiry_from="2024-02-01", expiry_to="2024-01-01")))[1] == "RANGE_INVALID"
    search = pb.SearchInstrumentsRequest(query="chain", asset_class=instrument_pb2.ASSET_CLASS_FUTURE)
    found = await data.instruments.SearchInstruments(search, metadata=data.headers)
    assert [one.instrument.symbol for one in found.matches] == ["CHAINF"]


async def test_what_is_on_an_underlying_is_found_by_its_symbol(data: RunningData) -> None:
    under = await make(data, spec("UNDER"))
    await make(data, option("ZZ19", underlying=by_id(under.instrument_id)))
    found = await data.instruments.SearchInstruments(
        pb.SearchInstrumentsRequest(query="under"), metadata=data.headers
    )
    on_it = [one for one in found.matches if one.reason == pb.MATCH_REASON_UNDERLYING]
    assert [one.instrument.symbol for one in on_it] == ["ZZ19"]
    assert found.matches[0].instrument == under


async def test_who_may_only_read_changes_nothing(data: RunningData) -> None:
    request = pb.CreateInstrumentRequest(request_id="x", instrument=spec("NOPE"))
    failure = await failure_of(data.instruments.CreateInstrument(request, metadata=data.reader_headers))
    assert failure.code is grpc.StatusCode.PERMISSION_DENIED
