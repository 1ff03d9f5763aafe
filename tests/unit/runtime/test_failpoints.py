"""Failpoints kill a process for real, so each runs in one of its own."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
from services.runtime.failpoints import failpoint
for n in range(3):
    failpoint("other")
    failpoint("here")
    print(n, flush=True)
"""


@pytest.mark.parametrize(
    ("spec", "code", "printed"),
    [
        (None, 0, "0\n1\n2\n"),
        ("elsewhere", 0, "0\n1\n2\n"),
        ("here", -signal.SIGKILL, ""),
        ("here:3", -signal.SIGKILL, "0\n1\n"),
        ("here:4", 0, "0\n1\n2\n"),
    ],
)
def test_process_dies_at_the_named_passage(spec: str | None, code: int, printed: str) -> None:
    environment = dict(os.environ)
    environment.pop("BIFROST_FAILPOINT", None)
    if spec is not None:
        environment["BIFROST_FAILPOINT"] = spec
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, printed)
