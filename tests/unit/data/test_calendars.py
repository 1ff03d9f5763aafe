"""The markets' names, and the tables kept in memory."""

from __future__ import annotations

import asyncio
import warnings
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import exchange_calendars
import grpc
import pytest
from exchange_calendars.calendar_utils import _default_calendar_factories

from services.data.calendars import calendars as calendars_module
from services.data.calendars.calendars import Calendars, market_named
from services.data.calendars.markets import MARKETS, UNAVAILABLE, Market, find_market, nearest_names
from services.data.calendars.source import CalendarBrokenError, build_session_table
from services.data.domain.trading_calendar import SessionTable
from services.runtime.clock import ManualClock
from services.runtime.errors import ApiError

SYNTHETIC = {"us_futures"}
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
NOON_2026 = int(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * 10**9
YEAR_NS = 365 * 86_400 * 10**9


def test_markets_are_those_of_the_library() -> None:
    names = set(exchange_calendars.get_calendar_names(include_aliases=False))
    assert {one.mic for one in MARKETS} == names - UNAVAILABLE.keys() - SYNTHETIC
    assert [one.mic for one in MARKETS] == sorted(one.mic for one in MARKETS)
    for alias, mic in exchange_calendars.aliases_to_names().items():
        market = find_market(alias)
        assert mic in UNAVAILABLE or (market is not None and market.mic == mic), alias


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.mic)
def test_markets_have_the_time_zone_of_the_library(market: Market) -> None:
    factory = _default_calendar_factories[market.mic]
    with warnings.catch_warnings(action="ignore"):
        calendar = factory(start="2026-01-01", end="2026-12-31")
    assert ZoneInfo(market.time_zone) == calendar.tz
    assert list(market.aliases) == sorted(market.aliases)
    assert market.name


@pytest.mark.parametrize("mic", UNAVAILABLE)
def test_left_out_are_those_that_cannot_be_made(mic: str) -> None:
    # When one can be made it belongs into MARKETS.
    with pytest.raises(CalendarBrokenError):
        build_session_table(mic, 2027)
    with pytest.raises(ApiError) as refused:
        market_named(mic.lower())
    assert (refused.value.code, refused.value.reason) == (FAILED_PRECONDITION, "CALENDAR_UNAVAILABLE")
    assert refused.value.metadata == {"calendar": mic}


async def test_one_that_the_library_fails_at_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*, start: str, end: str) -> None:
        raise KeyError(start, end)

    monkeypatch.setattr(fail, "bound_min", lambda: None, raising=False)
    monkeypatch.setattr(fail, "bound_max", lambda: None, raising=False)
    monkeypatch.setitem(_default_calendar_factories, "24/7", fail)
    calendars = Calendars(clock=ManualClock(NOON_2026))
    with pytest.raises(ApiError) as refused:
        await calendars.sessions(market_named("24/7"))
    assert (refused.value.code, refused.value.reason) == (FAILED_PRECONDITION, "CALENDAR_UNAVAILABLE")


def test_names_are_found_in_any_case() -> None:
    assert find_market("xnas") is find_market("NYSE") is find_market("XNYS")
    assert find_market("XCME") is find_market("CMES")
    assert find_market("") is None
    assert "XNYS" in nearest_names("xnyc")


async def test_a_table_is_made_once_for_many_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def build(mic: str, last_year: int) -> SessionTable:
        made.append(f"{mic} {last_year}")
        return build_session_table(mic, last_year)

    monkeypatch.setattr(calendars_module, "build_session_table", build)
    clock = ManualClock(NOON_2026)
    calendars = Calendars(clock=clock)
    market = market_named("24/7")
    first, *others = await asyncio.gather(*(calendars.sessions(market) for _ in range(5)))
    assert all(one is first for one in others)
    assert made == ["24/7 2027"]
    clock.advance(YEAR_NS)
    later = await calendars.sessions(market)
    assert later.last_date > first.last_date
    assert made == ["24/7 2027", "24/7 2028"]


async def test_a_caller_that_leaves_takes_nothing_from_the_others() -> None:
    calendars = Calendars(clock=ManualClock(NOON_2026))
    market = market_named("24/5")
    leaver = asyncio.create_task(calendars.sessions(market))
    stayer = asyncio.create_task(calendars.sessions(market))
    await asyncio.sleep(0)
    leaver.cancel()
    assert len((await stayer).open_ns)
    assert leaver.cancelled()


async def test_what_could_not_be_made_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_mic: str, _last_year: int) -> SessionTable:
        raise MemoryError

    calendars = Calendars(clock=ManualClock(NOON_2026))
    market = market_named("24/7")
    with monkeypatch.context() as patch:
        patch.setattr(calendars_module, "build_session_table", fail)
        with pytest.raises(MemoryError):
            await calendars.sessions(market)
    assert len((await calendars.sessions(market)).open_ns)


async def test_only_those_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    empty = build_session_table("24/7", 1961)

    def build(mic: str, _last_year: int) -> SessionTable:
        made.append(mic)
        return empty

    monkeypatch.setattr(calendars_module, "build_session_table", build)
    calendars = Calendars(clock=ManualClock(NOON_2026))
    for market in MARKETS[:17]:
        await calendars.sessions(market)
        await calendars.sessions(MARKETS[0])
    assert len(made) == 17
    await calendars.sessions(MARKETS[16])
    assert len(made) == 17
    await calendars.sessions(MARKETS[1])
    assert len(made) == 18
