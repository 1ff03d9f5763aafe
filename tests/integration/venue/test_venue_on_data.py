"""The venue over the real data service: the default window, and prices that are the real ones."""

from __future__ import annotations

from pathlib import Path

from bokeh_sampledata import stocks

from bifrost.venue.v1 import session_service_pb2
from bifrost.venue.v1 import venue_service_pb2 as pb
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys
from tests.contract.venue.venue_harness import STANDSTILL, failure_of, start_venue
from tests.integration.venue.sample_data import start_data


def opening_prices(day: str) -> list[float]:
    bars = [getattr(stocks, symbol) for symbol in ("AAPL", "FB", "GOOG", "IBM", "MSFT")]
    return sorted(float(each["open"][[str(on)[:10] for on in each["date"]].index(day)]) for each in bars)


async def test_default_session_replays_all_five_symbols(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    keys = MeshKeys(tmp_path)
    data, address = await start_data(new_database(postgres_server), keys)
    venue = await start_venue(new_database(postgres_server), tmp_path, keys=keys, data_address=address)
    request = session_service_pb2.CreateSessionRequest(request_id="first", seconds_per_day=STANDSTILL)
    session = (await venue.sessions.CreateSession(request, metadata=venue.operator)).session
    assert len(session.instrument_ids) == 5
    assert (session.start_date, session.end_date) == ("2012-05-18", "2013-03-01")
    assert (session.steps_per_day, session.total_steps) == (390, 196 * 390)
    await venue.wait_step(1)
    stream = venue.venue.StreamMarket(pb.StreamMarketRequest(), metadata=venue.data)
    async for message in stream:
        assert sorted(quote.last for quote in message.snapshot.quotes) == opening_prices("2012-05-18")
        break
    stream.cancel()

    await venue.sessions.EndSession(session_service_pb2.EndSessionRequest(), metadata=venue.operator)
    unknown = session_service_pb2.CreateSessionRequest(request_id="second", symbols=["NONE"])
    failure = await failure_of(venue.sessions.CreateSession(unknown, metadata=venue.operator))
    assert failure.reason == "NO_BARS"
    split = session_service_pb2.CreateSessionRequest(
        request_id="split", symbols=["AAPL"], start_date="2005-02-01", end_date="2005-03-31"
    )
    failure = await failure_of(venue.sessions.CreateSession(split, metadata=venue.operator))
    assert (failure.reason, failure.metadata["ex_date"]) == ("SPLIT_IN_WINDOW", "2005-02-28")
    await data.stop(0)
    away = session_service_pb2.CreateSessionRequest(request_id="third")
    failure = await failure_of(venue.sessions.CreateSession(away, metadata=venue.operator))
    assert failure.reason == "DEPENDENCY_UNAVAILABLE"
    await venue.stop()
