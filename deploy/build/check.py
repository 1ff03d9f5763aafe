"""The gate before a commit: `python -m deploy.build.check`. Quiet on success; `-v` tells each check's time.

Checks run two at a time, the longest first. Each is a list of commands; the first that fails ends it.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deploy.build.contracts import ROOT

BIN = Path(sys.executable).parent
IMAGE = ROOT / "build" / "api.binpb"
# deploy/build is named itself: ruff passes over folders called build.
FOLDERS = ("services", "sdk", "tests", "envoy", "deploy", "deploy/build")
PYTHON_FOLDERS = [name for name in FOLDERS if (ROOT / name).is_dir()]
# mypy refuses a folder without Python; deploy/build lies in deploy.
TYPED_FOLDERS = [name for name in FOLDERS[:-1] if any((ROOT / name).rglob("*.py"))]
AT_A_TIME = 2

Command = Sequence[str | Path]


class Outcome(NamedTuple):
    """What one check said; `output` is empty or a warning when it passed."""

    name: str
    passed: bool
    output: str
    seconds: float


def checks() -> dict[str, Sequence[Command]]:
    """List the checks, the longest first; where a command mends what one finds, its name says so."""
    python = sys.executable
    return {
        "types": [[BIN / "mypy", "--no-error-summary", *TYPED_FOLDERS]],
        "contracts": [
            [python, "-m", "deploy.build.contracts", IMAGE],
            [BIN / "buf", "lint", IMAGE, "--config", "buf.yaml"],
            [python, "-m", "deploy.build.breaking", IMAGE],
        ],
        "imports": [[BIN / "lint-imports", "--no-cache", "--no-logo"]],
        "generated code": [[python, "-m", "deploy.build.generate", "--check"]],
        "contract format (make fmt)": [[BIN / "buf", "format", "--diff", "--exit-code"]],
        "lint (make fmt)": [[BIN / "ruff", "check", "--quiet", "--output-format=concise", *PYTHON_FOLDERS]],
        "format (make fmt)": [[BIN / "ruff", "format", "--check", "--quiet", *PYTHON_FOLDERS]],
    }


def run_check(name: str, commands: Sequence[Command]) -> Outcome:
    """Run the commands of one check up to the first that fails."""
    start = time.monotonic()
    output, passed = "", True
    for command in commands:
        result = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        passed = result.returncode == 0
        # A linter's table of kept contracts is no news; a warning of our own programs is.
        output = result.stdout if not passed or command[0] == sys.executable else ""
        if not passed:
            break
    return Outcome(name, passed, output, time.monotonic() - start)


def main() -> int:
    """Run every check; return 1 when one failed."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(lambda check: run_check(*check), checks().items()))
    for outcome in outcomes:
        if not outcome.passed:
            sys.stderr.write(f"FAILED {outcome.name}\n")
        sys.stderr.write(outcome.output)
        if "-v" in sys.argv:
            sys.stderr.write(f"{outcome.seconds:6.1f} s  {outcome.name}\n")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
