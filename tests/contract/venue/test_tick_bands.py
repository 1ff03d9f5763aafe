"""Price steps that depend on the price, kept with the session."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from bifrost.venue.v1 import error_reason_pb2 as reasons
from bifrost.venue.v1 import venue_order_pb2
from services.runtime.testing_keys import MeshKeys
from tests.contract.venue.venue_harness import (
    BUY,
    RunningVenue,
    failure_of,
    order_terms,
    start_venue,
)

BANDS = ((Decimal(0), Decimal("0.01")), (Decimal(20), Decimal("0.05")), (Decimal(40), Decimal("0.5")))


async def check_ticks(venue: RunningVenue) -> None:
    for price in ("40.05", "38.01", "19.995"):
        refused = await venue.submit(order_terms(BUY, 1, price))
        assert refused.order.reject_reason == reasons.REJECT_REASON_OFF_TICK, price
    for price in ("38.05", "40.5"):
        taken = await venue.submit(order_terms(BUY, 1, price))
        assert taken.order.state != venue_order_pb2.VENUE_ORDER_STATE_REJECTED, taken
    book = await venue.book()
    for level in (*book.bids, *book.asks):
        at = Decimal(repr(level.price))
        assert at % next(tick for start, tick in reversed(BANDS) if start <= at) == 0


async def test_orders_and_quotes_keep_to_the_tick_of_their_band_also_after_a_restart(
    postgres_url: str, tmp_path: Path
) -> None:
    keys = MeshKeys(tmp_path)
    venue = await start_venue(postgres_url, tmp_path, keys=keys)
    venue.history.tick_bands = BANDS
    await venue.new_session()
    await check_ticks(venue)
    await venue.stop()
    venue = await start_venue(postgres_url, tmp_path, keys=keys)
    await check_ticks(venue)
    await venue.stop()


async def test_an_instrument_with_finer_ticks_than_the_venue_counts_in(
    postgres_url: str, tmp_path: Path
) -> None:
    venue = await start_venue(postgres_url, tmp_path)
    venue.history.tick_bands = ((Decimal(0), Decimal("0.00001")),)
    failure = await failure_of(venue.new_session())
    assert failure.reason == "NO_BARS"
    assert "tick" in failure.message
    await venue.stop()
