"""Live indicators after a history of shorter bars, and through splits."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import talib

from bifrost.data.v1 import bar_service_pb2, indicator_pb2, indicator_service_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1 import market_pb2
from services.data import tables
from services.data.bars.bar_store import insert_bars
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.data.domain.instrument import Listing
from services.data.domain.splits import Split
from services.data.indicators.incremental import BarRow
from services.data.ingestions.ingestion_store import insert_batch
from services.data.instruments.instrument_store import begin_record, insert_splits, upsert_instrument
from services.data.live.live_values import SeenBars
from services.runtime.clock import SystemClock
from services.runtime.database import Database, driver_of
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, start_data
from tests.contract.data.scripted_venue import ScriptedVenue

NEW_YORK = ZoneInfo("America/New_York")
LISTING = Listing("WARM", "WARM", "XNYS", "Warm", dt.date(2000, 1, 3))
MINUTE = 60 * 10**9
FIVE = "BAR_INTERVAL_FIVE_MINUTES"


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 10**9


class Market:
    """A running service that follows a market, and changes made beside it as an ingestion would."""

    def __init__(self, data: RunningData, database: Database, venue: ScriptedVenue) -> None:
        self.data = data
        self.database = database
        self.venue = venue

    async def record(self, bars: SourceBars | None = None, split: Split | None = None) -> None:
        async with self.database.transaction() as connection:
            number = await upsert_instrument(connection, LISTING)
            now_ns = await begin_record(connection, number, SystemClock())
            batch = await insert_batch(
                connection,
                None,
                instrument_no=number,
                source="test",
                fetch_time_ns=now_ns,
                record_time_ns=now_ns,
            )
            if bars is not None:
                await insert_bars(await driver_of(connection), number, BarInterval.MINUTE, batch, bars)
            splits = [] if split is None else [split]
            await insert_splits(connection, number, splits, source="test", now_ns=now_ns)

    def trade(self, number: int, price: float, at: str, *, day: int, end: bool = False) -> None:
        one = market_pb2.VenueTrade(
            instrument_id=LISTING.instrument_id,
            price=price,
            size=10,
            event_time_ns=ns(at),
            trade_number=number,
            session_day=day,
            session_end=end,
        )
        self.venue.send(trades=[one])


@pytest.fixture
async def market(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Market]:
    venue = ScriptedVenue()
    await venue.start()
    url = new_database(postgres_server)
    data = await start_data(
        url,
        MeshKeys(tmp_path_factory.mktemp("live")),
        address_book={"venue": f"127.0.0.1:{venue.port}"},
        live_silence_s=60,
        heartbeat_s=0.1,
    )
    database = await Database.connect(url, schema=tables.SCHEMA, pool_size=1)
    await venue.connected()
    yield Market(data, database, venue)
    await database.close()
    await data.stop()
    await venue.stop()


def minutes(*days: str) -> SourceBars:
    times = np.concatenate([ns(f"{day}T09:30") + MINUTE * np.arange(390) for day in days])
    close = 100 + np.sin(np.arange(len(times)))
    return SourceBars(times, close, close + 0.5, close - 0.5, close, np.full(len(times), 7.0), close)


def specs() -> list[indicator_pb2.IndicatorSpec]:
    average = indicator_pb2.IndicatorSpec(name="WMA")
    average.parameters.update({"timeperiod": 10})
    return [average, indicator_pb2.IndicatorSpec(name="OBV")]


async def history(market: Market) -> Bars:
    request = bar_service_pb2.ListBarsRequest(
        instrument={"instrument_id": LISTING.instrument_id}, interval=FIVE
    )
    bars = (await market.data.bars.ListBars(request, metadata=market.data.headers)).bars
    return Bars(
        *(
            np.array(getattr(bars, name))
            for name in ("open_time_ns", "open", "high", "low", "close", "volume")
        )
    )


async def test_history_of_shorter_bars_and_splits_before_and_during_the_stream(market: Market) -> None:
    first = Split(dt.date(2012, 2, 29), ns("2012-02-29T09:30"), 2, 1)
    await market.record(minutes("2012-02-28", "2012-02-29"), first)
    request = pb.StreamLiveIndicatorsRequest(
        instrument_ids=[LISTING.instrument_id],
        interval=FIVE,
        adjustment="ADJUSTMENT_SPLIT",
        indicators=specs(),
    )
    stream = aiter(market.data.market.StreamLiveIndicators(request, metadata=market.data.headers))
    values: list[pb.LiveIndicatorValues] = []

    async def until(at: str) -> None:
        """Until the bar that opened then has closed."""
        while not (values and values[-1].closed and values[-1].open_time_ns == ns(at)):
            message = await anext(stream)
            values.extend(message.update.values)

    while (await anext(stream)).WhichOneof("event") != "replay_end":
        pass
    market.trade(1, 60.0, "2012-03-01T09:31", day=1)
    market.trade(2, 61.0, "2012-03-01T09:36", day=1)
    market.trade(3, 62.0, "2012-03-01T09:37", day=1, end=True)
    await until("2012-03-01T09:35")

    held = await history(market)
    answer = await market.data.indicators.ComputeIndicators(
        indicator_service_pb2.ComputeIndicatorsRequest(
            instrument={"instrument_id": LISTING.instrument_id},
            interval=FIVE,
            adjustment="ADJUSTMENT_SPLIT",
            indicators=specs(),
        ),
        metadata=market.data.headers,
    )
    warm = values[0]
    assert (warm.closed, warm.open_time_ns) == (True, answer.open_time_ns[-1])
    for found, wanted in zip(warm.indicators, answer.indicators, strict=True):
        np.testing.assert_allclose(found.values, [wanted.outputs[0].values[-1]], rtol=1e-9)

    ex_ns = ns("2012-03-02T09:30")
    await market.record(split=Split(dt.date(2012, 3, 2), ex_ns, 3, 1))
    before = len(values)
    market.trade(1, 21.0, "2012-03-02T09:31", day=2)
    market.trade(2, 22.0, "2012-03-02T09:32", day=2, end=True)
    await until("2012-03-02T09:30")

    times = np.append(held.open_time_ns, [ns("2012-03-01T09:30"), ns("2012-03-01T09:35"), ex_ns])
    close = np.append(held.close, [60.0, 62.0, 22.0])
    volume = np.append(held.volume, [10.0, 20.0, 20.0])
    shares = np.where(times < first.ex_time_ns, 2, 1) * np.where(times < ex_ns, 3, 1)
    average = talib.WMA(close / shares, 10)
    balance = talib.OBV(close / shares, volume * shares)
    told = values[before:]
    # The last bar before it once more, in the terms after it.
    assert (told[0].closed, told[0].open_time_ns) == (True, ns("2012-03-01T09:35"))
    assert {one.open_time_ns for one in told[1:]} == {ex_ns}
    for one, row in ((told[0], -2), (told[-1], -1)):
        np.testing.assert_allclose(
            [indicator.values[0] for indicator in one.indicators], [average[row], balance[row]], rtol=1e-9
        )


def test_bars_seen_are_forgotten_when_there_are_enough() -> None:
    earlier = BarRow(0, 1.0, 1.0, 1.0, 1.0, 1.0).columns()
    seen = SeenBars(3)
    for number in range(1, 7):
        seen.append(BarRow(number, 1.0, 4.0, 0.5, 2.0, float(number)))
    bars = seen.after(earlier)
    assert bars.open_time_ns.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert (bars.volume.tolist()[-1], bars.high.tolist()[-1], bars.low.tolist()[-1]) == (6.0, 4.0, 0.5)
    seen.append(BarRow(7, 1.0, 1.0, 1.0, 1.0, 7.0))
    assert seen.after(earlier).open_time_ns.tolist() == [5, 6, 7]
    assert seen.after(earlier).volume.tolist() == [5.0, 6.0, 7.0]
    none = SeenBars(0)
    none.append(BarRow(1, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert not len(none.after(earlier))
