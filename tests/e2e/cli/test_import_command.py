"""From a CSV file to bars, by the command."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.e2e.cli.conftest import Terminal


def write_days(file: Path) -> None:
    """A month of January 2024 at the NYSE, one Saturday and one broken high in it."""
    days = [day for day in range(2, 32) if day not in {6, 7, 13, 14, 15, 20, 21, 27, 28}]
    lines = [f"2024-01-{day:02},{100 + day},{102 + day},{99 + day},{101 + day},{1000 * day}" for day in days]
    lines.insert(5, "2024-01-13,100,101,99,100,1")
    lines[10] = "2024-01-17,117,1,99,118,1"
    file.write_text("\n".join(["time,open,high,low,close,Volume", *lines, ""]))


async def test_a_file_becomes_a_chart(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    write_days(file)
    line = f"import {file} --symbol mine --interval day --mic xnys"
    answer = await terminal.run(line)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("MINE: 22 rows read, 20 stored, 2 set aside\n")
    assert "from 2024-01-02 14:30 to 2024-01-31 14:30 UTC" in answer.out
    assert "not a session" in answer.out
    assert "ohlc order" in answer.out
    document = (await terminal.run(f"{line} --json")).document
    assert (document["rows_stored"], document["rows_unchanged"]) == ("0", "20")
    bars = await terminal.run("bars MINE")
    assert "2024-01-31" in bars.out
    assert "2024-01-13" not in bars.out
    asked = '{"instrument": {"listed": {"symbol": "MINE"}}}'
    kept = await terminal.run("call ListQuarantinedBars", asked)
    assert kept.code == 0, kept.err
    assert "QUARANTINE_REASON_OHLC_ORDER" in kept.out


async def test_a_file_larger_than_the_edge_buffers(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    lines = (f"{1_600_000_000 + 60 * row},100.25,100.75,100.00,100.50,{row}" for row in range(200_000))
    file.write_text("\n".join(["time,open,high,low,close,Volume", *lines]))
    answer = await terminal.run(f"import {file} --symbol large --interval minute")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("LARGE: 200,000 rows read, 200,000 stored, 1 without volume\n")


async def test_a_broken_file_is_named_by_line_and_column(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text("time,open,high,low,close\n2024-01-02,1,=1+1,1,1\n")
    answer = await terminal.run(f"import {file} --symbol BROKEN")
    assert answer.code == 1
    assert "FILE_CELL_INVALID" in answer.err
    assert "line 2, column high" in answer.err
    missing = await terminal.run(f"import {tmp_path}/none.csv --symbol BROKEN")
    assert (missing.code, "cannot be read" in missing.err) == (1, True)
    assert (await terminal.run("bars BROKEN")).code == 1


async def test_parquet_with_columns_of_other_names(terminal: Terminal, tmp_path: Path) -> None:
    csv = tmp_path / "days.csv"
    write_days(csv)
    file = tmp_path / "days.any"
    pl.read_csv(csv, try_parse_dates=True).rename({"open": "Eröffnung"}).write_parquet(file)
    line = f"import {file} --symbol pqdays --mic xnys"
    unnamed = await terminal.run(line)
    assert (unnamed.code, "FILE_COLUMN_MISSING" in unnamed.err) == (1, True)
    answer = await terminal.run(f"{line} --column open=Eröffnung")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("PQDAYS: 22 rows read, 20 stored, 2 set aside\n")
    wrong = await terminal.run(f"{line} --column price=x")
    assert (wrong.code, "NAME=ITS_NAME" in wrong.err) == (1, True)


async def test_days_are_the_markets_also_east_of_greenwich(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "sydney.arrow"
    days = [f"2024-01-{day:02}" for day in (4, 5, 8, 9)]
    prices = {name: [49.0] * 4 for name in ("open", "high", "low", "close")}
    pl.DataFrame({"date": days, **prices}).write_ipc(file)
    answer = await terminal.run(f"import {file} --symbol bhp --mic xasx --currency AUD")
    assert answer.code == 0, answer.err
    shown = (await terminal.run("bars BHP --json")).documents
    assert [one["date"] for one in shown] == days
    some = (await terminal.run("bars BHP --start 2024-01-05 --end 2024-01-09 --json")).documents
    assert [one["date"] for one in some] == days[1:3]
    weeks = (await terminal.run("bars BHP --interval 1w --json")).documents
    assert [one["date"] for one in weeks] == [days[0], days[2]]
    assert "daily bars: 4 from 2024-01-04 to 2024-01-09" in (await terminal.run("instrument BHP")).out
    (tmp_path / "mine.xlsx").write_bytes(b"PK\x03\x04")
    excel = await terminal.run(f"import {tmp_path}/mine.xlsx --symbol BHP")
    assert (excel.code, "is an Excel or ZIP file; write it as CSV, Parquet" in excel.err) == (1, True)
