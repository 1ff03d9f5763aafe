"""Days as they are typed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from services.cli.console import UsageError

_WRITTEN: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_day(option: str, text: str) -> str:
    """The day as the contracts have it, "" when none is given; UsageError that shows how one is written."""
    if not text:
        return ""
    try:
        # Of the many ways of ISO 8601 the contracts take this one.
        if not _WRITTEN.fullmatch(text):
            raise ValueError(text)
        dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is a day, written YYYY-MM-DD like 2024-01-31, not {text}") from None
    return text
