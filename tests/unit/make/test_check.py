import subprocess
import sys
from pathlib import Path

import pytest

from deploy.build.check import run_check
from deploy.build.contracts import ROOT

CONTRACTS = ROOT / "pyproject.toml"


def test_a_check_stops_at_its_first_failure_and_keeps_what_was_said() -> None:
    say_and_fail = [sys.executable, "-c", "print('broken'); raise SystemExit(3)"]
    never = [sys.executable, "-c", "print('never')"]
    outcome = run_check("example", [say_and_fail, never])
    assert not outcome.passed
    assert outcome.output == "broken\n"


def test_a_passed_check_is_quiet_about_what_tools_print() -> None:
    outcome = run_check("example", [["echo", "all kept"]])
    assert outcome.passed
    assert outcome.output == ""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay out a small copy of services/ under the project's own import contracts."""
    modules = ("", "runtime", "orders", "orders/domain", "risk", "risk/domain")
    for name in modules:
        package = tmp_path / "services" / name
        package.mkdir(exist_ok=True, parents=True)
        (package / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(CONTRACTS.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def lint_imports(tree: Path) -> str:
    """Return what import-linter says about `tree`, "" when all contracts are kept."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode else ""


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("orders/service.py", "from services.runtime import clock"),
        ("orders/service.py", "import grpc"),
        ("orders/domain/order.py", "from services.runtime.clock import NOW"),
        ("runtime/server.py", "from bifrost.type.v1 import value_pb2"),
    ],
)
def test_imports_that_keep_the_contracts(tree: Path, module: str, line: str) -> None:
    (tree / "services" / "runtime" / "clock.py").write_text("import grpc\nNOW = 0\n", encoding="utf-8")
    (tree / "services" / module).write_text(f"{line}\n", encoding="utf-8")
    assert lint_imports(tree) == ""


@pytest.mark.parametrize(
    ("module", "line", "offence"),
    [
        ("orders/service.py", "from services.risk import domain", "services.orders.service -> services.risk"),
        ("runtime/server.py", "import services.risk", "services.runtime.server -> services.risk"),
        ("orders/domain/order.py", "import grpc", "services.orders.domain.order -> grpc"),
        ("orders/domain/order.py", "import sqlalchemy.sql", "services.orders.domain.order -> sqlalchemy"),
        (
            "risk/domain/limit.py",
            "from google.protobuf import message",
            "services.risk.domain.limit -> google",
        ),
        (
            "risk/domain/__init__.py",
            "from bifrost.type.v1 import value_pb2",
            "services.risk.domain -> bifrost",
        ),
        (
            "risk/domain/limit.py",
            "from services.orders.domain import x",
            "services.risk.domain.limit -> services.orders",
        ),
    ],
)
def test_imports_that_break_the_contracts(tree: Path, module: str, line: str, offence: str) -> None:
    (tree / "services" / module).write_text(f"{line}\n", encoding="utf-8")
    assert offence in lint_imports(tree)
