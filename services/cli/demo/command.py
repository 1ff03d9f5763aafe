"""bifrost demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from services.cli.console import Json, command, err, out, print_json, table
from services.cli.demo.scenario import Outcome, Plan, run_demo
from services.cli.launcher import Home
from services.cli.money import pad_money, show_money, show_pnl, show_price, show_quantity

_MONEY = ("cash", "equity", "realized_pnl", "unrealized_pnl", "fees")
_RUN = ("fills", "quotes", "order_events", "rest_calls", "retries", "resumes", "kills", "seconds")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


@command
async def demo(
    home: Annotated[
        Path | None, typer.Option(help="Keep the mesh's data here instead of a folder that is thrown away.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to trade.", min=5)] = 40.0,
    seed: Annotated[int, typer.Option(help="Seed of the replayed tape.", min=1)] = 7,
    as_json: Json = False,
) -> None:
    """Trade real prices through two crashes on a mesh of its own, then prove every cent."""
    with (
        Home.temporary("demo") as scratch,
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<44}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=err,
            disable=as_json,
        ) as progress,
    ):
        task = progress.add_task("starting", total=100)

        def report(stage: str, done: float) -> None:
            progress.update(task, description=stage, completed=done)

        plan = Plan(home=Home(home.absolute()) if home else scratch, trade_s=seconds, seed=seed)
        outcome = await run_demo(plan, report)
        report("done", 100)
    document = summary(outcome)
    if as_json:
        print_json(document)
    else:
        _print(outcome, document)
    if not outcome.proof.holds:
        raise typer.Exit(1)


def summary(outcome: Outcome) -> dict[str, Any]:
    """The outcome as data: counts are numbers, differences decimal strings."""
    tally, proof, states = outcome.tally, outcome.proof, outcome.orders_by_state
    balance = outcome.positions.balance
    return {
        "orders": {
            "submitted": sum(states.values()),
            "filled": states.get("filled", 0),
            "cancelled": states.get("cancelled", 0),
            "refused": states.get("rejected", 0),
            "expired": states.get("expired", 0),
            "unknown": outcome.unknown,
        },
        "fills": len(outcome.records.fills),
        "quotes": tally.quotes,
        "order_events": len(tally.events),
        "rest_calls": tally.rest_calls,
        "retries": tally.retries,
        "resumes": sum(tally.resumes.values()),
        "kills": len(tally.kills),
        "cash": pad_money(balance.cash, balance.currency),
        "equity": pad_money(balance.equity, balance.currency),
        "realized_pnl": pad_money(balance.realized_pnl, balance.currency),
        "unrealized_pnl": pad_money(balance.unrealized_pnl, balance.currency),
        "fees": pad_money(balance.fees, balance.currency),
        "seconds": round(outcome.seconds, 1),
        "proof": {
            "holds": proof.holds,
            "cash_difference": format(proof.cash_difference, "f"),
            "holdings_difference": format(proof.holdings_difference, "f"),
            "orders_missing": proof.orders_missing,
            "orders_duplicated": proof.orders_duplicated,
            "event_gaps": proof.event_gaps,
        },
    }


def _print(outcome: Outcome, document: dict[str, Any]) -> None:
    orders = [[name, str(count)] for name, count in document["orders"].items()]
    out.print(table("orders", ["outcome", "count"], orders, right=("count",)))
    refusals = [[what, why] for what, why in outcome.tally.refusals]
    out.print(table("refused by the limits", ["order", "rules"], refusals))
    held: list[list[str | Text]] = [
        [
            entry.symbol,
            show_quantity(entry.quantity),
            show_price(entry.average_cost, entry.currency),
            show_price(entry.mark_price, entry.currency),
            show_pnl(entry.realized_pnl, entry.currency),
            show_pnl(entry.unrealized_pnl, entry.currency),
        ]
        for entry in outcome.positions.positions
    ]
    numbers = ("quantity", "average cost", "mark", "realised", "unrealised")
    out.print(table("holdings", ["symbol", *numbers], held, right=numbers))
    currency = outcome.positions.balance.currency
    money: list[list[str | Text]] = [
        [name.replace("_", " "), show_money(document[name], currency)] for name in _MONEY
    ]
    run: list[list[str | Text]] = [[name.replace("_", " "), f"{document[name]:,}"] for name in _RUN]
    title = f"account in {currency}, and the run"
    out.print(table(title, ["", "value"], money + run, right=("value",)))
    proof = document["proof"]
    rows = [[name.replace("_", " "), str(value)] for name, value in proof.items() if name != "holds"]
    out.print(table("proof, from the venue's own record", ["", "difference"], rows, right=("difference",)))
    if proof["holds"]:
        out.print("[bold green]Every order, fill and cent agrees.[/]")
    else:
        out.print("[bold red]The records do not agree.[/]")
