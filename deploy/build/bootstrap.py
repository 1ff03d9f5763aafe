"""Fetch the locked uv into build/tools, with nothing but Python's standard library.

uv.lock names each wheel of uv with its address and SHA-256; the one that fits this machine is downloaded,
verified and its program unpacked. Debian's python3 often has neither pip nor venv, so neither is used. Run as
a script; prints uv's path.
"""

import hashlib
import io
import os
import platform
import stat
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tools"
ATTEMPTS = 3
TIMEOUT_S = 60
# The names wheels have for what `platform.machine()` says.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class Wheel(NamedTuple):
    """A wheel as uv.lock names it; `sha256` in hexadecimal."""

    url: str
    sha256: str


class BootstrapError(Exception):
    """uv cannot be had; the message says why and what would help."""


def locked_uv(lock: Mapping[str, Any]) -> tuple[str, list[Wheel]]:
    """Read version and wheels of uv out of a parsed uv.lock."""
    entry = next((package for package in lock["package"] if package["name"] == "uv"), None)
    if entry is None:
        raise BootstrapError("uv.lock does not lock uv: add uv to the dev dependencies and run uv lock")
    wheels = [Wheel(wheel["url"], wheel["hash"].removeprefix("sha256:")) for wheel in entry["wheels"]]
    return entry["version"], wheels


def choose_wheel(wheels: Iterable[Wheel], *, system: str, machine: str, libc: tuple[str, str]) -> Wheel:
    """Choose the wheel that runs here; of several, the one for the newest platform not newer than ours.

    `system`, `machine` and `libc` are what the module platform tells; `libc` is ("", "") on musl.
    """
    fitting = [
        (version, wheel)
        for wheel in wheels
        for tag in wheel.url.rpartition("/")[2].removesuffix(".whl").split("-")[-1].split(".")
        if (version := _fit(tag, system, machine, libc)) is not None
    ]
    if not fitting:
        raise BootstrapError(f"no locked wheel of uv fits {system} {machine} ({' '.join(libc) or 'musl'})")
    return max(fitting, key=lambda pair: pair[0])[1]


def _fit(tag: str, system: str, machine: str, libc: tuple[str, str]) -> tuple[int, int] | None:
    """Tell the platform version that `tag` wants, or None when it does not fit."""
    machine = MACHINES.get(machine.lower(), machine.lower())
    name, version, rest = _split_tag(tag)
    if system == "Darwin":
        return version if name == "macosx" and rest == (machine if machine == "x86_64" else "arm64") else None
    if system != "Linux" or rest != machine:
        return None
    if libc[0] == "glibc":
        major, minor = (int(part) for part in libc[1].split(".")[:2])
        return version if name == "manylinux" and version <= (major, minor) else None
    return version if name == "musllinux" else None


def _split_tag(tag: str) -> tuple[str, tuple[int, int], str]:
    """Split "manylinux_2_17_x86_64" into its family, version and machine; other tags get version 0.0."""
    parts = tag.split("_", 3)
    if len(parts) == 4 and parts[1].isdigit() and parts[2].isdigit():
        return parts[0], (int(parts[1]), int(parts[2])), parts[3]
    return tag, (0, 0), ""


def download(wheel: Wheel) -> bytes:
    """Fetch the wheel and verify its hash; HTTPS_PROXY and SSL_CERT_FILE are honoured."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(wheel.url, timeout=TIMEOUT_S) as response:  # noqa: S310 - an address of the lock
                content: bytes = response.read()
            break
        except OSError as error:
            if attempt == ATTEMPTS:
                raise BootstrapError(f"cannot download {wheel.url}: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BootstrapError(f"{wheel.url} has SHA-256 {found}, but uv.lock says {wheel.sha256}: not used")
    return content


def unpack(content: bytes, target: Path) -> None:
    """Write the wheel's uv program to `target`, whole or not at all."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        program = next((name for name in archive.namelist() if name.endswith(".data/scripts/uv")), None)
        if program is None:
            raise BootstrapError("the wheel of uv holds no program named uv")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        part.write_bytes(archive.read(program))
    part.chmod(part.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    part.replace(target)


def main() -> int:
    """Put the locked uv at build/tools/uv-<version>, unless it is there; print the path."""
    try:
        version, wheels = locked_uv(tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8")))
        target = TOOLS / f"uv-{version}"
        if not target.exists():
            wheel = choose_wheel(
                wheels, system=platform.system(), machine=platform.machine(), libc=platform.libc_ver()
            )
            unpack(download(wheel), target)
    except BootstrapError as error:
        sys.stderr.write(f"bootstrap: {error}\n")
        return 1
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
