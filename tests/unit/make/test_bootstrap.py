import hashlib
import io
import tomllib
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError

import pytest

from deploy.build import bootstrap
from deploy.build.bootstrap import BootstrapError, Wheel, choose_wheel, download, locked_uv, unpack

LOCK = tomllib.loads((bootstrap.ROOT / "uv.lock").read_text(encoding="utf-8"))
DEBIAN_12 = ("glibc", "2.36")
MUSL = ("", "")


@pytest.mark.parametrize(
    ("system", "machine", "libc", "tag"),
    [
        ("Linux", "x86_64", DEBIAN_12, "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("Linux", "aarch64", DEBIAN_12, "manylinux_2_28_aarch64"),
        ("Linux", "arm64", DEBIAN_12, "manylinux_2_28_aarch64"),
        ("Linux", "aarch64", ("glibc", "2.17"), "manylinux2014_aarch64.musllinux_1_1_aarch64"),
        ("Linux", "x86_64", MUSL, "musllinux_1_1_x86_64"),
        ("Darwin", "arm64", MUSL, "macosx_11_0_arm64"),
        ("Darwin", "x86_64", MUSL, "macosx_10_12_x86_64"),
    ],
)
def test_the_locked_wheel_for_a_platform(system: str, machine: str, libc: tuple[str, str], tag: str) -> None:
    _, wheels = locked_uv(LOCK)
    assert choose_wheel(wheels, system=system, machine=machine, libc=libc).url.endswith(f"{tag}.whl")


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [("Linux", "x86_64", ("glibc", "2.16")), ("Linux", "sparc64", DEBIAN_12), ("Plan9", "x86_64", MUSL)],
)
def test_a_platform_without_a_wheel_is_named(system: str, machine: str, libc: tuple[str, str]) -> None:
    _, wheels = locked_uv(LOCK)
    with pytest.raises(BootstrapError, match=f"{system} {machine}"):
        choose_wheel(wheels, system=system, machine=machine, libc=libc)


def test_a_lock_without_uv_says_what_to_do() -> None:
    with pytest.raises(BootstrapError, match="run uv lock"):
        locked_uv({"package": [{"name": "ruff"}]})


def wheel_with(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_the_program_is_unpacked_ready_to_run(tmp_path: Path) -> None:
    target = tmp_path / "tools" / "uv-1.2.3"
    unpack(wheel_with("uv-1.2.3.data/scripts/uv", b"#!/bin/sh\n"), target)
    assert target.read_bytes() == b"#!/bin/sh\n"
    assert target.stat().st_mode & 0o111 == 0o111
    assert [path.name for path in target.parent.iterdir()] == ["uv-1.2.3"]


def test_a_wheel_without_the_program_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "tools" / "uv-1.2.3"
    with pytest.raises(BootstrapError, match="no program"):
        unpack(wheel_with("uv-1.2.3.data/scripts/uvx", b""), target)
    assert not target.exists()


@pytest.fixture
def served() -> Iterator[str]:
    """Serve b"wheel" on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"wheel")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/uv.whl"
    server.shutdown()
    server.server_close()


def test_a_download_is_taken_only_with_its_locked_hash(served: str) -> None:
    assert download(Wheel(served, hashlib.sha256(b"wheel").hexdigest())) == b"wheel"
    with pytest.raises(BootstrapError, match="not used"):
        download(Wheel(served, hashlib.sha256(b"other").hexdigest()))


def test_an_unreachable_registry_is_reported() -> None:
    with pytest.raises(BootstrapError, match="cannot download") as caught:
        download(Wheel("http://127.0.0.1:1/uv.whl", "0" * 64))
    assert isinstance(caught.value.__cause__, URLError)
