"""Where a server's user can read and write."""

import os
from pathlib import Path

import pytest

from services.runtime.embedded import unprivileged
from services.runtime.embedded.unprivileged import OsUser, can_reach, data_folder, readable_copy

STRANGER = OsUser(54_321, 54_321)


def test_stranger_reaches_open_folders_alone(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert can_reach(OsUser(os.geteuid(), os.getegid()), closed / "x")
    assert not can_reach(STRANGER, closed / "x")
    assert can_reach(STRANGER, Path("/") / "nowhere" / "yet")
    assert can_reach(OsUser(54_321, tmp_path.stat().st_gid), Path("/x"))


def test_unreachable_data_gets_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setattr(unprivileged, "SHARED_ROOT", shared)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    place = data_folder(STRANGER, closed / "postgres")
    assert place.parent == shared
    assert shared.is_dir()
    assert place == data_folder(STRANGER, closed / "postgres")
    assert data_folder(OsUser(os.geteuid(), 0), closed / "postgres") == closed / "postgres"


def test_copy_is_readable_by_all_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "SHARED_ROOT", tmp_path / "shared")
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True, mode=0o700)
    (source / "bin" / "program").touch(mode=0o700)
    (source / "data").touch(mode=0o600)
    (source / "link").symlink_to("data")
    copy = readable_copy({"package": source}, name="copied")
    assert (copy / "package" / "bin" / "program").stat().st_mode & 0o777 == 0o755
    assert (copy / "package" / "data").stat().st_mode & 0o777 == 0o644
    assert (copy / "package" / "link").is_symlink()
    (source / "new").touch()
    assert readable_copy({"package": source}, name="copied") == copy
    assert not (copy / "package" / "new").exists()
    assert [entry.name for entry in (tmp_path / "shared").iterdir()] == ["copied"]
