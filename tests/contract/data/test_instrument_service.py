"""InstrumentService over a socket and a real database."""

import uuid

import grpc
import pytest
import sqlalchemy as sa

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.data import tables
from services.runtime.database import Database
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed

# The same on every installation: were they to change, stored orders would point to nothing.
INSTRUMENT_IDS = {
    "AAPL": "520df06e-983e-563d-b5f1-662d10b06219",
    "FB": "fc7676af-82df-5970-9342-f801b4ef0cd4",
    "GOOG": "1d96450a-0023-5f99-bdca-58c1b32cec09",
    "IBM": "609e1016-a603-5365-833f-c8d0fc3cc9ef",
    "MSFT": "d67d7722-53d3-5689-a90f-356319f66d58",
}


async def get(data: RunningData, ref: InstrumentRef) -> instrument_pb2.Instrument:
    request = pb.GetInstrumentRequest(instrument=ref)
    return (await data.instruments.GetInstrument(request, metadata=data.reader_headers)).instrument


async def listing(
    data: RunningData, *, page_size: int = 0, page_token: str = "", symbol_prefix: str = ""
) -> pb.ListInstrumentsResponse:
    request = pb.ListInstrumentsRequest(
        page_size=page_size, page_token=page_token, symbol_prefix=symbol_prefix
    )
    return await data.instruments.ListInstruments(request, metadata=data.reader_headers)


@pytest.mark.parametrize("symbol", INSTRUMENT_IDS)
async def test_get_by_symbol_and_by_id_agree(data: RunningData, symbol: str) -> None:
    found = await get(data, listed(symbol))
    assert found.instrument_id == INSTRUMENT_IDS[symbol]
    assert found == await get(data, by_id(found.instrument_id))
    assert found == await get(data, by_id(found.instrument_id.upper()))
    assert found == await get(data, listed(symbol, "XNYS" if symbol == "IBM" else "XNAS"))


async def test_get_has_the_facts(data: RunningData) -> None:
    assert await get(data, listed("IBM", "XNYS")) == instrument_pb2.Instrument(
        instrument_id=INSTRUMENT_IDS["IBM"],
        symbol="IBM",
        mic="XNYS",
        name="International Business Machines Corporation",
        asset_class=instrument_pb2.ASSET_CLASS_EQUITY,
        currency="USD",
        tick_size="0.01",
        lot_size="1",
        status=instrument_pb2.INSTRUMENT_STATUS_ACTIVE,
        listing_date="1915-11-11",
        etag="1",
    )


@pytest.mark.parametrize("ref", [listed("APPL"), listed("AAPL", "XNYS"), by_id(str(uuid.uuid4()))])
async def test_unknown_instrument_is_not_found(data: RunningData, ref: InstrumentRef) -> None:
    for call in (
        data.instruments.GetInstrument(pb.GetInstrumentRequest(instrument=ref), metadata=data.headers),
        data.instruments.ListSplits(pb.ListSplitsRequest(instrument=ref), metadata=data.headers),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
        assert failure.domain == "bifrost.data"
        asked = ref.instrument_id or ref.listed.symbol
        assert asked in failure.metadata.values()


async def test_instrument_is_required(data: RunningData) -> None:
    failure = await failure_of(
        data.instruments.GetInstrument(pb.GetInstrumentRequest(), metadata=data.headers)
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_symbol_with_two_listings_is_ambiguous(data: RunningData, postgres_url: str) -> None:
    database = await Database.connect(postgres_url, schema="data")
    twin_id = str(uuid.uuid4())
    twin = {
        "instrument_id": twin_id,
        "symbol": "IBM",
        "mic": "XLON",
        "name": "IBM in London",
        "asset_class": 1,
        "currency": "GBP",
        "tick_size": 1,
        "lot_size": 1,
        "status": 1,
        "listing_date": sa.func.current_date(),
    }
    async with database.transaction() as connection:
        await connection.execute(sa.insert(tables.instruments).values(twin))
    await get(data, by_id(twin_id))
    try:
        failure = await failure_of(
            data.instruments.GetInstrument(
                pb.GetInstrumentRequest(instrument=listed("IBM")), metadata=data.headers
            )
        )
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SYMBOL_AMBIGUOUS")
        assert failure.metadata["mics"] == "XLON,XNYS"
        assert failure.violations[0][0] == "instrument.listed.mic"
        assert (await get(data, listed("IBM", "XLON"))).currency == "GBP"
        page = await listing(data, page_size=4)
        assert [one.mic for one in page.instruments][-1] == "XLON"
        rest = await listing(data, page_size=4, page_token=page.next_page_token)
        assert [(one.symbol, one.mic) for one in rest.instruments] == [("IBM", "XNYS"), ("MSFT", "XNAS")]
    finally:
        async with database.transaction() as connection:
            is_twin = tables.instruments.c.instrument_id == twin_id
            await connection.execute(sa.delete(tables.instruments).where(is_twin))
        await database.close()
        await failure_of(
            data.instruments.GetInstrument(
                pb.GetInstrumentRequest(instrument=by_id(str(uuid.uuid4()))), metadata=data.headers
            )
        )  # a miss makes the service read its instruments again


async def test_list_pages_through_all(data: RunningData) -> None:
    symbols, token, pages = [], "", 0
    while token or not pages:
        page = await listing(data, page_size=2, page_token=token)
        symbols += [one.symbol for one in page.instruments]
        token, pages = page.next_page_token, pages + 1
    assert symbols == sorted(INSTRUMENT_IDS)
    assert pages == 3
    assert len((await listing(data)).instruments) == 5
    assert [one.symbol for one in (await listing(data, symbol_prefix="MS")).instruments] == ["MSFT"]
    assert not (await listing(data, symbol_prefix="ZZ")).instruments


async def test_page_token_of_another_request_is_refused(data: RunningData) -> None:
    token = (await listing(data, page_size=2)).next_page_token
    for call in (
        listing(data, page_token=token, symbol_prefix="A"),
        listing(data, page_token="nonsense"),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_splits_are_those_of_history(data: RunningData) -> None:
    found = {}
    for symbol in INSTRUMENT_IDS:
        request = pb.ListSplitsRequest(instrument=listed(symbol))
        splits = (await data.instruments.ListSplits(request, metadata=data.reader_headers)).splits
        found[symbol] = [(split.ex_date, split.new_shares, split.old_shares) for split in splits]
        assert all(split.source == "derived: bokeh_sampledata adjusted close" for split in splits)
        assert all(split.record_time.seconds for split in splits)
    assert found == {
        "AAPL": [("2000-06-21", 2, 1), ("2005-02-28", 2, 1)],
        "FB": [],
        "GOOG": [],
        "IBM": [],
        "MSFT": [("2003-02-18", 2, 1)],
    }


async def test_a_token_is_needed(data: RunningData) -> None:
    request = pb.GetInstrumentRequest(instrument=listed("AAPL"))
    failure = await failure_of(data.instruments.GetInstrument(request))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
