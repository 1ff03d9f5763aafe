"""Argon2id hashes of passwords, made off the loop and only a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.low_level import Type, hash_secret_raw

from services.identity.config import IdentitySettings

T = TypeVar("T")

_HASH_BYTES = 32
_SALT_BYTES = 16


class PasswordHasher:
    """Hashes and verifies passwords in threads of its own: argon2 lets go of the interpreter's lock."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=Type.ID,
        )
        # A caller that goes away leaves its thread at work, so the threads, not the callers, are the limit.
        self._threads = ThreadPoolExecutor(settings.hashing_slots, thread_name_prefix="argon2")
        self.slots = asyncio.Semaphore(settings.hashing_slots)
        """For callers that hold a connection while they hash: no more of them than can be served."""
        self._nobody = ""

    @classmethod
    async def make(cls, settings: IdentitySettings) -> PasswordHasher:
        """A hasher that is ready to spend a login's time on unknown users too."""
        hasher = cls(settings)
        hasher._nobody = await hasher.hash("nobody has this password")
        return hasher

    async def hash(self, password: str) -> str:
        """The hash to store, in PHC string format, with a salt of its own."""
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the hash's; None (no such user) is False after the same time."""
        matches = await self._run(lambda: self._verify(password_hash or self._nobody, password))
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    async def fingerprint(self, password: str, *, context: str) -> str:
        """The same text for the same password and context, as costly to guess from as the hash (hex)."""
        salt = hashlib.sha256(context.encode()).digest()[:_SALT_BYTES]
        parameters = self._argon2
        return await self._run(
            lambda: hash_secret_raw(
                password.encode(),
                salt,
                time_cost=parameters.time_cost,
                memory_cost=parameters.memory_cost,
                parallelism=parameters.parallelism,
                hash_len=_HASH_BYTES,
                type=Type.ID,
            ).hex()
        )

    async def close(self) -> None:
        """End the threads; hashes not begun are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except argon2.exceptions.VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
