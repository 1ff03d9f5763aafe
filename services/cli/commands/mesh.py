"""bifrost up, down, status, logs: the mesh on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.bootstrap import PAPER_CASH, Replay, load_prices, open_paper_account, start_session
from services.cli.commands.welcome import print_welcome
from services.cli.console import HomeOption, Json, Target, UsageError, command, out, print_json, table
from services.cli.launcher import Home, Launcher, LaunchError, MeshState, Ports
from services.cli.launcher.state import is_alive
from services.runtime.inventory import load_inventory

_DOWN_S = 40.0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)


@command
async def up(
    home: HomeOption = None,
    free_ports: Annotated[bool, typer.Option(help="Take free ports instead of the usual ones.")] = False,
    seconds_per_day: Annotated[
        float, typer.Option(help="Wall-clock seconds a replayed trading day takes.", min=0.05)
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of the replayed tape.", min=1)] = 1,
) -> None:
    """Start the mesh, load real prices, begin a paper session. Ctrl-C stops it."""
    place = Home(home.absolute()) if home else Home.default()
    inventory = load_inventory()
    ports = Ports.free(inventory) if free_ports else Ports.default(inventory)
    stop = _stop_on_signals()
    began = time.monotonic()
    with Progress(
        SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn(), console=out
    ) as progress:
        task = progress.add_task("Starting", total=100)

        def report(stage: str, done: int, total: int) -> None:
            progress.update(task, description=f"Starting: {stage}", completed=70 * done / total)

        launcher = Launcher(place, ports, report=report)
        try:
            await _or_stopped(launcher.start(), stop)
            async with Target(place, launcher.edge_address).connect() as client:

                def loading(share: float, stage: str) -> None:
                    progress.update(task, description=f"Prices: {stage}", completed=70 + 20 * share)

                await _or_stopped(load_prices(client, loading), stop)
                progress.update(task, description="Session", completed=92)
                replay = Replay(seconds_per_day=seconds_per_day, seed=seed)
                session = await start_session(client, replay, request_id="first-session")
                progress.update(task, description="Account", completed=97)
                account = await open_paper_account(client, "paper", PAPER_CASH)
            progress.update(task, description="Ready", completed=100)
        except BaseException:
            progress.update(task, description="Stopping")
            await launcher.stop()
            raise
    print_welcome(out, launcher, account, session, time.monotonic() - began)
    await stop.wait()
    out.print("\nStopping …")
    await launcher.stop()
    out.print("Stopped. What was traded is kept; bifrost up goes on from there.")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _or_stopped(work: object, stop: asyncio.Event) -> None:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        raise LaunchError("stopped before it was up")
    await task


@command
async def down(home: HomeOption = None, as_json: Json = False) -> None:
    """Stop the mesh that runs on this machine."""
    place = Home(home.absolute()) if home else Home.default()
    state = MeshState.read(place.state_file)
    if state is None:
        if as_json:
            print_json({"stopped": False})
        else:
            out.print("No mesh runs here.")
        return
    os.kill(state.launcher_pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_S
    while is_alive(state.launcher_pid):
        if time.monotonic() > deadline:
            raise LaunchError(f"process {state.launcher_pid} does not stop; see {place.logs}")
        await asyncio.sleep(0.1)
    if as_json:
        print_json({"stopped": True})
    else:
        out.print("Stopped.")


@command
async def status(home: HomeOption = None, as_json: Json = False) -> None:
    """Every process of the mesh: state, port, memory, restarts."""
    target = Target.find(home, None)
    state = MeshState.read(target.home.state_file)
    if state is None:
        raise LaunchError(f"no mesh runs on {target.home.root}; start one with: bifrost up")
    rows = []
    for name, process in sorted(state.processes.items()):
        running = process.pid is not None and is_alive(process.pid)
        rows.append(
            {
                "process": name,
                "state": "running" if running else "down",
                "pid": process.pid,
                "port": process.port,
                "memory_mb": _memory_mb(process.pid) if running else 0,
                "restarts": process.restarts,
                "last_exit": process.last_exit,
            }
        )
    if as_json:
        print_json({"edge": state.edge, "launcher_pid": state.launcher_pid, "processes": rows})
        return
    columns = ["process", "state", "pid", "port", "memory_mb", "restarts", "last_exit"]
    cells = [["" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    out.print(table(f"mesh at {state.edge}", columns, cells, right=("pid", "port", "memory_mb", "restarts")))


def _memory_mb(pid: int | None) -> int:
    """Proportional share of memory of a process and its children, in MiB."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return round(sum(member.memory_full_info().pss for member in family) / 2**20)
    except psutil.Error:
        return 0


@command
async def logs(
    service: Annotated[str, typer.Argument(help="A service, envoy, postgres or valkey.")],
    home: HomeOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    as_json: Json = False,  # noqa: ARG001  log lines are JSON as they stand
) -> None:
    """The log of one process."""
    place = Home(home.absolute()) if home else Home.default()
    path = place.logs / f"{service}.log"
    if not path.exists():
        known = ", ".join(sorted(log.stem for log in place.logs.glob("*.log")))
        raise UsageError(f"no log of {service}; there are: {known or 'none yet'}")
    await asyncio.to_thread(_print_tail, path, lines)
    position = path.stat().st_size
    while follow:
        position = await asyncio.to_thread(_print_from, path, position)
        await asyncio.sleep(0.25)


def _print_tail(path: Path, lines: int) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[-lines:] if lines else []:
            print(line, end="")


def _print_from(path: Path, position: int) -> int:
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(position)
        for line in file:
            print(line, end="", flush=True)
        return file.tell()
