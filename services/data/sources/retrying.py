"""When a source is asked again after an error."""

from __future__ import annotations

from dataclasses import dataclass

from services.data.sources.source import SourceError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses that double from ``first_s`` to ``longest_s``, each between half and one and a half of it."""

    attempts: int
    """Of one symbol, the first included."""
    first_s: float
    longest_s: float

    def pause_s(self, failure: SourceError, attempts: int, jitter: float) -> float | None:
        """How long to wait after ``attempts`` attempts; None when it is not worth another.

        ``jitter`` is from 0 to 1. A source that says when to ask again is not asked before.
        """
        if not failure.error.may_pass or attempts >= self.attempts:
            return None
        pause = min(self.first_s * 2.0 ** (attempts - 1), self.longest_s) * (0.5 + jitter)
        return max(pause, min(failure.retry_after_s or 0.0, self.longest_s))
