"""The command against a running mesh: in this process, so that its lines are counted."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.bootstrap import open_paper_account
from services.cli.client import EdgeClient
from services.cli.console import err, out
from services.cli.main import app
from services.cli.session import Session
from tests.e2e.running_mesh import RunningMesh


@dataclass
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON object."""
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        """Its JSON objects, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """Runs commands against one mesh, as its administrator."""

    def __init__(self, mesh: RunningMesh) -> None:
        self.mesh = mesh
        self._runner = CliRunner(env={"BIFROST_HOME": str(mesh.launcher.home.root)})

    async def run(self, command: str, *more: str, stdin: str = "") -> Answer:
        """Run a command line, in a thread as it has a loop of its own; `more` are arguments as they are."""
        arguments = [*command.split(), *more]
        result = await asyncio.to_thread(self._runner.invoke, app, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def complete(self) -> str:
        """What the shell is offered; it asks by variables. Blocks."""
        return self._runner.invoke(app, [], prog_name="bifrost").stdout


@pytest.fixture(scope="module")
async def terminal(mesh: RunningMesh) -> Terminal:
    """A terminal on the machine of the mesh, whose administrator has a paper account."""
    async with EdgeClient(mesh.edge, Session(mesh.launcher.home, mesh.edge)) as admin:
        await open_paper_account(admin, "paper", Decimal(1_000_000))
    return Terminal(mesh)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wrapping but where a test is about it."""
    for console in (out, err):
        monkeypatch.setattr(console, "_width", 160)
