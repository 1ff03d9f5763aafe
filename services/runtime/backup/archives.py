"""The folder of archives. One that is not whole has a name that nobody takes for one."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.runtime.backup.errors import BackupError, damaged, disk_full, not_found
from services.runtime.backup.manifest import MANIFEST, SEAL, FileEntry, Manifest, read_manifest

Report = Callable[[str, float], None]
"""Told of a stage and the share of the whole that is done, 0 to 1; may be called from any thread."""

_PARTIAL = ".partial-"
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Listed:
    """An archive as it lies in the folder; without a manifest when that cannot be read."""

    backup_id: str
    folder: Path
    manifest: Manifest | None
    error_message: str = ""


class Archives:
    """Archives in one folder, each named by its id. All calls block."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, backup_id: str) -> Path:
        """A new empty folder for an archive that is being made, only its owner's to read.

        Raises:
            BackupError: BACKUP_DISK_FULL, BACKUP_FOLDER_UNUSABLE.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = self.root / f"{_PARTIAL}{backup_id}"
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise unusable(self.root, error) from error
        return folder

    def finish(self, partial: Path) -> Path:
        """Give a whole archive its name; from here on it is one."""
        final = self.root / partial.name.removeprefix(_PARTIAL)
        for folder in (*(path for path in partial.rglob("*") if path.is_dir()), partial):
            _sync_folder(folder)
        partial.rename(final)
        _sync_folder(self.root)
        return final

    def clear_partial(self) -> None:
        """Remove what interrupted backups and removals left."""
        if self.root.is_dir():
            for entry in self.root.glob(f"{_PARTIAL}*"):
                shutil.rmtree(entry, ignore_errors=True)

    def find(self, backup_id: str) -> Path:
        """The archive's folder.

        Raises:
            BackupError: BACKUP_NOT_FOUND.
        """
        folder = self.root / backup_id
        if not _NAME.fullmatch(backup_id) or not folder.is_dir():
            raise not_found(f"there is no backup {backup_id} in {self.root}")
        return folder

    def list_all(self) -> list[Listed]:
        """All archives, newest first, those that cannot be read too."""
        if not self.root.is_dir():
            return []
        names = sorted(
            (path.name for path in self.root.iterdir() if _NAME.fullmatch(path.name)), reverse=True
        )
        return [self.look(name) for name in names]

    def look(self, backup_id: str) -> Listed:
        """One archive as it lies there; its files are not read.

        Raises:
            BackupError: BACKUP_NOT_FOUND.
        """
        folder = self.find(backup_id)
        try:
            return Listed(backup_id, folder, read_manifest(folder))
        except BackupError as error:
            return Listed(backup_id, folder, None, str(error))

    def keep_newest(self, count: int) -> list[str]:
        """Remove all but the newest ``count``; those that cannot be read stay. Returns the removed."""
        whole = [archive for archive in self.list_all() if archive.manifest is not None]
        removed = []
        for archive in whole[count:]:
            doomed = self.root / f"{_PARTIAL}{archive.backup_id}"
            archive.folder.rename(doomed)  # no longer whole from the first file that goes
            shutil.rmtree(doomed, ignore_errors=True)
            removed.append(archive.backup_id)
        return removed


def list_files(folder: Path, report: Report | None = None) -> tuple[FileEntry, ...]:
    """Every file of an archive but manifest and seal, with its checksum; blocks."""
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    wanted = [path for path in paths if path.relative_to(folder).as_posix() not in {MANIFEST, SEAL}]
    total = sum(path.lstat().st_size for path in wanted) or 1
    entries, done = [], 0
    for path in wanted:
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise damaged(f"{path} is a link; a backup has none")
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise damaged(f"{path} cannot be read: {error.strerror or error}") from error
        entries.append(FileEntry(path=name, size_bytes=path.stat().st_size, sha256=digest))
        done += entries[-1].size_bytes
        if report is not None:
            report("check files", done / total)
    return tuple(entries)


def verify_files(folder: Path, report: Report | None = None) -> Manifest:
    """Compare every file with the manifest, and the manifest with its seal; blocks.

    Raises:
        BackupError: BACKUP_NOT_FOUND, BACKUP_TOO_NEW, BACKUP_DAMAGED naming the file.
    """
    manifest = read_manifest(folder)
    expected = {file.path: file for file in manifest.files}
    found = {file.path: file for file in list_files(folder, report)}
    for path, file in expected.items():
        here = found.get(path)
        if here is None:
            raise damaged(f"{folder / path} is missing")
        if here.size_bytes != file.size_bytes:
            raise damaged(f"{folder / path} has {here.size_bytes} bytes and should have {file.size_bytes}")
        if here.sha256 != file.sha256:
            raise damaged(f"{folder / path} does not have the checksum of the manifest")
    if unknown := sorted(found.keys() - expected.keys()):
        raise damaged(f"{folder / unknown[0]} is not in the manifest")
    return manifest


def unusable(path: Path, error: OSError) -> BackupError:
    """The error of a folder that cannot be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(f"there is no room left at {path}")
    return BackupError("BACKUP_FOLDER_UNUSABLE", f"{path} cannot be written: {error.strerror or error}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
