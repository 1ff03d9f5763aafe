"""SearchInstruments over a socket and a real database."""

from __future__ import annotations

import grpc
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from services.data import tables
from services.data.domain.instrument_search import InstrumentQuery
from services.runtime.database import Database
from tests.contract.data.data_harness import RunningData, failure_of

FACTS: dict[str, object] = {"asset_class": 1, "currency": "USD", "tick_size": 1, "lot_size": 1, "status": 1}
OTHERS: list[tuple[str, str, str, dict[str, object]]] = [
    ("A", "XNYS", "Agilent Technologies", {}),
    ("AA", "XNYS", "Alcoa Corporation", {}),
    ("AAP", "XNYS", "Advance Auto Parts", {}),
    ("BRK.B", "XNYS", "Berkshire Hathaway Inc. Class B", {}),
    ("IBM", "XLON", "International Business Machines in London", {"currency": "GBP"}),
    ("LKOH", "XMOS", "ПАО Лукойл", {"status": 3}),
    ("8058", "XTKS", "三菱商事", {}),
    ("PCT", "XNYS", "100% Cotton_Works", {}),
    ("SPY", "ARCX", "Standard & Poor's 500 Trust", {"asset_class": 2}),
]


@pytest.fixture(scope="module", autouse=True)
async def _more_instruments(data: RunningData, postgres_url: str) -> None:
    rows = [
        FACTS | {"instrument_id": f"{symbol}:{mic}", "symbol": symbol, "mic": mic, "name": name} | more
        for symbol, mic, name, more in OTHERS
    ]
    database = await Database.connect(postgres_url, schema="data")
    async with database.transaction() as connection:
        for row in rows:
            listed = row | {"listing_date": sa.func.current_date()}
            await connection.execute(sa.insert(tables.instruments).values(listed))
    await database.close()


async def search(
    data: RunningData, query: str, *, limit: int = 0, mic: str = "", asset_class: int = 0, status: int = 0
) -> list[pb.InstrumentMatch]:
    request = pb.SearchInstrumentsRequest(
        query=query,
        limit=limit,
        mic=mic,
        asset_class=instrument_pb2.AssetClass.Name(asset_class),
        status=instrument_pb2.InstrumentStatus.Name(status),
    )
    reply = await data.instruments.SearchInstruments(request, metadata=data.reader_headers)
    return list(reply.matches)


def symbols(matches: list[pb.InstrumentMatch]) -> list[str]:
    return [one.instrument.symbol for one in matches]


async def test_exact_symbol_then_prefix_then_alike(data: RunningData) -> None:
    found = await search(data, "aa")
    assert symbols(found)[:3] == ["AA", "AAP", "AAPL"]
    assert [one.reason for one in found[:3]] == [
        pb.MATCH_REASON_SYMBOL_EXACT,
        pb.MATCH_REASON_SYMBOL_PREFIX,
        pb.MATCH_REASON_SYMBOL_PREFIX,
    ]
    assert [one.score for one in found[:3]] == pytest.approx([1, 0.7 + 0.3 * 2 / 3, 0.7 + 0.3 * 2 / 4])
    assert all(0 < one.score <= 0.7 for one in found[3:])
    assert found[0].instrument.name == "Alcoa Corporation"


@pytest.mark.parametrize(
    ("typed", "symbol", "reason"),
    [
        ("MSFT", "MSFT", "SYMBOL_EXACT"),
        ("  msft\t", "MSFT", "SYMBOL_EXACT"),
        ("\uff21\uff21\uff30\uff2c", "AAPL", "SYMBOL_EXACT"),  # full-width letters
        ("brk", "BRK.B", "SYMBOL_PREFIX"),
        ("BRKB", "BRK.B", "SYMBOL_SIMILAR"),
        ("MSTF", "MSFT", "SYMBOL_SIMILAR"),
        ("MFST", "MSFT", "SYMBOL_SIMILAR"),
        ("AALP", "AAPL", "SYMBOL_SIMILAR"),
        ("GOGO", "GOOG", "SYMBOL_SIMILAR"),
        ("IBN", "IBM", "SYMBOL_SIMILAR"),
        ("apple", "AAPL", "NAME_SIMILAR"),
        ("aple", "AAPL", "NAME_SIMILAR"),
        ("microsfot", "MSFT", "NAME_SIMILAR"),
        ("Mircosoft", "MSFT", "NAME_SIMILAR"),
        ("facebok", "FB", "NAME_SIMILAR"),
        ("goggle", "GOOG", "NAME_SIMILAR"),
        ("BUSINESS   machines", "IBM", "NAME_SIMILAR"),
        ("лукойл", "LKOH", "NAME_SIMILAR"),
        ("三菱", "8058", "NAME_SIMILAR"),
    ],
)
async def test_what_is_typed_is_found(data: RunningData, typed: str, symbol: str, reason: str) -> None:
    best = (await search(data, typed))[0]
    assert best.instrument.symbol == symbol
    assert pb.MatchReason.Name(best.reason) == f"MATCH_REASON_{reason}"


@pytest.mark.parametrize("typed", ["%", "_", "%%%", "A%L", "A_PL_", "\\", "'", "--", ".*", "\U0001d54f", "﷽"])
async def test_no_character_has_a_meaning(data: RunningData, typed: str) -> None:
    found = await search(data, typed)
    # As a pattern it would fit whole symbols, their beginnings or parts of names.
    assert all(one.score < 0.7 for one in found)
    assert not (found and len(typed) < 3)


async def test_metacharacters_are_found_as_themselves(data: RunningData) -> None:
    assert symbols(await search(data, "100%"))[0] == "PCT"
    assert symbols(await search(data, "n_w"))[0] == "PCT"
    assert "PCT" not in symbols(await search(data, "0_o"))


async def test_filters(data: RunningData) -> None:
    assert [one.instrument.mic for one in await search(data, "IBM")] == ["XLON", "XNYS"]
    assert [one.instrument.mic for one in await search(data, "IBM", mic="XNYS")] == ["XNYS"]
    etf = await search(data, "spy", asset_class=instrument_pb2.ASSET_CLASS_ETF)
    assert symbols(etf) == ["SPY"]
    assert not await search(data, "spy", asset_class=instrument_pb2.ASSET_CLASS_INDEX)
    assert not await search(data, "LKOH", status=instrument_pb2.INSTRUMENT_STATUS_ACTIVE)
    assert symbols(await search(data, "LKOH", status=instrument_pb2.INSTRUMENT_STATUS_DELISTED)) == ["LKOH"]


async def test_limit(data: RunningData) -> None:
    assert symbols(await search(data, "A", limit=2)) == ["A", "AA"]
    assert len(await search(data, "A", limit=1_000_000)) >= 4


async def test_nothing_like_it_is_an_empty_answer(data: RunningData) -> None:
    assert not await search(data, "zzzzqqqq")


@pytest.mark.parametrize("typed", ["", " ", "\0", "\u202e", "\t\n", "x" * 65])
async def test_what_cannot_be_searched_for(data: RunningData, typed: str) -> None:
    failure = await failure_of(search(data, typed))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert [field for field, _ in failure.violations] == ["query"]


@example("0\0")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(min_size=1, max_size=64))
async def test_any_text_is_answered_in_order(data: RunningData, typed: str) -> None:
    if "\0" in typed or InstrumentQuery.of(typed, "", None, None) is None:
        assert (await failure_of(search(data, typed))).reason == "FIELD_INVALID"
        return
    found = await search(data, typed)
    keys = [(-one.score, one.instrument.symbol, one.instrument.mic) for one in found]
    assert keys == sorted(keys)
    assert all(0 < one.score <= 1 and one.reason for one in found)
