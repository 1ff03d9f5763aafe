"""Which operating-system user an embedded server runs as, and where that user can read and write.

PostgreSQL refuses to run as root, and no data server should. Started by root (a container, a fresh machine),
the embedded servers run as ``nobody``; that user reaches neither root's home nor a wheel installed below it,
so the programs are copied and the data placed under ``/var/lib/bifrost`` instead. Started by anybody else,
nothing changes.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHARED_ROOT = Path("/var/lib/bifrost")


@dataclass(frozen=True)
class OsUser:
    """The user and group a server process gets."""

    uid: int
    gid: int

    def spawn_arguments(self) -> Mapping[str, int | list[int]]:
        """Keyword arguments of ``subprocess`` that drop to this user; none when we are it already."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_user() -> OsUser:
    """The user embedded servers run as: ``nobody`` under root, else our own."""
    if os.geteuid() != 0:
        return OsUser(os.geteuid(), os.getegid())
    entry = pwd.getpwnam("nobody")
    return OsUser(entry.pw_uid, entry.pw_gid)


def can_reach(user: OsUser, path: Path) -> bool:
    """Whether ``user`` may pass through every folder on the way to ``path`` (which need not exist)."""
    return user.uid == os.geteuid() or all(_may_enter(user, folder) for folder in path.absolute().parents)


def _may_enter(user: OsUser, folder: Path) -> bool:
    try:
        status = folder.stat()
    except FileNotFoundError:
        return True  # made by us later, open to pass through
    if status.st_uid == user.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def data_folder(user: OsUser, wanted: Path) -> Path:
    """Make the parent of a server's data folder and say where the data goes.

    ``wanted`` where ``user`` can reach it; else a place under ``/var/lib/bifrost`` derived from ``wanted``:
    the same request always meets the same data.
    """
    wanted = wanted.absolute()
    if not can_reach(user, wanted):
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
        wanted = SHARED_ROOT / f"{wanted.name}-{digest}"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    return wanted


def readable_copy(sources: Mapping[str, Path], *, name: str) -> Path:
    """A folder holding ``sources`` (name in the folder -> folder to copy) that everybody can read; made once.

    The copy appears under its final name only when it is whole, so a crash or a twin cannot leave half of it.
    """
    target = SHARED_ROOT / name
    if target.exists():
        return target
    SHARED_ROOT.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=SHARED_ROOT, prefix=f".{name}-"))
    for relative, source in sources.items():
        shutil.copytree(source, staging / relative, symlinks=True)
    for entry in (staging, *staging.rglob("*")):
        if not entry.is_symlink():
            mode = entry.stat().st_mode
            entry.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))
    with contextlib.suppress(OSError):  # a twin was faster
        staging.rename(target)
    shutil.rmtree(staging, ignore_errors=True)
    return target


def give_to(folder: Path, user: OsUser) -> None:
    """Make ``user`` the owner of ``folder`` and all in it; nothing to do unless we are root."""
    if user.uid == os.geteuid():
        return
    for entry in (folder, *folder.rglob("*")):
        os.lchown(entry, user.uid, user.gid)
