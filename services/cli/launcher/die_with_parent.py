"""Runs a program that is told to end when the launcher dies: die_with_parent.py PARENT_PID PROGRAM [ARG ...]

A program of its own rather than a preexec_fn: that would fork the launcher, and gRPC's threads, begun
again in the fork, crash it now and then before the program is reached.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask for SIGTERM at the parent's death, then become the program."""
    parent, program = int(arguments[0]), arguments[1]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execv(program, arguments[1:])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
