"""The first administrator, made when there are no users yet."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path

import structlog

from services.identity.config import IdentitySettings
from services.identity.domain.password_policy import password_fault
from services.identity.domain.role import Role
from services.identity.domain.user import User
from services.identity.passwords import PasswordHasher
from services.identity.user_store import UserStore
from services.runtime.clock import Clock
from services.runtime.database import Database
from services.runtime.ids import new_id

ADMIN_NAME = "admin"
_log = structlog.get_logger(__name__)


class AdminPasswordError(RuntimeError):
    """The file with the first administrator's password cannot be used; the message says why."""


async def ensure_first_admin(
    database: Database, users: UserStore, hasher: PasswordHasher, settings: IdentitySettings, *, clock: Clock
) -> None:
    """Make the user "admin" when there are no users.

    The password lies in a file before the user is committed, so that a crash between the two locks nobody
    out; after it, or beside a second process, the same file is read. AdminPasswordError when
    it cannot be used.
    """
    async with database.read() as connection:
        if await users.count_users(connection):
            return
    path = settings.admin_password_file or settings.run_dir / "admin-password"
    if settings.admin_password_file is None:
        await asyncio.to_thread(_make_password_file, path)
    password_hash = await hasher.hash(await asyncio.to_thread(_read_password, path))
    async with database.transaction() as connection:
        await users.lock_users(connection)
        if await users.count_users(connection):
            return
        admin = User(
            user_id=new_id(clock),
            user_name=ADMIN_NAME,
            display_name="Administrator",
            roles=frozenset({Role.ADMIN}),
            disabled=False,
            version=1,
            create_time_ns=clock.now_ns(),
        )
        await users.insert_user(connection, admin, password_hash)
    _log.info("first_admin_made", user_name=ADMIN_NAME, password_file=str(path))


def _make_password_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(18))
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, leaves the password of a start before this one, or beside it, in force.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def _read_password(path: Path) -> str:
    try:
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AdminPasswordError(
            f"the first administrator's password cannot be read from {path}: {error}"
        ) from error
    fault = password_fault(password)
    if fault is not None:
        raise AdminPasswordError(f"the first administrator's password in {path} will not do: {fault}")
    return password
