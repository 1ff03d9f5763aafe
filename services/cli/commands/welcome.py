"""What `bifrost up` prints: where things are, how to log in, and first calls that work when pasted."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bifrost.portfolio.v1 import portfolio_pb2
from bifrost.venue.v1 import session_pb2
from services.cli.launcher import Home, Launcher

_LINES = Path(__file__).with_suffix(".txt")
_TOOLS = Path(__file__).parents[3] / "build" / "tools"
_ORDER = (
    '{"account_id": "{account}", "request_id": "\'$(date +%s%N)\'", '
    '"instrument": {"listed": {"symbol": "AAPL"}}, "terms": {"side": "SIDE_BUY", '
    '"type": "ORDER_TYPE_MARKET", "time_in_force": "TIME_IN_FORCE_DAY", "quantity": "10"}}'
)
_GRPCURL = (
    "{grpcurl} -plaintext {edge} list\n"
    '{grpcurl} -plaintext -H "authorization: Bearer $TOKEN" -d \''
    + _ORDER
    + "' {edge} bifrost.execution.v1.OrderService/SubmitOrder"
)
_CALL = "{bifrost} call OrderService/SubmitOrder{home} '" + _ORDER + "'"


def print_welcome(
    out: Console,
    launcher: Launcher,
    account: portfolio_pb2.Account,
    session: session_pb2.Session,
    seconds: float,
) -> None:
    """Print the panel and, under it, lines to paste."""
    home = launcher.home
    facts = {
        "gRPC, gRPC-Web, REST": f"http://{launcher.edge_address}",
        "Envoy admin": f"http://127.0.0.1:{launcher.ports.edge_admin}",
        "Log in": f"user admin, password in {home.admin_password_file} (bifrost finds it by itself)",
        "Paper account": account.account_id,
        "Replay": f"{session.start_date} to {session.end_date}, a trading day in "
        f"{session.seconds_per_day:g} s, seed {session.seed}",
        "Logs": str(home.logs),
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(name, Text(value))
    out.print(Panel(grid, title=f"Bifrost Trader is up ({seconds:.1f} s)", title_align="left"))
    # Plain text, never wrapped or marked up: it is there to be pasted.
    print(first_calls(launcher.edge_address, home, account.account_id), flush=True)


def first_calls(edge: str, home: Home, account: str) -> str:
    """Lines for a shell; grpcurl where it is installed, else the command's own `call`."""
    grpcurl = _grpcurl()
    values = {
        "{grpc_lines}": _GRPCURL if grpcurl else _CALL,
        "{grpcurl}": grpcurl or "",
        "{bifrost}": _bifrost(),
        "{home}": "" if home.is_usual else f" --home {shlex.quote(str(home.root))}",
        "{edge}": edge,
        "{password_file}": shlex.quote(str(home.admin_password_file)),
        "{account}": account,
    }
    lines = _LINES.read_text(encoding="utf-8")
    for name, value in values.items():
        lines = lines.replace(name, value)
    return lines


def _grpcurl() -> str | None:
    on_path = shutil.which("grpcurl")
    if on_path:
        return "grpcurl"
    built = _TOOLS / "grpcurl"
    return _short(built) if built.exists() else None


def _bifrost() -> str:
    return "bifrost" if shutil.which("bifrost") else _short(Path(sys.executable).with_name("bifrost"))


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
