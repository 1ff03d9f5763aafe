"""Backups by the command: made, listed, verified, tried, and restored on another machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from services.cli.launcher import Home
from services.runtime.embedded.unprivileged import data_folder, server_user
from tests.e2e.cli.conftest import Terminal


@pytest.fixture
def other_home(tmp_path: Path) -> Home:
    """A home nobody has used, whose database goes away with the test."""
    return Home(tmp_path / "other")


async def test_from_a_backup_to_another_machine(terminal: Terminal, other_home: Home) -> None:
    made = await terminal.run("backup create --keep 2 --json")
    assert made.code == 0, made.out
    backup_id = made.document["backup_id"]
    listed = (await terminal.run("backup list --json")).document["backups"]
    assert listed[0]["backup_id"] == backup_id
    assert listed[0]["rows"] > 10_000
    folder = terminal.mesh.launcher.home.backups
    assert (await terminal.run(f"backup list --folder {folder} --json")).document["backups"] == listed
    assert backup_id in (await terminal.run("backup list")).out
    assert "files are as written" in (await terminal.run(f"backup verify {backup_id}")).out
    verified = (await terminal.run("backup verify newest --json")).document
    assert verified["backup_id"] == backup_id
    tried = await terminal.run("backup drill newest")
    assert f"{backup_id}: " in tried.out
    assert "each table equal to the backup" in tried.out
    kept = await terminal.run(f"backup drill {backup_id} --keep")
    assert "bifrost_restored_" in kept.out

    refused = await terminal.run(f"backup restore {backup_id} --yes")
    assert refused.code == 1
    assert "bifrost down" in refused.err
    try:
        for previous in (False, True):
            line = f"backup restore {folder / backup_id} --yes --home {other_home.root}"
            restored = await terminal.run(line)
            assert restored.code == 0, restored.err
            assert "each table equal to the backup" in restored.out
            assert ("bifrost_before_" in restored.out) == previous
        again = await terminal.run(f"backup restore newest --folder {folder} --home {other_home.root} --json")
        assert again.document["backup_id"] == backup_id
        assert len(again.document["epochs"]) >= 4
    finally:
        data = data_folder(server_user(), other_home.postgres)
        shutil.rmtree(data, ignore_errors=True)
        data.with_name(f"{data.name}.log").unlink(missing_ok=True)


async def test_what_cannot_be_restored(terminal: Terminal, tmp_path: Path) -> None:
    nothing = await terminal.run(f"backup restore newest --folder {tmp_path}")
    assert (nothing.code, "there is no backup in" in nothing.err) == (1, True)
    unknown = await terminal.run(f"backup restore 0 --folder {tmp_path} --json")
    assert (unknown.code, unknown.document["error"]["reason"]) == (1, "BACKUP_NOT_FOUND")
    nobody = "00000000-0000-4000-8000-000000000007"
    assert "BACKUP_NOT_FOUND" in (await terminal.run(f"backup verify {nobody}")).err
    folder = tmp_path / nobody
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    listed = (await terminal.run(f"backup list --folder {tmp_path} --json")).document["backups"]
    assert "manifest.sha256 cannot be read" in listed[0]["problem"]
    declined = await terminal.run(f"backup restore {folder}", stdin="n\n")
    assert declined.code != 0
    assert folder.exists()
    server = "--server postgresql://nobody@127.0.0.1:1/bifrost"
    damaged = await terminal.run(f"backup restore {folder} --yes {server}")
    assert "BACKUP_DAMAGED" in damaged.err
