"""bifrost instrument, instruments and facts against a running mesh."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.cli.conftest import Terminal


async def test_instruments_and_facts_of_files_are_on_the_card(terminal: Terminal, tmp_path: Path) -> None:
    instruments, facts = tmp_path / "instruments.csv", tmp_path / "facts.csv"
    instruments.write_text(
        "symbol,mic,name,currency,listing_date,asset_class,isin\n"
        "CARD,XNYS,Card Company,USD,2010-01-04,index,US1912161007\n"
    )
    made = await terminal.run(f"instruments import {instruments} --json")
    assert made.document["created"] == 1
    facts.write_text(
        "symbol,name,period,period_end,value,currency,publish_time\n"
        "CARD,sector,instant,2024-01-02,Technology,,2024-01-02\n"
        "CARD,pe_ratio,instant,2024-01-02,12.5,,2024-01-02\n"
        "CARD,eps_estimate,quarter,2023-12-31,1,USD,2024-01-02\n"
        "CARD,eps_actual,quarter,2023-12-31,1.25,USD,2024-02-02\n"
    )
    assert (await terminal.run(f"facts import {facts} --json")).document["recorded"] == 4
    again = await terminal.run(f"facts import {facts}")
    assert "0 facts recorded, 4 known already" in again.out
    card = (await terminal.run("instrument card --json")).document
    assert card["instrument"]["isin"] == "US1912161007"
    assert card["profile"][0]["sector"] == "Technology"
    assert card["earnings"][0]["surprise"] == 0.25
    shown = await terminal.run("instrument card")
    for text in ("Card Company", "Technology", "12.5", "25.00%"):
        assert text in shown.out
    found = await terminal.run("instruments US1912161007 --json")
    assert found.documents[0]["instrument"]["symbol"] == "CARD"


async def test_a_card_counts_bars_and_a_bad_row_is_named(terminal: Terminal, tmp_path: Path) -> None:
    shown = await terminal.run("instrument AAPL")
    assert "daily bars: 3," in shown.out
    assert "splits" in shown.out
    bad = tmp_path / "bad.csv"
    bad.write_text("symbol,mic,currency,listing_date,isin\nBADX,XNYS,USD,2010-01-04,US0378331006\n")
    refused = await terminal.run(f"instruments import {bad} --json")
    assert (refused.code, refused.document["error"]["reason"]) == (1, "ROWS_INVALID")
    assert "instruments[0].isin" in refused.document["error"]["message"]
