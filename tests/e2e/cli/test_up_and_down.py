"""bifrost up as a person uses it: in a terminal, its lines pasted into a shell, killed, begun again."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from services.cli.commands import mesh as mesh_commands
from services.cli.launcher import Home, MeshState
from services.runtime.embedded.unprivileged import data_folder, server_user
from services.runtime.inventory import load_inventory
from services.runtime.waiting import until

BIFROST = str(Path(sys.executable).with_name("bifrost"))
TREE = Path(__file__).parents[3]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UP_S = 90
Up = Callable[[], pexpect.spawn]
SERVICES = load_inventory().services


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home that is thrown away with its database."""
    with Home.temporary("cli") as place:
        yield place
        state = MeshState.load(place.state_file)
        if state is not None:
            for entry in state.processes.values():
                if entry.pid is not None and entry.is_alive:
                    os.kill(entry.pid, signal.SIGKILL)
        # Under root PostgreSQL's data lies elsewhere.
        shutil.rmtree(data_folder(server_user(), place.postgres), ignore_errors=True)


@pytest.fixture
def up(home: Home) -> Iterator[Up]:
    """bifrost up in a terminal of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BIFROST_")}
    terminals: list[pexpect.spawn] = []

    def start() -> pexpect.spawn:
        terminal = pexpect.spawn(
            BIFROST,
            ["up", "--home", str(home.root), "--free-ports", "--seconds-per-day", "10"],
            cwd=TREE,
            env=environment,
            dimensions=(50, 100),
            encoding="utf-8",
            timeout=UP_S,
        )
        terminals.append(terminal)
        return terminal

    yield start
    for terminal in terminals:
        if terminal.isalive():
            terminal.kill(signal.SIGTERM)
            terminal.expect(pexpect.EOF)


async def says(terminal: pexpect.spawn, what: str) -> str:
    """Wait until the terminal says it; returns what it said before."""
    await asyncio.to_thread(terminal.expect, what)
    return ESCAPES.sub("", terminal.before).replace("\r", "")


async def ends(terminal: pexpect.spawn) -> int:
    """Wait for its end; returns the exit code."""
    await asyncio.to_thread(terminal.expect, pexpect.EOF)
    await asyncio.to_thread(terminal.close)
    return int(terminal.exitstatus if terminal.exitstatus is not None else -terminal.signalstatus)


def alive(state: MeshState) -> list[str]:
    return [name for name, entry in state.processes.items() if entry.is_alive]


def running(home: Home) -> MeshState:
    state = MeshState.read(home.state_file)
    assert state is not None
    return state


def bash(script: str) -> str:
    """What a shell prints of pasted lines; a line that fails ends it."""
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


async def test_the_lines_it_prints_work_when_pasted_and_a_kill_leaves_nothing_in_the_way(
    home: Home, up: Up
) -> None:
    terminal = up()
    panel = await says(terminal, "# a token for the shell")
    assert "Bifrost Trader is up" in panel
    lines = "# a token" + await says(terminal, r"bifrost quotes [^\n]*\n")
    token, grpc_lines, rest_line, quotes_line, own_lines = re.split(r"\n\n", lines.strip())[:5]

    bought = await asyncio.to_thread(bash, f"{token}\n{grpc_lines}\n{rest_line}\n")
    assert bought.count("SUBMIT_OUTCOME_ACCEPTED") == 2, bought
    live = await asyncio.to_thread(
        bash, f"{token}\n{quotes_line.replace('curl -sN', 'curl -sN -m 3')} | head -1 || true"
    )
    assert "bid" in live
    # The last of the command's own lines goes on until Ctrl-C; it is cut off here.
    shown = await asyncio.to_thread(bash, own_lines.rpartition("\n")[0])
    assert "accepted  buy 10 IBM market day" in shown
    assert "balance in USD" in shown

    # A second one on the same home is refused, and does the first no harm.
    second = up()
    refusal = await says(second, pexpect.EOF)
    assert "a mesh already runs on" in refusal
    assert await ends(second) == 1
    first = running(home)
    assert sorted(alive(first)) == sorted([*SERVICES, "envoy", "postgres", "valkey"])

    # Killed: its services end with it, what cannot is ended or taken over by the next.
    os.kill(first.launcher_pid, signal.SIGKILL)
    assert await ends(terminal) == -signal.SIGKILL
    assert MeshState.read(home.state_file) is None
    terminal = up()
    await says(terminal, "# a token for the shell")
    again = running(home)
    assert again.processes["postgres"].pid == first.processes["postgres"].pid
    assert alive(first) == ["postgres"]

    # What was traded is still there, and Ctrl-C leaves nothing.
    await says(terminal, r"bifrost quotes [^\n]*\n")
    terminal.sendintr()
    assert "Stopped." in await says(terminal, pexpect.EOF)
    assert await ends(terminal) == 0
    assert alive(again) == []
    assert not home.state_file.exists()


@pytest.mark.parametrize("stage", ["Starting: PostgreSQL", "Starting: services"])
async def test_ctrl_c_while_it_starts_stops_everything(home: Home, up: Up, stage: str) -> None:
    terminal = up()
    await says(terminal, stage)
    started = psutil.Process(terminal.pid).children(recursive=True)
    terminal.sendintr()
    assert "Stopped before it was up." in await says(terminal, pexpect.EOF)
    assert await ends(terminal) == 130
    assert [process for process in started if process.is_running()] == []
    assert MeshState.load(home.state_file) is None


async def test_up_and_down_in_this_process(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    running_up = asyncio.create_task(
        mesh_commands.up.__wrapped__(home=home.root, free_ports=True, seconds_per_day=10.0)  # type: ignore[attr-defined]
    )
    try:
        said: list[str] = []

        def is_up() -> bool:
            said.append(capsys.readouterr().out)
            assert not running_up.done()
            return "# a token for the shell" in "".join(said)

        await until(is_up, timeout_s=UP_S)
        state = running(home)
        await mesh_commands.down.__wrapped__(home=home.root)  # type: ignore[attr-defined]
    finally:
        if not running_up.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await running_up
        for number, handler in before.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)
    assert alive(state) == []
