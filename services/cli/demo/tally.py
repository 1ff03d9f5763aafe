"""What the demo counts while it runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of one run, by the clients' own eyes."""

    orders: Counter[str] = field(default_factory=Counter)
    """Outcome of the first answer to each request_id: accepted, rejected, unknown, duplicate."""
    refusals: list[tuple[str, str]] = field(default_factory=list)
    """(what was tried, why it was refused)."""
    retries: int = 0
    """Calls repeated because a service was away."""
    resumes: Counter[str] = field(default_factory=Counter)
    """Streams taken up again, by name."""
    quotes: int = 0
    events: list[tuple[int, int]] = field(default_factory=list)
    """(sequence, previous sequence) of every order event, as delivered."""
    kills: list[str] = field(default_factory=list)
    rest_calls: int = 0
