"""The command against a running mesh: in this process, so that its lines are counted."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import grpc
import pytest
from typer.testing import CliRunner, Result

from bifrost.execution.v1 import order_service_pb2, order_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2, value_pb2
from services.cli.accounts import find_account
from services.cli.bootstrap import open_paper_account
from services.cli.client import EdgeClient
from services.cli.console import err, out
from services.cli.main import app
from services.cli.session import Session
from services.runtime.waiting import until
from tests.e2e.running_mesh import RunningMesh

R = TypeVar("R")


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
        """Run a command line; `more` are arguments as they are."""
        result = await self._invoke([*command.split(), *more], stdin=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    async def complete(self, line: str) -> list[str]:
        """What the shell is offered at the end of a line."""
        asking = {
            "_BIFROST_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
        }
        return (await self._invoke([], **asking)).stdout.split()

    async def submit(self, quantity: int, symbol: str = "MSFT") -> None:
        """Buy at the market while something else is printing; repeated until execution answers."""
        edge, home = self.mesh.edge, self.mesh.launcher.home
        request_id = secrets.token_hex(8)
        async with EdgeClient(edge, Session(home, edge)) as client:
            request = order_service_pb2.SubmitOrderRequest(
                account_id=(await find_account(client, "paper")).account_id,
                request_id=request_id,
                instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol)),
                terms=order_terms_pb2.OrderTerms(
                    side=order_terms_pb2.SIDE_BUY,
                    type=order_terms_pb2.ORDER_TYPE_MARKET,
                    time_in_force=order_terms_pb2.TIME_IN_FORCE_IOC,
                    quantity=str(quantity),
                ),
            )
            stub = client.stub(order_service_pb2_grpc.OrderServiceStub)

            async def answered() -> bool:
                try:
                    await stub.SubmitOrder(request, timeout=60)
                except grpc.aio.AioRpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE:
                        raise
                    return False
                return True

            await until(answered, timeout_s=60)

    async def _invoke(self, arguments: list[str], *, stdin: str = "", **environment: str) -> Result:
        """In a thread, as a command waits for its end; its calls on this loop: one a process."""
        loop = asyncio.get_running_loop()

        def run(work: Coroutine[Any, Any, R]) -> R:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "run", run)
            return await asyncio.to_thread(
                self._runner.invoke, app, arguments, input=stdin, env=environment, prog_name="bifrost"
            )


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
