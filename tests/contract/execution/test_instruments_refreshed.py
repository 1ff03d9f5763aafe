"""What execution knows of instruments grows no older than it may, also while data is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import grpc
import pytest

from bifrost.data.v1 import instrument_pb2
from bifrost.type.v1 import value_pb2
from services.execution.clients import DataInstruments
from services.runtime.clock import NANOS, ManualClock
from services.runtime.errors import ApiError
from services.runtime.testing import connect
from services.runtime.waiting import until
from tests.contract.execution.fake_peers import AAPL, GOOG, FakeData

BY_ID = value_pb2.InstrumentRef(instrument_id=AAPL.instrument_id)
BY_SYMBOL = value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol="AAPL", mic="XNAS"))
KEEP_S, GRACE_S = 300, 60


class Asked:
    """Execution's view of instruments over a socket, on a clock set by hand."""

    def __init__(self, data: FakeData, channel: grpc.aio.Channel) -> None:
        self.data = data
        self.clock = ManualClock(0)
        self.instruments = DataInstruments(channel, clock=self.clock)

    @property
    def calls(self) -> int:
        return self.data.calls["GetInstrument"]

    def after(self, seconds: float) -> None:
        self.clock.advance(int(seconds * NANOS))

    def change(self, edit: Callable[[instrument_pb2.Instrument], None]) -> None:
        changed = instrument_pb2.Instrument()
        changed.CopyFrom(AAPL)
        edit(changed)
        self.data.instruments = [changed, GOOG]

    def set_tick(self, tick: str) -> None:
        self.change(lambda instrument: setattr(instrument, "tick_size", tick))

    async def tick(self, ref: value_pb2.InstrumentRef = BY_ID) -> Decimal:
        return (await self.instruments.get(ref)).ticks.smallest

    async def reason(self, ref: value_pb2.InstrumentRef = BY_ID) -> str:
        with pytest.raises(ApiError) as failed:
            await self.instruments.get(ref)
        return failed.value.reason


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    data = FakeData()
    await data.server.start()
    async with connect(f"127.0.0.1:{data.port}") as channel:
        yield Asked(data, channel)
    data.gate.set()
    await data.server.stop(None)


@pytest.mark.parametrize("ref", [BY_ID, BY_SYMBOL])
async def test_a_change_is_seen_after_five_minutes(asked: Asked, ref: value_pb2.InstrumentRef) -> None:
    assert await asked.tick(ref) == Decimal("0.01")
    asked.set_tick("0.05")
    asked.after(KEEP_S - 1)
    assert (await asked.tick(ref), asked.calls) == (Decimal("0.01"), 1)
    asked.after(1)
    assert (await asked.tick(ref), asked.calls) == (Decimal("0.05"), 2)
    asked.after(KEEP_S - 1)
    assert (await asked.tick(ref), asked.calls) == (Decimal("0.05"), 2)


async def test_lots_and_tick_bands_change_too(asked: Asked) -> None:
    await asked.instruments.get(BY_SYMBOL)

    def edit(instrument: instrument_pb2.Instrument) -> None:
        instrument.lot_size = "100"
        for start, tick in (("0", "0.01"), ("10", "0.05")):
            instrument.tick_bands.add(from_price=start, tick_size=tick)

    asked.change(edit)
    asked.after(KEEP_S)
    # Asked by its id, it is as old as the answer to the symbol.
    now = await asked.instruments.get(BY_ID)
    assert (now.lot_size, now.ticks.at(Decimal(10))) == (Decimal(100), Decimal("0.05"))


async def test_while_data_is_away_the_last_known_holds_for_a_minute(asked: Asked) -> None:
    await asked.tick()
    asked.data.away = True
    asked.after(KEEP_S)
    assert (await asked.tick(), asked.calls) == (Decimal("0.01"), 2)
    # No order of the same second waits for data again.
    assert (await asked.tick(), asked.calls) == (Decimal("0.01"), 2)
    asked.after(GRACE_S - 1)
    assert (await asked.tick(), asked.calls) == (Decimal("0.01"), 3)
    asked.after(1)
    assert await asked.reason() == "DEPENDENCY_UNAVAILABLE"
    assert await asked.reason() == "DEPENDENCY_UNAVAILABLE"
    asked.data.away = False
    asked.set_tick("0.05")
    assert await asked.tick() == Decimal("0.05")


async def test_data_back_within_the_minute_is_asked_again(asked: Asked) -> None:
    await asked.tick()
    asked.data.away = True
    asked.after(KEEP_S)
    assert await asked.tick() == Decimal("0.01")
    asked.data.away = False
    asked.set_tick("0.05")
    asked.after(1)
    assert await asked.tick() == Decimal("0.05")


async def test_while_one_order_asks_others_do_not_wait(asked: Asked) -> None:
    await asked.tick()
    asked.set_tick("0.05")
    asked.data.gate.clear()
    asked.after(KEEP_S)
    first = asyncio.create_task(asked.tick())
    await until(lambda: asked.calls == 2, timeout_s=60)
    assert await asked.tick() == Decimal("0.01")
    asked.data.gate.set()
    assert await first == Decimal("0.05")
    assert (await asked.tick(), asked.calls) == (Decimal("0.05"), 2)


async def test_data_that_hangs_holds_an_order_up_for_a_second_at_most(asked: Asked) -> None:
    await asked.tick()
    asked.data.gate.clear()
    asked.after(KEEP_S)
    async with asyncio.timeout(60):
        assert await asked.tick() == Decimal("0.01")


async def test_what_data_no_longer_has_is_refused_at_once(asked: Asked) -> None:
    await asked.tick()
    asked.data.instruments = [GOOG]
    asked.after(KEEP_S)
    assert await asked.reason() == "INSTRUMENT_NOT_FOUND"
    asked.data.away = True
    assert await asked.reason() == "DEPENDENCY_UNAVAILABLE"


async def test_what_was_never_known_needs_data(asked: Asked) -> None:
    asked.data.away = True
    assert await asked.reason() == "DEPENDENCY_UNAVAILABLE"
