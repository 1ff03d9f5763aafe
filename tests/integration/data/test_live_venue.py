"""data and the real venue over sockets: bars go out, a market comes back, and its days are the real bars."""

import asyncio
import uuid
from pathlib import Path

from bifrost.data.v1 import bar_pb2, bar_service_pb2, market_stream_service_pb2
from bifrost.venue.v1.session_service_pb2 import CreateSessionRequest
from bifrost.venue.v1.session_service_pb2_grpc import SessionServiceStub
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.server import Service
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from services.venue.__main__ import compose as compose_venue
from services.venue.config import VenueSettings
from tests.contract.data.data_harness import by_id, listed, start_data

DAY = bar_pb2.BAR_INTERVAL_DAY
SYMBOLS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def is_read(service: Service, method: str) -> bool:
    """Whether a stream of this method is being served."""
    lines = service.metrics.text().decode().splitlines()
    flying = [line for line in lines if line.startswith("bifrost_rpc_in_flight") and f'"{method}"' in line]
    return any(line.endswith(" 1.0") for line in flying)


async def test_replayed_days_close_as_the_real_bars(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    keys = MeshKeys(tmp_path)
    venue_port = free_port()
    data = await start_data(
        new_database(postgres_server), keys, address_book={"venue": f"127.0.0.1:{venue_port}"}
    )
    await data.ingest()
    venue = await compose_venue(
        VenueSettings.model_validate(
            {
                **keys.settings("venue"),
                "database_url": new_database(postgres_server),
                "port": venue_port,
                "address_book": {"data": f"127.0.0.1:{data.service.port}"},
            }
        )
    )
    await venue.start()
    try:
        request = market_stream_service_pb2.StreamBarsRequest(interval=DAY)
        stream = aiter(data.market.StreamBars(request, metadata=data.headers))
        reading = asyncio.ensure_future(anext(stream))
        # Whoever follows a market from its middle misses the day it is in.
        await until(
            lambda: is_read(venue, "StreamMarket") and is_read(data.service, "StreamBars"), timeout_s=60
        )
        async with connect(f"127.0.0.1:{venue_port}") as channel:
            await SessionServiceStub(channel).CreateSession(
                CreateSessionRequest(
                    request_id=str(uuid.uuid4()),
                    start_date="2013-02-27",
                    end_date="2013-02-28",
                    seconds_per_day=0.5,
                    steps_per_day=20,
                ),
                metadata=bearer(keys.user_token(scope="venue:write market:read")),
            )
        closed: list[bar_pb2.Bar] = []
        async with asyncio.timeout(60):
            while len(closed) < 2 * len(SYMBOLS):
                message = await reading
                closed += [bar for bar in message.bars.bars if bar.closed]
                reading = asyncio.ensure_future(anext(stream))
        reading.cancel()
        for symbol in SYMBOLS:
            history = await data.bars.ListBars(
                bar_service_pb2.ListBarsRequest(instrument=listed(symbol), interval=DAY),
                metadata=data.headers,
            )
            columns = history.bars
            real = {
                columns.open_time_ns[row]: (
                    columns.open[row],
                    columns.high[row],
                    columns.low[row],
                    columns.close[row],
                    columns.volume[row],
                )
                for row in range(len(columns.close))
            }
            ours = [bar for bar in closed if bar.instrument_id == history.instrument_id]
            assert len(ours) == 2
            for bar in ours:
                assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == real[bar.open_time_ns]
        quote = market_stream_service_pb2.GetQuoteRequest(instrument=by_id(closed[0].instrument_id))
        assert (await data.market.GetQuote(quote, metadata=data.headers)).quote.last > 0
    finally:
        await venue.stop(0)
        await data.stop()
