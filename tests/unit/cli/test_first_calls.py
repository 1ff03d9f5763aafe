import stat
from pathlib import Path

import pytest

from services.cli.commands.welcome import first_calls
from services.cli.launcher import Home


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def add_program(folder: Path, name: str) -> None:
    program = folder / name
    program.touch()
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_every_place_is_filled_in(tools: Path, tmp_path: Path) -> None:
    add_program(tools, "grpcurl")
    add_program(tools, "bifrost")
    lines = first_calls("127.0.0.1:8080", Home(tmp_path / "a home"), "the-account")
    for name in ("edge", "password_file", "account", "grpc_lines", "grpcurl", "bifrost", "home"):
        assert f"{{{name}}}" not in lines
    assert "\ngrpcurl -plaintext 127.0.0.1:8080 list\n" in lines
    assert f"cat '{tmp_path}/a home/admin-password'" in lines
    assert f"\nbifrost order submit buy 10 IBM --home '{tmp_path}/a home'\n" in lines
    assert "/v1/accounts/the-account/orders" in lines


def test_the_usual_home_need_not_be_named(tools: Path, tmp_path: Path) -> None:
    add_program(tools, "bifrost")
    lines = first_calls("127.0.0.1:8080", Home(tmp_path / ".bifrost"), "the-account")
    assert "\nbifrost positions\n" in lines


def test_without_grpcurl_the_command_makes_the_call(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.commands.welcome._TOOLS", tmp_path)
    lines = first_calls("127.0.0.1:8080", Home(tmp_path / "h"), "the-account")
    call = f"bifrost call OrderService/SubmitOrder --home {tmp_path}/h"
    assert call + ' \'{"account_id": "the-account"' in lines
    assert "grpcurl -plaintext" not in lines


def test_what_is_built_here_is_named_by_a_short_path(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tmp_path / "build" / "tools"
    built.mkdir(parents=True)
    add_program(built, "grpcurl")
    monkeypatch.setattr("services.cli.commands.welcome._TOOLS", built)
    monkeypatch.chdir(tmp_path)
    assert "\nbuild/tools/grpcurl -plaintext" in first_calls("127.0.0.1:8080", Home(tmp_path / "h"), "a")
