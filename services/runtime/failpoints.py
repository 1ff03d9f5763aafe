"""Named places where a test may have the process killed as a power cut would: SIGKILL, no clean-up.

``BIFROST_FAILPOINT=name`` kills at the first passage, ``name:3`` at the third. Unset, nothing happens.
"""

import os
import signal

_SPEC, _, _NTH = os.environ.get("BIFROST_FAILPOINT", "").partition(":")
_remaining = int(_NTH or 1)


def _armed(name: str) -> None:
    global _remaining  # noqa: PLW0603  # one process, one armed failpoint
    if name != _SPEC:
        return
    _remaining -= 1
    if _remaining == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _unarmed(_name: str) -> None:
    return


failpoint = _armed if _SPEC else _unarmed
"""Die here if the environment says so: ``failpoint("order.intent.after_commit")``."""
