"""bifrost instruments and calendar, against a mesh."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.e2e.cli.conftest import Terminal


async def test_instruments_are_found_by_what_was_typed(terminal: Terminal) -> None:
    text = (await terminal.run("instruments microsfot")).out
    assert re.search(
        r"^MSFT +XNAS +Microsoft Corporation +equity +USD +active +name similar +0\.\d\d", text, re.MULTILINE
    )
    (best, *_) = (await terminal.run("instruments ibm --market xnys --json")).documents
    assert (best["instrument"]["symbol"], best["score"]) == ("IBM", 1.0)
    assert best["reason"] == "MATCH_REASON_SYMBOL_EXACT"
    refused = await terminal.run("instruments zzzzqqqq")
    assert refused.code == 1
    assert "nothing is like zzzzqqqq" in refused.err
    assert (await terminal.run("instruments zzzzqqqq --json")).out == ""


async def test_sessions_of_a_market(terminal: Terminal) -> None:
    text = (await terminal.run("calendar xnas --from 2012-07-02 --to 2012-07-05")).out
    assert re.search(
        r"^XNYS is (closed|open), (opens|closes) [A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d E[SD]T ", text
    )
    assert re.search(r"^2012-07-03 +Tue +09:30 +13:00 +early close", text, re.MULTILINE)
    assert "2012-07-04" not in text
    tokyo = (await terminal.run("calendar XTKS --from 2013-06-03 --to 2013-06-03")).out
    assert re.search(r"^2013-06-03 +Mon +09:00 +15:00 +11:30-12:30", tokyo, re.MULTILINE)
    futures = (await terminal.run("calendar CMES --from 2013-06-03 --to 2013-06-03")).out
    assert re.search(r"^2013-06-03 +Mon +Sun 17:00 +17:00", futures, re.MULTILINE)


async def test_without_dates_the_next_ten_sessions_are_shown(terminal: Terminal) -> None:
    document = (await terminal.run("calendar XNYS --json")).document
    assert document["status"]["calendar"]["mic"] == "XNYS"
    days = [date.fromisoformat(one["session_date"]) for one in document["sessions"]]
    assert len(days) == 10
    assert days == sorted(days)


async def test_calendars_are_listed(terminal: Terminal) -> None:
    text = (await terminal.run("calendar")).out
    assert re.search(r"^XTKS +Tokyo Stock Exchange +Asia/Tokyo +JPX", text, re.MULTILINE)
    assert len((await terminal.run("calendar --json")).documents) == 65


async def test_markets_are_offered(terminal: Terminal) -> None:
    assert "XNYS" in " ".join(await terminal.complete("bifrost calendar XN"))
    assert "AAPL" in " ".join(await terminal.complete("bifrost instruments A"))


async def test_what_is_wrong_is_said(terminal: Terminal) -> None:
    refused = await terminal.run("calendar XNYC")
    assert refused.code == 1
    assert refused.err.startswith("CALENDAR_NOT_FOUND")
    assert "bifrost calendar" in refused.err
    assert (await terminal.run("calendar XNYS --from 1900-01-01")).err.startswith("DATE_OUT_OF_CALENDAR")


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".csv"])
async def test_bars_go_into_a_file(terminal: Terminal, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"aapl{ending}"
    answer = await terminal.run(f"bars AAPL --adjustment full --output {file}")
    assert answer.code == 0, answer.err
    assert answer.out == f"AAPL: 3,270 bars written to {file}\n"
    read = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc, ".csv": pl.read_csv}[ending]
    frame = read(file)
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == ["time", "open", "high", "low", "close", "volume"]
    assert len(frame) == 3270
    refused = await terminal.run(f"bars AAPL --output {tmp_path}/aapl.xls")
    assert (refused.code, ".parquet, .arrow, .csv" in refused.err) == (1, True)
    assert os.listdir(tmp_path) == [file.name]  # noqa: PTH208  pathlib's would be a loop


async def test_bars_of_any_length_as_they_were_known(terminal: Terminal) -> None:
    weeks = await terminal.run("bars AAPL --interval 1w -n 6 -i sma:timeperiod=3 --json")
    assert weeks.code == 0, weeks.err
    rows = [json.loads(line) for line in weeks.out.splitlines()]
    assert len(rows) == 6
    weeks_of = [dt.date.fromisoformat(row["date"]).isocalendar() for row in rows]
    assert [one.week for one in weeks_of] == [*range(weeks_of[0].week, weeks_of[0].week + 6)]
    closes = [row["close"] for row in rows]
    assert rows[-1]["sma:timeperiod=3"] == pytest.approx(sum(closes[-3:]) / 3)
    shown = await terminal.run("bars AAPL --interval month --adjustment full -n 8")
    assert "AAPL 1mo, full" in shown.out
    assert "volume ┤" in shown.out
    for line, why in (
        ("bars AAPL --interval fortnight", "there is no interval fortnight"),
        ("bars AAPL --interval 5m", "BARS_NOT_FOUND"),
        ("bars AAPL --as-of 2001-01-01", "AS_OF_TOO_EARLY"),
        ("bars AAPL --start yesterday", "YYYY-MM-DD"),
    ):
        refused = await terminal.run(line)
        assert (refused.code, why in refused.err) == (1, True), refused.err
