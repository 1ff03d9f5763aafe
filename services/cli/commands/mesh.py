"""bifrost up, down, status: the mesh on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import psutil
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from services.cli.bootstrap import PAPER_CASH, Replay, load_prices, open_paper_account, start_session
from services.cli.commands.welcome import print_welcome
from services.cli.console import (
    INTERRUPTED,
    HomeOption,
    Json,
    Target,
    command,
    err,
    out,
    print_json,
    table,
)
from services.cli.launcher import Home, Launcher, LaunchError, MeshState, Ports
from services.cli.launcher.health import bar_storage, serving_status
from services.cli.launcher.leftovers import end_leftovers
from services.cli.waiting import in_thread
from services.runtime.inventory import load_inventory
from services.runtime.waiting import until

_DOWN_S = 40.0
SERVING = "SERVING"
_STATUS_COLUMNS = ("process", "health", "pid", "port", "memory_mb", "restarts", "last_exit")
R = TypeVar("R")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


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
    place = Home.at(home)
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
                session = await _or_stopped(start_session(client, replay, request_id="first-session"), stop)
                progress.update(task, description="Account", completed=97)
                account = await _or_stopped(open_paper_account(client, "paper", PAPER_CASH), stop)
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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _or_stopped(work: Coroutine[Any, Any, R], stop: asyncio.Event) -> R:
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        err.print("Stopped before it was up.")
        raise typer.Exit(INTERRUPTED)
    return await task


@command
async def down(home: HomeOption = None, as_json: Json = False) -> None:
    """Stop the mesh that runs on this machine."""
    place = Home.at(home)
    state = MeshState.load(place.state_file)
    stopped = state is not None and state.is_running
    left: list[str] = []
    if state is not None and stopped:
        await _end_launcher(place, state)
    elif state is not None:
        left = await in_thread(end_leftovers, state)
        place.state_file.unlink(missing_ok=True)
    if as_json:
        print_json({"stopped": stopped, "ended_leftovers": left})
    elif stopped:
        out.print("Stopped.")
    elif left:
        out.print(f"The mesh here was killed; ended what it had left: {', '.join(left)}.")
    else:
        out.print(f"No mesh runs on {place.root}.")


async def _end_launcher(place: Home, state: MeshState) -> None:
    os.kill(state.launcher_pid, signal.SIGTERM)
    try:
        # The state goes last, when nothing runs any more.
        await until(lambda: MeshState.read(place.state_file) is None, timeout_s=_DOWN_S)
    except TimeoutError:
        raise LaunchError(f"process {state.launcher_pid} does not stop; see {place.logs}") from None


@command
async def status(home: HomeOption = None, as_json: Json = False) -> None:
    """Every process of the mesh: health, port, memory, restarts. Exit code 1 unless all serve."""
    place = Home.at(home)
    state = MeshState.read(place.state_file)
    if state is None:
        raise LaunchError(f"no mesh runs on {place.root}; start one with: bifrost up")
    names = sorted(state.processes)
    rows = await asyncio.gather(*(_process_row(state, name) for name in names))
    storage = await bar_storage(state.addresses["data"]) if "data" in state.addresses else ""
    if as_json:
        facts = {"edge": state.edge, "launcher_pid": state.launcher_pid, "bar_storage": storage}
        print_json(facts | {"processes": rows})
    else:
        cells = [[_cell(column, row[column]) for column in _STATUS_COLUMNS] for row in rows]
        titles = [column.replace("_mb", " MB").replace("_", " ") for column in _STATUS_COLUMNS]
        out.print(
            table(f"mesh at {state.edge}", titles, cells, right=("pid", "port", "memory MB", "restarts"))
        )
        if storage:
            out.print(f"bars: {storage}")
    if any(row["health"] != SERVING for row in rows):
        raise typer.Exit(1)


async def _process_row(state: MeshState, name: str) -> dict[str, Any]:
    entry = state.processes[name]
    alive = entry.is_alive
    return {
        "process": name,
        "state": "running" if alive else "down",
        "health": await _health(state, name) if alive else "DOWN",
        "pid": entry.pid,
        "port": entry.port,
        "memory_mb": await asyncio.to_thread(_memory_mb, entry.pid) if alive else 0,
        "restarts": entry.restarts,
        "last_exit": entry.last_exit,
    }


async def _health(state: MeshState, name: str) -> str:
    services = load_inventory().services
    if name in services:
        # The worst speaks for it: a contract, or the whole, which says whether it must be looked at.
        asked = ("", *services[name].contracts)
        answers = [serving_status(state.addresses[name], contract) for contract in asked]
        return max(await asyncio.gather(*answers), key=lambda answer: answer != SERVING)
    if name == "envoy":
        return await serving_status(state.edge, "")
    # Valkey and PostgreSQL: their supervisors saw them ready, and they run.
    return SERVING


def _cell(column: str, value: object) -> str | Text:
    text = "" if value is None else str(value)
    if column != "health":
        return text
    return Text(text, style="green" if text == SERVING else "bold red")


def _memory_mb(pid: int | None) -> int:
    """Proportional share of memory of a process and its children, in MiB."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return round(sum(member.memory_full_info().pss for member in family) / 2**20)
    except psutil.Error:
        return 0
