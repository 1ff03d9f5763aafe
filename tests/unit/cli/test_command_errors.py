"""What the command says without a mesh. Run in this process, as `bifrost` would be."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost.execution.v1 import order_pb2, order_service_pb2
from services.cli.console import short_name
from services.cli.launcher import Home, MeshState
from services.cli.launcher.state import ProcessState, start_ticks
from services.cli.main import main
from services.runtime.embedded.ports import free_port
from services.runtime.inventory import load_inventory

Patch = pytest.MonkeyPatch
Said = pytest.CaptureFixture[str]


def bifrost(patch: Patch, *arguments: str) -> int:
    """Run the command; returns its exit code."""
    patch.setattr(sys, "argv", ["bifrost", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: Patch) -> None:
    """No mesh: an empty home, and an edge where nobody listens."""
    monkeypatch.setenv("BIFROST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BIFROST_EDGE", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr("services.cli.console.out._width", 200)
    monkeypatch.setattr("services.cli.console.err._width", 200)
    monkeypatch.setenv("TERMINAL_WIDTH", "200")


COMMANDS = [
    ["quotes"],
    ["bars", "AAPL"],
    ["positions"],
    ["positions", "--watch"],
    ["login"],
    ["order", "list"],
    ["order", "watch"],
    ["order", "cancel", "all"],
    ["order", "submit", "buy", "10", "AAPL"],
    ["call", "OrderService/ListOrders"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_mesh_it_is_said_how_to_start_one(
    monkeypatch: Patch, capsys: Said, command: list[str]
) -> None:
    assert bifrost(monkeypatch, *command) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("NO_MESH  nothing answers at 127.0.0.1:")
    assert "bifrost up" in said.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_machines_are_told_in_one_object(monkeypatch: Patch, capsys: Said, command: list[str]) -> None:
    assert bifrost(monkeypatch, *command, "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["reason"] == "NO_MESH"
    assert said.err == ""


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["status"], 1, "start one with: bifrost up"),
        (["logs", "venue"], 1, "no log of venue; there are: none yet"),
        (["bars", "AAPL", "--start", "01.02.2013"], 1, "a day or time is written YYYY-MM-DD"),
        (["call", "Nothing/AtAll"], 1, "no method Nothing/AtAll"),
        (["call", "OrderService/ListOrders", "{x"], 1, "the request is not a ListOrdersRequest"),
        (["positions", "--edge", "nonsense"], 1, "an edge is written host:port"),
        (["order", "submit", "hold", "10", "AAPL"], 2, "'hold' is not one of 'buy', 'sell'"),
        (["bars", "AAPL", "--adjustment", "some"], 2, "'some' is not one of"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_wrong_use_is_explained_to_people_and_to_machines(
    monkeypatch: Patch, capsys: Said, command: list[str], code: int, says: str
) -> None:
    assert bifrost(monkeypatch, *command) == code
    said = capsys.readouterr()
    assert says in " ".join(said.err.split())
    assert said.out == ""
    assert bifrost(monkeypatch, *command, "--json") == code
    said = capsys.readouterr()
    assert says in json.loads(said.out)["error"]["message"]
    assert said.err == ""


def test_down_without_a_mesh_is_no_error(monkeypatch: Patch, capsys: Said) -> None:
    assert bifrost(monkeypatch, "down") == 0
    assert "No mesh runs on" in capsys.readouterr().out
    assert bifrost(monkeypatch, "down", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"stopped": False, "ended_leftovers": []}


def test_down_ends_what_a_killed_mesh_left(monkeypatch: Patch, capsys: Said, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare([])
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    entry = ProcessState(pid=left.pid, started=start_ticks(left.pid))
    state = MeshState(
        launcher_pid=os.getpid(),
        launcher_started=1,
        edge="",
        edge_admin="",
        addresses={},
        metrics={},
        processes={"valkey": entry},
    )
    state.write(home.state_file)
    assert bifrost(monkeypatch, "down") == 0
    assert "ended what it had left: valkey" in capsys.readouterr().out
    assert left.wait() == -signal.SIGTERM
    assert not home.state_file.exists()


@pytest.mark.parametrize("listener", ["edge", "mesh"])
def test_envoy_s_configuration_is_rendered_without_a_mesh(
    monkeypatch: Patch, capsys: Said, listener: str
) -> None:
    assert bifrost(monkeypatch, "edge", "render", "--listener", listener) == 0
    config = json.loads(capsys.readouterr().out)
    names = {entry["name"] for entry in config["static_resources"]["clusters"]}
    assert set(load_inventory().services) <= names


def test_the_shell_is_offered_what_is_known_without_a_mesh(
    monkeypatch: Patch, capsys: Said, tmp_path: Path
) -> None:
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    for name in ("venue.log", "data.log"):
        (logs / name).touch()
    monkeypatch.setenv("_BIFROST_COMPLETE", "complete_bash")
    offered = []
    for line in ("bifrost logs ", "bifrost quotes ", "bifrost order cancel ", "bifrost call TokenService/C"):
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        monkeypatch.setattr(os, "_exit", sys.exit)
        bifrost(monkeypatch)
        offered.append(capsys.readouterr().out.split())
    assert offered == [["data", "venue"], [], ["all"], ["TokenService/CreateToken"]]


def test_a_log_is_shown_to_people_and_to_machines(monkeypatch: Patch, capsys: Said, tmp_path: Path) -> None:
    log = tmp_path / "home" / "logs" / "risk.log"
    log.parent.mkdir(parents=True)
    entry = {
        "event": "call",
        "level": "error",
        "ts": "2026-11-22T13:25:11.486654Z",
        "method": "X",
        "user": "",
    }
    log.write_text(f"old\n{json.dumps(entry)}\nTraceback [of] something\nno end")
    assert bifrost(monkeypatch, "logs", "risk", "-n", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["13:25:11.486 error   call  method=X", "Traceback [of] something", "no end"]
    assert bifrost(monkeypatch, "logs", "risk", "-n", "3", "--json") == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert documents[0] == entry
    assert documents[1] == {"process": "risk", "line": "Traceback [of] something"}
    assert bifrost(monkeypatch, "logs", "risk", "-n", "0") == 0
    assert capsys.readouterr().out == ""


def test_enum_names_are_short() -> None:
    accepted = order_service_pb2.SUBMIT_OUTCOME_ACCEPTED
    assert short_name(order_service_pb2.SubmitOutcome, accepted) == "accepted"
    assert short_name(order_pb2.OrderState, order_pb2.ORDER_STATE_PENDING_NEW) == "pending_new"
