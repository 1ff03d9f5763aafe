"""How long the second start of a mesh takes until all serve, and what memory each process holds then."""

from __future__ import annotations

import statistics
import time

import psutil

from services.cli.launcher import Home, MeshState
from tests.bench.measure import Report, Result, run_async
from tests.bench.mesh import launcher_of, prepared_mesh

_ALLOWED_S = 20.0
_RUNS = 5
_MIB = 2**20


def run(report: Report) -> list[Result]:
    """Seconds of a start on a home that was used before; mebibytes of each process."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    with Home.temporary("bench") as home:
        async with prepared_mesh(home, report):
            pass  # the first start: it makes keys, tables and prices
        seconds: list[float] = []
        memory: dict[str, int] = {}
        for number in range(_RUNS):
            report(f"start {number + 1} of {_RUNS}")
            launcher = launcher_of(home, lambda _stage: None)
            try:
                began = time.perf_counter()
                await launcher.start()
                seconds.append(time.perf_counter() - began)
                memory = _memory(home)
            finally:
                await launcher.stop()
    return [_start_result(seconds), *_memory_results(memory)]


def _start_result(seconds: list[float]) -> Result:
    ratios = [_ALLOWED_S / one for one in seconds]
    return Result(
        name="start_up",
        value=statistics.median(seconds),
        unit="s",
        peer="what a second start may take",
        peer_value=_ALLOWED_S,
        ratio=statistics.median(ratios),
        spread=(min(ratios), max(ratios)),
        limit=1.0,
        runs=len(seconds),
        note="a home with tables, prices and a session; until every service is SERVING and the edge answers",
    )


def _memory(home: Home) -> dict[str, int]:
    """Bytes each process and its children hold, pages shared counted by their share (PSS)."""
    state = MeshState.read(home.state_file)
    if state is None:
        raise RuntimeError("the mesh that was just started is not there")
    return {name: _share(process.pid) for name, process in state.processes.items() if process.pid}


def _share(pid: int) -> int:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(int(member.memory_full_info().pss) for member in family)


def _memory_results(memory: dict[str, int]) -> list[Result]:
    total = Result(
        "memory", sum(memory.values()) / _MIB, "MiB", note="all processes right after a start, PSS"
    )
    return [total, *(Result(f"memory_{name}", held / _MIB, "MiB") for name, held in sorted(memory.items()))]
