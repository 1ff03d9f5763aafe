"""The manifest of an archive: which files it has, and what the tables in them hold."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.runtime.backup.errors import damaged, not_found, too_new

FORMAT = 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
"""The manifest's own checksum, as ``sha256sum --check`` reads it."""
DUMP = "dump"
"""pg_dump's folder."""
_MOST_BYTES = 64 * 1024 * 1024


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One file of the archive."""

    path: str
    """Relative to the archive, with slashes."""
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TableEntry(_Part):
    """What a table held at the moment of the backup."""

    schema_name: str
    table: str
    rows: int = Field(ge=0)
    checksum: str = Field(pattern="^[0-9a-f]{32}$")
    """Of the rows in whatever order; see ``contents``."""

    @property
    def full_name(self) -> str:
        """schema.table."""
        return f"{self.schema_name}.{self.table}"


class Manifest(_Part):
    """Everything there is to know of an archive without opening its dump."""

    format: int
    backup_id: str = Field(pattern="^[0-9a-f-]{36}$")
    snapshot_time_ns: int
    """The one moment that all tables show: wall clock, nanoseconds since the epoch, UTC."""
    server_version: str
    """Of the PostgreSQL server it is from."""
    revisions: dict[str, str]
    """Migration revision by schema."""
    tables: tuple[TableEntry, ...]
    files: tuple[FileEntry, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files but the manifest."""
        return sum(file.size_bytes for file in self.files)

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and its seal, to the disk itself; blocks."""
    content = manifest.model_dump_json(indent=1).encode()
    _write(folder / MANIFEST, content)
    _write(folder / SEAL, f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest, compared with its seal; blocks.

    Raises:
        BackupError: BACKUP_NOT_FOUND, BACKUP_DAMAGED (not what was written), BACKUP_TOO_NEW.
    """
    if not folder.is_dir():
        raise not_found(f"there is no backup at {folder}")
    content, seal = _read(folder / MANIFEST), _read(folder / SEAL)
    if hashlib.sha256(content).hexdigest().encode() != seal.split(b" ", 1)[0]:
        raise damaged(f"{folder / MANIFEST} does not have the checksum that {SEAL} says")
    try:
        document = json.loads(content)
        found = document["format"] if isinstance(document, dict) else None
        if isinstance(found, int) and found > FORMAT:
            raise too_new(f"{folder / MANIFEST} is of format {found}; this version reads up to {FORMAT}")
        manifest = Manifest.model_validate(document)
    except (ValueError, KeyError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise damaged(f"{folder / MANIFEST} cannot be read: {what}") from error
    for file in manifest.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts:
            raise damaged(f"{folder / MANIFEST} names a file outside of the backup: {file.path}")
    return manifest


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise damaged(f"{path} cannot be read: {error.strerror or error}") from error


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
