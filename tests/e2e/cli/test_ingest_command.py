"""From a source to bars, now and by schedule, by the command."""

from __future__ import annotations

from tests.e2e.cli.conftest import Terminal


async def test_a_source_is_loaded_and_shown_by_symbol(terminal: Terminal) -> None:
    answer = await terminal.run("ingest sample fb ibm")
    assert answer.code == 0, answer.err
    assert "from sample" in answer.out
    assert "2012-05-18" in answer.out
    assert "succeeded" in answer.out
    document = (await terminal.run("ingest sample FB --since 2013-01-01 --json")).document
    (result,) = document["results"]
    assert (result["symbol"], result["rows_stored"], result["state"]) == ("FB", "0", "JOB_STATE_SUCCEEDED")
    assert document["start_date"] == "2013-01-01"
    listed = await terminal.run("ingest list --count 2")
    assert listed.code == 0, listed.err
    assert listed.out.count("sample") >= 2


async def test_a_symbol_that_fails_fails_the_command(terminal: Terminal) -> None:
    answer = await terminal.run("ingest sample FB NONE")
    assert answer.code == 1
    assert "symbol unknown" in answer.out
    unknown = await terminal.run("ingest bloomberg")
    assert (unknown.code, "SOURCE_UNKNOWN" in unknown.err) == (1, True)
    minutes = await terminal.run("ingest --interval minute sample FB")
    assert (minutes.code, "INTERVAL_UNSUPPORTED" in minutes.err) == (1, True)
    no_day = await terminal.run("ingest sample FB --since foo")
    assert (no_day.code, "--since is a day, written YYYY-MM-DD like 2024-01-31" in no_day.err) == (1, True)
    future = await terminal.run("ingest sample FB --since 2200-01-01")
    assert (future.code, "RANGE_IN_FUTURE" in future.err, "start_date" in future.err) == (1, True, True)
    nothing = await terminal.run("ingest yahoo")
    assert (nothing.code, "SYMBOLS_REQUIRED" in nothing.err) == (1, True)


async def test_an_ingestion_that_has_ended_cannot_be_cancelled(terminal: Terminal) -> None:
    document = (await terminal.run("ingest sample FB --json")).document
    answer = await terminal.run(f"ingest cancel {document['ingestion_id']}")
    assert (answer.code, "INGESTION_ENDED" in answer.err) == (1, True)
    left = await terminal.run("ingest sample FB --no-watch")
    assert (left.code, "goes on by itself" in left.out) == (0, True)


async def test_a_schedule_is_made_paused_and_removed(terminal: Terminal) -> None:
    made = (await terminal.run("ingest schedule add sample FB --calendar nasdaq --json")).document
    assert made["time"] == {"minutes_after_close": 30}
    identity = made["schedule_id"]
    late = await terminal.run("ingest schedule add sample --at 07:30")
    assert (late.code, "07:30 on trading days of XNYS" in late.out) == (0, True)
    listed = await terminal.run("ingest schedule list")
    assert "30 min after the close of XNYS" in listed.out
    paused = await terminal.run(f"ingest schedule pause {identity}")
    assert (paused.code, "is paused" in paused.out) == (0, True)
    resumed = await terminal.run(f"ingest schedule resume {identity}")
    assert (resumed.code, "is due next at" in resumed.out) == (0, True)
    assert (await terminal.run(f"ingest schedule remove {identity}")).code == 0
    gone = await terminal.run(f"ingest schedule pause {identity}")
    assert (gone.code, "SCHEDULE_NOT_FOUND" in gone.err) == (1, True)
    both = await terminal.run("ingest schedule add sample --at 07:30 --after-close 5")
    assert both.code == 1
