"""How long a user name must wait after failed logins.

Five failures within 15 minutes are free; from the fifth on each one doubles the wait, from one second to 15
minutes. The count is forgotten 15 minutes after the first failure, or after the end of the last wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.runtime.clock import NANOS

FREE_FAILURES: Final = 5
WINDOW_NS: Final = 15 * 60 * NANOS
FIRST_WAIT_NS: Final = NANOS
LONGEST_WAIT_NS: Final = 15 * 60 * NANOS


@dataclass(frozen=True, slots=True)
class FailedLogins:
    """Failures of one user name, known or not; times are nanoseconds since the epoch, UTC."""

    count: int = 0
    first_failure_ns: int = 0
    blocked_until_ns: int = 0


def wait_ns(failed: FailedLogins, now_ns: int) -> int:
    """Nanoseconds until the next attempt is allowed; 0 when it is."""
    return max(0, failed.blocked_until_ns - now_ns)


def after_failure(failed: FailedLogins, now_ns: int) -> FailedLogins:
    """The count with one more failure."""
    if forget_time_ns(failed) <= now_ns:
        failed = FailedLogins(first_failure_ns=now_ns)
    count = failed.count + 1
    blocked_until_ns = 0
    if count >= FREE_FAILURES:
        # min before the shift: a count that grew for years must not become a number of years' bits
        doublings = min(count - FREE_FAILURES, LONGEST_WAIT_NS.bit_length())
        blocked_until_ns = now_ns + min(FIRST_WAIT_NS << doublings, LONGEST_WAIT_NS)
    return FailedLogins(count, failed.first_failure_ns, blocked_until_ns)


def forget_time_ns(failed: FailedLogins) -> int:
    """When the failures count no more."""
    return max(failed.first_failure_ns, failed.blocked_until_ns) + WINDOW_NS
