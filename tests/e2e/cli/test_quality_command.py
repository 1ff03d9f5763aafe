"""How good bars are, and their repair, by the command."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.contract.data.planted_faults import in_pence, real_bars
from tests.e2e.cli.conftest import Terminal


async def test_bars_in_other_units_are_shown_repaired_and_put_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    bars = in_pence(real_bars(), slice(100, 140))
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(bars.open_time_ns.tolist(), *(one.tolist() for one in columns), strict=True)
    lines = [",".join((str(time // 10**9), *map(repr, values))) for time, *values in rows]
    file = tmp_path / "pence.csv"
    file.write_text("\n".join(["time,open,high,low,close,volume", *lines, ""]))
    answer = await terminal.run(f"import {file} --symbol pence --mic xnys")
    assert answer.code == 0, answer.err

    picture = tmp_path / "pence.svg"
    report = await terminal.run(f"quality pence --picture {picture}")
    assert report.code == 0, report.err
    assert report.out.startswith("PENCE  50 of 100, 400 bars, 400 of 400 sessions\n")
    assert "unit error" in report.out
    assert ElementTree.fromstring(picture.read_bytes()).tag.endswith("svg")
    proposed = (await terminal.run("quality repair pence --json")).document
    assert [one["what"] for one in proposed["proposals"]] == ["divide all prices by 100 in 40 bars"]
    repaired = await terminal.run("quality repair pence --yes")
    assert "1 done, 40 bars changed" in repaired.out
    repair_id = repaired.out.split()[-1]
    assert (await terminal.run("quality pence --json")).document["score"] == 100
    reverted = await terminal.run(f"quality revert {repair_id}")
    assert "40 bars as they were" in reverted.out
    again = await terminal.run(f"quality revert {repair_id}")
    assert again.code != 0
    assert "REPAIR_REVERTED" in again.err + again.out


async def test_refused_bars_are_shown_released_and_put_back(terminal: Terminal, tmp_path: Path) -> None:
    lines = [f"{1_600_000_020 + 60 * row},100,100.5,99.5,{100 + row % 2 / 4},10" for row in range(200)]
    lines[40] = "1600002420,100,140,100,100,10"
    file = tmp_path / "spiky.csv"
    file.write_text("\n".join(["time,open,high,low,close,volume", *lines, ""]))
    assert (await terminal.run(f"import {file} --symbol spiky --interval 1m")).code == 0
    refused = (await terminal.run("quality quarantine spiky --json")).documents
    assert [one["reason"] for one in refused] == ["QUARANTINE_REASON_SPIKE"]
    number = refused[0]["quarantine_no"]
    shown = (await terminal.run("quality quarantine spiky")).out
    assert "140" in shown
    assert "2020-09-13 13:07" in shown
    assert "spike" in shown
    assert "bifrost quality quarantine" in (await terminal.run("quality spiky --interval 1m")).out

    declined = await terminal.run(f"quality release spiky {number}", stdin="n\n")
    assert declined.code == 1
    unasked = await terminal.run(f"quality release spiky {number} --json")
    assert (unasked.code, "add --yes" in unasked.out) == (1, True)
    released = await terminal.run(f"quality release spiky {number}", "--reason", "seen", stdin="y\n")
    assert "release 1 bar from quarantine: seen; 1 bar changed" in released.out
    assert "no bar of SPIKY is in quarantine" in (await terminal.run("quality quarantine spiky")).out
    gone = await terminal.run(f"quality release spiky {number} --yes")
    assert (gone.code, "QUARANTINED_BAR_NOT_FOUND" in gone.err) == (1, True)
    assert (await terminal.run(f"quality revert {released.out.split()[-1]}")).code == 0
    assert len((await terminal.run("quality quarantine spiky --json")).documents) == 1
