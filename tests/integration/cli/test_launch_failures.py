"""What keeps a mesh from starting is named, and nothing is left running."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from services.cli.launcher import Home, Launcher, LaunchError, Ports
from services.runtime.embedded.unprivileged import data_folder, server_user
from services.runtime.inventory import load_inventory


@pytest.fixture
def home() -> Iterator[Home]:
    with Home.temporary("launch") as place:
        yield place
        shutil.rmtree(data_folder(server_user(), place.postgres), ignore_errors=True)


async def fails(launcher: Launcher) -> str:
    """Start it and stop it as `up` does; returns why it did not start. Nothing it started runs on."""
    with pytest.raises(LaunchError) as failure:
        await launcher.start(timeout_s=60)
    started = psutil.Process().children(recursive=True)
    ours = [process for process in started if str(launcher.home.root) in " ".join(process.cmdline())]
    await launcher.stop()
    assert [process for process in ours if process.is_running()] == []
    assert not launcher.home.state_file.exists()
    return str(failure.value)


async def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(home: Home) -> None:
    whole = load_inventory()
    two = replace(whole, services={name: whole.services[name] for name in ("identity", "risk")})
    broken = {"risk": {"BIFROST_METRICS_PORT": "not a port"}}
    why = await fails(Launcher(home, Ports.free(two), inventory=two, settings=broken))
    assert "risk ended 3 times, last with exit 1" in why
    assert "metrics_port" in why
    assert "identity ended" not in why


async def test_a_mesh_that_is_too_slow_is_told_by_name(home: Home) -> None:
    launcher = Launcher(home, Ports.free(load_inventory()))
    with pytest.raises(LaunchError, match="does not answer"):
        await launcher.start(timeout_s=0.05)
    await launcher.stop()


async def test_ports_in_use_are_listed(home: Home) -> None:
    ports = Ports.free(load_inventory())
    with socket.create_server(("127.0.0.1", ports.services["risk"])):
        why = await fails(Launcher(home, ports))
    assert f"ports in use: {ports.services['risk']} (risk)" in why
    assert "--free-ports" in why


async def test_a_home_that_is_a_file_is_said(home: Home) -> None:
    (home.root / "file").touch()
    assert "file" in await fails(Launcher(Home(home.root / "file"), Ports.free(load_inventory())))


async def test_before_its_start_a_mesh_has_no_database(home: Home) -> None:
    launcher = Launcher(home, Ports.free(load_inventory()))
    with pytest.raises(LaunchError, match="does not run yet"):
        launcher.database_url("risk")
    launcher.kill_postgres()
    await launcher.stop()
