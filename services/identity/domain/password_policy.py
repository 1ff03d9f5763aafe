"""What a password must be: long. No rules of composition, which make passwords worse (NIST SP 800-63B)."""

from __future__ import annotations

from typing import Final

MIN_CHARACTERS: Final = 12
MAX_BYTES: Final = 256


def password_fault(password: str) -> str | None:
    """What is wrong with the password, for people; None when nothing is. The contract has the same rules."""
    if len(password) < MIN_CHARACTERS:
        return f"a password has at least {MIN_CHARACTERS} characters"
    if len(password.encode()) > MAX_BYTES:
        return f"a password has at most {MAX_BYTES} bytes"
    return None
