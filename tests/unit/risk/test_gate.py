"""When risk may not vouch for anything, and what it says then."""

import asyncio

import pytest

from services.risk.gate import Gate
from services.runtime.errors import ApiError


class Log:
    def __init__(self, name: str) -> None:
        self.name = name
        self.halted: str | None = None
        self.caught_up = asyncio.Event()


def refusal(gate: Gate) -> str:
    with pytest.raises(ApiError) as raised:
        gate.check()
    assert raised.value.reason == "NOT_CAUGHT_UP"
    return raised.value.message


async def test_closed_until_every_log_was_caught_up_with_once() -> None:
    orders, ledger = Log("orders"), Log("ledger")
    gate = Gate(orders, ledger)
    running = asyncio.create_task(gate.run())
    assert "orders and ledger" in refusal(gate)
    orders.caught_up.set()
    ledger.caught_up.set()
    await running
    gate.check()
    orders.caught_up.clear()  # its service is away: the log does not move
    gate.check()


async def test_a_log_that_halts_before_it_was_caught_up_with_is_named_with_its_reason() -> None:
    orders, ledger = Log("orders"), Log("ledger")
    ledger.halted = "the epoch changed"
    assert "ledger cannot be trusted any more: the epoch changed" in refusal(Gate(orders, ledger))
