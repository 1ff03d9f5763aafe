"""What is written is what is read: a number changed on the way would change the replay."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.venue.domain.commands import Command, ReplaceOrder
from services.venue.domain.exchange import Exchange
from services.venue.domain.order import OrderTerms
from services.venue.durable_state import (
    carried_from_json,
    carried_to_json,
    command_from_json,
    command_to_json,
)
from tests.unit.venue.test_venue_exchange import PLAN, SCRIPTS, Run, Script, commands, terms


@given(commands())
def test_commands_survive(command: Command) -> None:
    assert command_from_json(json.loads(json.dumps(command_to_json(command)))) == command


@given(st.from_regex(r"[1-9][0-9]{0,17}(\.[0-9]{0,8}[1-9])?", fullmatch=True), terms("aaa"))
def test_terms_survive_with_every_digit(quantity: str, drawn: OrderTerms) -> None:
    terms = replace(drawn, quantity=Decimal(quantity))
    again = command_from_json(json.loads(json.dumps(command_to_json(ReplaceOrder("alice", "1", terms, 2)))))
    assert isinstance(again, ReplaceOrder)
    assert str(again.terms.quantity) == quantity


@settings(max_examples=30, deadline=None)
@given(SCRIPTS, SCRIPTS)
def test_exchange_restored_from_json_goes_on_as_before(before: Script, after: Script) -> None:
    run = Run(Exchange(PLAN))
    run.play(before)
    carried = carried_from_json(carried_to_json(run.carried))
    assert carried == run.carried
    restored = Run(Exchange.restore(PLAN, carried, run.recorded, run.exchange.position))
    run.events.clear()
    run.play(after)
    restored.play(after)
    assert restored.events == run.events
