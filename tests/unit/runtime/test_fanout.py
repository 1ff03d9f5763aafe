"""One serialisation for those that keep up, conflation for those that do not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost.data.v1.market_stream_service_pb2 import StreamQuotesResponse, StreamTradesResponse
from bifrost.data.v1.quote_pb2 import Quote
from services.runtime.clock import ManualClock
from services.runtime.errors import ApiError
from services.runtime.fanout import Fanout
from services.runtime.testing import eventually

NOW = 1_700_000_000_000_000_000


def quotes(*, queue: int = 4) -> Fanout[str]:
    return Fanout(
        StreamQuotesResponse,
        update_field="update",
        items_field="quotes",
        snapshot_field="snapshot",
        clock=ManualClock(NOW),
        queue=queue,
    )


def publish(fanout: Fanout[str], topic: str, price: float) -> None:
    quote = Quote(instrument_id=topic, bid=price)
    fanout.publish(topic, quote.SerializeToString(), event_time_ns=int(price))


def parsed(message: bytes) -> StreamQuotesResponse:
    return StreamQuotesResponse.FromString(message)


async def joined(fanout: Fanout[str], *topics: str, **options: float) -> AsyncIterator[bytes]:
    """A reader past its snapshot and replay end."""
    stream = fanout.subscribe(topics or None, draining=asyncio.Event(), **options)
    await anext(stream)
    await anext(stream)
    return stream


def content(response: StreamQuotesResponse) -> list[tuple[str, float]]:
    return [(quote.instrument_id, quote.bid) for quote in response.update.quotes]


async def flushed(fanout: Fanout[str]) -> None:
    before = fanout.sequence
    await eventually(lambda: fanout.sequence > before)


async def test_readers_of_the_same_topics_share_the_bytes() -> None:
    fanout = quotes()
    first, second = await joined(fanout), await joined(fanout)
    one, other = await joined(fanout, "A", "B"), await joined(fanout, "B", "A")
    publish(fanout, "A", 1)
    publish(fanout, "C", 2)
    message = await anext(first)
    assert message is await anext(second)
    assert content(parsed(message)) == [("A", 1), ("C", 2)]
    filtered = await anext(one)
    assert filtered is await anext(other)
    assert content(parsed(filtered)) == [("A", 1)]
    header = parsed(message).header
    assert (header.epoch, header.sequence, header.conflated) == (fanout.epoch, 1, 0)
    assert header.event_time.ToNanoseconds() == 2
    assert header.publish_time.ToNanoseconds() == NOW


async def test_snapshot_is_the_present_state_of_the_topics() -> None:
    fanout = quotes()
    for topic, price in (("A", 1), ("B", 2), ("A", 3)):
        publish(fanout, topic, price)
    await flushed(fanout)
    stream = fanout.subscribe({"A"}, draining=asyncio.Event())
    snapshot = parsed(await anext(stream))
    assert [(quote.instrument_id, quote.bid) for quote in snapshot.snapshot.quotes] == [("A", 3)]
    assert parsed(await anext(stream)).WhichOneof("event") == "replay_end"


async def test_slow_reader_gets_the_newest_of_each_and_the_count_of_what_it_skipped() -> None:
    fanout = quotes(queue=2)
    slow, quick = await joined(fanout), await joined(fanout)
    seen: list[float] = []
    for price in range(1, 9):
        publish(fanout, "AB"[price % 2], price)
        await flushed(fanout)
        seen += [price for _, price in content(parsed(await anext(quick)))]
    assert seen == list(range(1, 9))
    message = parsed(await anext(slow))
    assert content(message) == [("B", 7), ("A", 8)]
    assert message.header.conflated == 6
    assert [quote.conflated for quote in message.update.quotes] == [3, 3]
    assert message.header.sequence == 8
    publish(fanout, "A", 9)
    assert await anext(slow) is await anext(quick)


async def test_slots_keep_apart_what_must_not_replace_another() -> None:
    fanout: Fanout[str] = Fanout(
        StreamTradesResponse, update_field="trades", items_field="trades", clock=ManualClock(NOW), queue=1
    )
    stream = fanout.subscribe(None, draining=asyncio.Event())
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for n in range(4):
        fanout.publish("A", b"", event_time_ns=n, slot=("A", n))
        await flushed(fanout)
    assert len(StreamTradesResponse.FromString(await reading).trades.trades) == 1
    rest = StreamTradesResponse.FromString(await anext(stream))
    assert (len(rest.trades.trades), rest.header.conflated) == (3, 0)


async def test_quiet_reader_gets_heartbeats() -> None:
    stream = await joined(quotes(), heartbeat_s=0.01)
    assert parsed(await anext(stream)).WhichOneof("event") == "heartbeat"


async def test_drain_ends_the_stream_and_readers_are_counted() -> None:
    fanout, draining = quotes(), asyncio.Event()
    stream = fanout.subscribe(None, draining=draining)
    await anext(stream)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert fanout.readers == 1
    draining.set()
    with pytest.raises(ApiError) as caught:
        await asyncio.wait_for(waiting, 5)
    assert caught.value.reason == "DRAINING"
    assert fanout.readers == 0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.one_of(st.tuples(st.sampled_from("ABC"), st.booleans()), st.none()), max_size=60),
    queue=st.integers(1, 4),
)
async def test_slow_or_quick_nothing_is_unaccounted_for(
    steps: list[tuple[str, bool] | None], queue: int
) -> None:
    """Delivered and conflated add up to published; each topic's prices rise and end with the newest."""
    fanout = quotes(queue=queue)
    stream = await joined(fanout)
    price, delivered, skipped = 0, list[tuple[str, float]](), 0
    newest: dict[str, float] = {}

    async def read() -> None:
        nonlocal skipped
        response = parsed(await anext(stream))
        delivered.extend(content(response))
        skipped += response.header.conflated

    for step in steps:
        if step is None:
            if len(delivered) + skipped < price:
                await read()
            continue
        topic, wait = step
        price += 1
        newest[topic] = price
        publish(fanout, topic, price)
        if wait:
            await flushed(fanout)
    while len(delivered) + skipped < price:
        await asyncio.wait_for(read(), 5)
    assert len(delivered) + skipped == price
    for topic, last in newest.items():
        prices = [p for t, p in delivered if t == topic]
        assert prices == sorted(prices)
        assert prices[-1] == last
    await stream.aclose()  # type: ignore[attr-defined]
