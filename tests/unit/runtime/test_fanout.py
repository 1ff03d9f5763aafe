"""One serialisation for those that keep up, conflation for those that do not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost.data.v1.market_stream_service_pb2 import (
    SourceChange,
    StreamQuotesResponse,
    StreamTradesResponse,
)
from bifrost.data.v1.quote_pb2 import Quote
from services.runtime import fanout_reader
from services.runtime.clock import ManualClock
from services.runtime.errors import ApiError
from services.runtime.fanout import Fanout, Item, Subscription
from services.runtime.waiting import until

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
    await until(lambda: fanout.sequence > before, timeout_s=60)


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


async def test_a_reader_that_takes_nothing_is_lost_before_memory_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout_reader, "MOST_WAITING", 10)
    fanout: Fanout[str] = Fanout(
        StreamTradesResponse, update_field="trades", items_field="trades", clock=ManualClock(NOW), queue=1
    )
    stream = fanout.subscribe(None, draining=asyncio.Event())
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    fanout.publish("A", b"", event_time_ns=0, slot="first")
    await flushed(fanout)
    await reading
    for n in range(12):
        fanout.publish("A", b"", event_time_ns=n, slot=("A", n))
        await flushed(fanout)
    with pytest.raises(ApiError) as refused:
        await anext(stream)
    assert refused.value.reason == "READER_TOO_SLOW"


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
        await asyncio.wait_for(waiting, 60)
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
        await asyncio.wait_for(read(), 60)
    assert len(delivered) + skipped == price
    for topic, last in newest.items():
        prices = [p for t, p in delivered if t == topic]
        assert prices == sorted(prices)
        assert prices[-1] == last
    await stream.aclose()  # type: ignore[attr-defined]


async def test_topics_change_on_a_running_stream() -> None:
    fanout = quotes()
    for topic, price in (("A", 1), ("B", 2)):
        publish(fanout, topic, price)
    subscription = Subscription(fanout, {"A"}, draining=asyncio.Event(), tag=b"\x32\x02id")
    assert subscription.change({"C"}, ()) == {"A", "C"}  # before it is read
    stream = subscription.messages()
    first = parsed(await anext(stream))
    assert (first.subscription_id, [quote.instrument_id for quote in first.snapshot.quotes]) == ("id", ["A"])
    await anext(stream)
    publish(fanout, "A", 3)
    publish(fanout, "C", 4)
    await flushed(fanout)
    assert subscription.change({"B"}, {"A"}) == {"B", "C"}
    assert content(parsed(await anext(stream))) == [("C", 4)]  # what waited of A is gone
    shown = parsed(await anext(stream))
    assert [(quote.instrument_id, quote.bid) for quote in shown.snapshot.quotes] == [("B", 2)]
    publish(fanout, "A", 5)
    publish(fanout, "B", 6)
    assert content(parsed(await anext(stream))) == [("B", 6)]
    assert fanout.readers == 1
    await stream.aclose()
    assert fanout.readers == 0
    with pytest.raises(ValueError, match="all topics"):
        Subscription(fanout, None, draining=asyncio.Event()).change({"A"}, ())


async def test_a_marker_comes_with_a_snapshot_and_before_all_that_waits_for_a_slow_reader() -> None:
    fanout = quotes(queue=1)
    slow = await joined(fanout)
    publish(fanout, "A", 1)
    fanout.announce("source_change", SourceChange(source="B").SerializeToString())
    kinds = []
    for _ in range(2):
        message = parsed(await anext(slow))
        kinds.append((message.WhichOneof("event"), message.source_change.source, content(message)))
    assert kinds == [("source_change", "B", []), ("update", "", [("A", 1)])]


async def test_what_is_shown_first_can_be_made_when_it_is_asked_for() -> None:
    def present(topics: frozenset[str] | None) -> list[Item[str]]:
        return [Item("A", Quote(instrument_id="A", age_ms=7).SerializeToString(), NOW)]

    fanout: Fanout[str] = Fanout(
        StreamQuotesResponse,
        update_field="update",
        items_field="quotes",
        snapshot_field="snapshot",
        clock=ManualClock(NOW),
        present=present,
    )
    first = parsed(await anext(fanout.subscribe({"A"}, draining=asyncio.Event())))
    assert [quote.age_ms for quote in first.snapshot.quotes] == [7]
