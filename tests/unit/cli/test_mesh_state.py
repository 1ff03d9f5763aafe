import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.launcher import Home, MeshState, Ports
from services.cli.launcher.leftovers import end_leftovers
from services.cli.launcher.state import ProcessState, is_alive, start_ticks
from services.runtime.inventory import load_inventory
from services.runtime.waiting import until

# SIGINT ends it whoever started the tests: a shell's background jobs ignore it, and so does what they start.
WAITS = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); print(flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
LOCKS = (
    "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True); sys.stdin.read()"
)


@contextlib.contextmanager
def a_process(code: str = WAITS, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def a_state(**processes: ProcessState) -> MeshState:
    return MeshState(
        launcher_pid=os.getpid(),
        launcher_started=start_ticks(os.getpid()),
        edge="127.0.0.1:1",
        edge_admin="127.0.0.1:2",
        addresses={"data": "127.0.0.1:3"},
        metrics={},
        processes=processes,
    )


def entry(process: subprocess.Popen[bytes]) -> ProcessState:
    return ProcessState(pid=process.pid, started=start_ticks(process.pid))


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "mesh.json"
    state = a_state(data=ProcessState(pid=1, port=2, restarts=3, last_exit="signal 9", started=4))
    state.write(path)
    assert MeshState.read(path) == state
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_took_over_the_id_is_not_the_launcher(tmp_path: Path) -> None:
    path = tmp_path / "mesh.json"
    state = a_state()
    state.launcher_started = 1
    state.write(path)
    assert MeshState.read(path) is None
    assert MeshState.load(path) == state


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"launcher_pid": 1}'])
def test_what_cannot_be_read_is_no_mesh(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mesh.json"
    path.write_text(text)
    assert MeshState.read(path) is None
    assert MeshState.read(tmp_path / "none.json") is None


def test_a_zombie_is_not_alive() -> None:
    with a_process() as process:
        assert is_alive(process.pid, start_ticks(process.pid))
        assert not is_alive(process.pid, 1)
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid)
    assert not is_alive(process.pid)
    assert start_ticks(process.pid) is None


def test_leftovers_end_but_those_kept_and_those_whose_id_is_another_s_now() -> None:
    with a_process() as left, a_process() as postgres, a_process() as stranger:
        state = a_state(
            data=entry(left),
            postgres=entry(postgres),
            envoy=ProcessState(pid=stranger.pid, started=1),
            risk=ProcessState(),
        )
        assert end_leftovers(state, keep={"postgres"}) == ["data"]
        assert left.wait() == -signal.SIGTERM
        assert postgres.poll() is None
        assert stranger.poll() is None
        assert end_leftovers(state) == ["postgres"]
        assert postgres.wait() == -signal.SIGINT


def test_a_leftover_that_will_not_end_is_killed() -> None:
    with a_process(STUBBORN) as left:
        assert end_leftovers(a_state(data=entry(left)), grace_s=0.1) == ["data"]
        assert left.wait() == -signal.SIGKILL


async def test_a_home_has_one_launcher(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")
    held = home.lock()
    with pytest.raises(BlockingIOError):
        home.lock()
    held.close()
    home.lock().close()
    # The lock goes with its process, however that ends.
    with a_process(LOCKS, str(home.root / "lock")) as other:
        with pytest.raises(BlockingIOError):
            home.lock()
        other.kill()
        await asyncio.to_thread(other.wait)

        def free() -> bool:
            with contextlib.suppress(BlockingIOError):
                home.lock().close()
                return True
            return False

        await until(free, timeout_s=60)


def test_a_key_file_that_holds_no_elliptic_key_is_named(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    home = Home(tmp_path)
    home.prepare(["data"])
    key = ed25519.Ed25519PrivateKey.generate()
    home.credential_file("data").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(TypeError, match=r"data\.pem"):
        home.prepare(["data"])


def test_secrets_are_their_owner_s_alone_and_stay_the_same(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    before = home.is_new
    first = home.prepare(["data", "risk"])
    assert (before, home.is_new) == (True, False)
    assert home.prepare(["data", "risk", "venue"]).items() >= first.items()
    for path in (home.admin_password_file, home.credential_file("data"), home.services_jwks_file):
        assert path.stat().st_mode & 0o077 == 0, path


def test_where_a_home_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BIFROST_HOME", raising=False)
    assert Home.default().root == tmp_path / ".bifrost"
    assert Home.default().is_usual
    assert Home.at(Path("~/there")).root == tmp_path / "there"
    monkeypatch.setenv("BIFROST_HOME", str(tmp_path / "else"))
    assert Home.at(None).root == tmp_path / "else"
    assert not Home.default().is_usual


def test_free_ports_are_free_and_differ_and_taken_ones_are_named() -> None:
    inventory = load_inventory()
    ports = Ports.free(inventory)
    numbers = [ports.edge, ports.edge_admin, *ports.services.values(), *ports.metrics.values()]
    assert len(set(numbers)) == len(numbers)
    assert ports.taken() == []
    assert Ports.default(inventory).edge == inventory.edge_port
    with (
        socket.create_server(("127.0.0.1", ports.services["risk"])),
        socket.create_server(("127.0.0.1", ports.edge)),
    ):
        assert ports.taken() == [("edge", ports.edge), ("risk", ports.services["risk"])]
