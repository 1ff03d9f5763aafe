import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from services.cli.launcher.diagnosis import explain, is_hopeless, tail
from services.cli.launcher.process import SupervisedProcess
from services.cli.waiting import in_thread
from services.runtime.waiting import until

# Says who it is, then waits.
STEADY = "import os,signal; print(os.environ.get('WORD'), flush=True); signal.pause()"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
while True:
    signal.pause()
"""
Start = Callable[..., Awaitable[SupervisedProcess]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start a process that runs some Python, and wait for its first line."""
    started: list[SupervisedProcess] = []

    async def make(code: str = STEADY, *, says: int = 1, name: str = "thing") -> SupervisedProcess:
        process = SupervisedProcess(
            name,
            [sys.executable, "-S", "-c", code],
            environment={"WORD": "usual"},
            log_file=tmp_path / f"{name}.log",
            changed=lambda: None,
        )
        started.append(process)
        await process.start()
        await until(lambda: len(log_of(process).split()) >= says, timeout_s=60)
        return process

    yield make
    for process in started:
        await process.stop(0.0)


def log_of(process: SupervisedProcess) -> str:
    path = process._log_file
    return path.read_text() if path.exists() else ""


def has_said(process: SupervisedProcess, words: int) -> bool:
    return len(log_of(process).split()) == words


async def test_a_killed_process_comes_back(start: Start) -> None:
    process = await start()
    first, started = process.pid, process.started
    process.kill()
    await until(lambda: process.pid not in (first, None) and len(log_of(process).split()) == 2, timeout_s=60)
    assert process.restarts == 1
    assert process.last_exit == "signal 9"
    assert process.started is not None
    assert started is not None
    assert process.started >= started


async def test_the_next_environment_is_for_one_start(start: Start) -> None:
    process = await start()
    process.set_next_environment({"WORD": "once"})
    for said in (2, 3):
        process.kill()
        await until(partial(has_said, process, said), timeout_s=60)
    assert log_of(process).split() == ["usual", "once", "usual"]


async def test_restarts_back_off(start: Start) -> None:
    process = await start("import time; print(time.monotonic(), flush=True); raise SystemExit(3)", says=4)
    at = [float(word) for word in log_of(process).split()]
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert pauses[0] >= 0.2
    assert pauses[1] >= 0.4
    assert pauses[2] >= 0.8
    assert process.last_exit == "exit 3"
    assert is_hopeless([process])


async def test_a_stopped_process_stays_down(start: Start) -> None:
    process = await start()
    pid = process.pid
    await process.stop(5.0)
    assert process.pid is None
    assert process.restarts == 0
    assert pid is not None
    assert not psutil.pid_exists(pid)
    await process.stop(5.0)
    process.kill()


async def test_one_that_does_not_listen_is_killed(start: Start) -> None:
    process = await start(STUBBORN)
    await process.stop(0.1)
    assert process.pid is None


async def test_it_may_be_stopped_while_it_waits_for_its_next_start(start: Start) -> None:
    process = await start("print('gone', flush=True)")
    await until(lambda: process.restarts == 1, timeout_s=60)
    await process.stop(1.0)
    said = log_of(process)
    assert process.pid is None
    assert log_of(process) == said


async def test_what_does_not_come_up_is_named_with_the_end_of_its_log(start: Start, tmp_path: Path) -> None:
    broken = await start("raise SystemExit('no such level: LOUD')", name="risk")
    await until(lambda: is_hopeless([broken]), timeout_s=60)
    silent, fine = await start(name="data"), await start(name="venue")
    text = explain([broken, silent, fine], {"venue"}, tmp_path)
    assert "risk ended 3 times, last with exit 1" in text
    assert "  no such level: LOUD" in text
    assert "data does not answer" in text
    assert "venue" not in text
    assert tail(tmp_path / "none.log") == []


async def test_until_waits_for_either_kind_of_condition_and_no_longer_than_told() -> None:
    seen: list[int] = []

    async def third() -> bool:
        seen.append(1)
        return len(seen) == 3

    await until(third)
    with pytest.raises(TimeoutError):
        await until(lambda: False, timeout_s=0.01)


async def test_a_thread_is_not_left_behind_when_its_caller_is_cancelled() -> None:
    began, done = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    read, write = os.pipe()

    def work() -> None:
        loop.call_soon_threadsafe(began.set)
        os.read(read, 1)
        done.append("work")

    task = asyncio.create_task(in_thread(work))
    await began.wait()
    task.cancel()
    loop.call_later(0.05, os.write, write, b"x")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work"]
    os.close(read)
    os.close(write)
    assert await in_thread(lambda: signal.SIGINT) == signal.SIGINT
