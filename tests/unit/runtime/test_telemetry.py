import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from services.runtime.telemetry import configure_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Leave the logging of the test process as it was."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_both_kinds_of_loggers_write_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "risk")
    log = structlog.get_logger("x")
    log.info("call", method="Open", value=frozenset({1}))
    log.debug("hidden")
    logging.getLogger("asyncio").warning("slow %s", "callback")
    try:
        raise ValueError("odd")
    except ValueError:
        log.exception("failed")
    ours, theirs, failed = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (ours["event"], ours["level"], ours["process"], ours["method"]) == ("call", "info", "risk", "Open")
    assert ours["ts"].endswith("Z")
    assert (theirs["event"], theirs["level"]) == ("slow callback", "warning")
    assert theirs["process"] == "risk"
    assert "ValueError: odd" in failed["exception"]
