"""docs/errors.md: fresh, whole, and made of what the contracts say."""

import re

import grpc
import pytest

from deploy.build import error_table
from services.runtime.contracts import load_contracts
from services.runtime.inventory import load_inventory


@pytest.fixture(scope="module")
def table() -> str:
    return error_table.fresh_table()


def test_the_committed_table_is_fresh(table: str) -> None:
    assert error_table.TABLE.read_text(encoding="utf-8") == table, "run python -m deploy.build.error_table"


def test_every_reason_of_every_service_is_listed(table: str) -> None:
    load_contracts()
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([A-Z_]+)", table, re.MULTILINE)
    assert {code for _, code in rows} <= {code.name for code in grpc.StatusCode}
    sections = dict(re.findall(r"## (\S+).*?\n(.*?)(?=\n## |\Z)", table, re.DOTALL))
    assert {f"bifrost.{name}" for name in load_inventory().services} <= sections.keys()
    assert "`ORDER_ENDED`" in sections["bifrost.execution"]


def test_a_comment_is_taken_apart() -> None:
    reason = error_table.parse_comment(
        "X", " It is so.\n Code NOT_FOUND (UNIMPLEMENTED over gRPC). More. Example: a | b."
    )
    assert reason == ("X", "NOT_FOUND (UNIMPLEMENTED over gRPC)", "It is so. More.", "a | b.")
    assert "a \\| b." in error_table.render({"type": [reason]})
    with pytest.raises(ValueError, match="X names no code"):
        error_table.parse_comment("X", "It is so.")
