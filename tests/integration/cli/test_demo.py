"""The main job, short: the whole of bifrost demo in this process."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
import typer

from services.cli.demo import command as demo_command
from services.cli.demo import scenario
from services.cli.demo.command import _print, summary
from services.cli.demo.scenario import Outcome, Plan
from services.cli.proof import check


async def test_the_demo_trades_through_two_crashes_and_proves_every_cent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: list[Outcome] = []

    async def watched(plan: Plan, report: scenario.Report) -> Outcome:
        outcomes.append(await scenario.run_demo(plan, report))
        return outcomes[-1]

    monkeypatch.setattr(demo_command, "run_demo", watched)
    await demo_command.demo.__wrapped__(seconds=5.0, as_json=True)  # type: ignore[attr-defined]
    # Before it stand the libraries' log lines, which main() turns off.
    document = json.loads(capsys.readouterr().out.splitlines()[-1])

    orders = document["orders"]
    assert orders.keys() >= {"submitted", "filled", "cancelled", "refused", "unknown"}
    assert orders["submitted"] >= 40
    assert orders["refused"] >= 2
    assert orders["unknown"] == 0
    assert orders["submitted"] == sum(count for name, count in orders.items() if name != "submitted")
    assert document["kills"] == 2
    assert document["resumes"] >= 2
    proof = document["proof"]
    assert proof["holds"] is True
    assert (proof["orders_missing"], proof["orders_duplicated"], proof["event_gaps"]) == (0, 0, 0)
    for name in ("cash_difference", "holdings_difference"):
        assert isinstance(proof[name], str)
        assert Decimal(proof[name]) == 0
    assert re.fullmatch(r"\d+\.\d\d", document["cash"])

    outcome = outcomes[0]
    _print(outcome, summary(outcome))
    shown = capsys.readouterr().out
    assert "Every order, fill and cent agrees." in shown
    assert "250,000" not in shown
    await a_planted_cent_is_found(outcome, monkeypatch, capsys)


async def a_planted_cent_is_found(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same run with a cent more in its cash ends with exit code 1 and says so."""
    forged = replace(outcome.records, cash=outcome.records.cash + Decimal("0.01"))
    wrong = replace(outcome, records=forged, proof=check(forged))

    async def again(plan: Plan, report: scenario.Report) -> Outcome:
        return wrong

    monkeypatch.setattr(demo_command, "run_demo", again)
    with pytest.raises(typer.Exit) as ended:
        await demo_command.demo.__wrapped__()  # type: ignore[attr-defined]
    assert ended.value.exit_code == 1
    shown = capsys.readouterr().out
    assert "The records do not agree." in shown
    assert re.search(r"cash difference +0\.01", shown)
