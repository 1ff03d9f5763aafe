"""Tables on narrow screens: a value is never cut, for a part of a number reads as another number."""

from __future__ import annotations

import pytest

from services.cli.console import err, out, table

_COLUMNS = ("date", "open", "high", "volume", "sma:timeperiod=20", "macd macdsignal", "rsi@week")
_ROW = ("2013-01-17", "510.31", "510.75", "16,202,800", "519.10", "-10.30", "40.13")


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_values_are_whole_on_a_screen_that_is_too_narrow(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", width)
    out.print(table("AAPL", _COLUMNS, [_ROW], right=_COLUMNS[1:], whole=("date",)))
    assert tuple(capsys.readouterr().out.splitlines()[-1].split()) == _ROW


def test_text_is_folded_where_numbers_need_the_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", 30)
    words = "a reason that is longer than the screen is wide"
    out.print(table("", ("id", "reason"), [("510.31", words)], right=("id",)))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 30
    assert all(word in printed for word in words.split())


def test_a_long_line_stays_one_line_where_there_is_no_screen(capsys: pytest.CaptureFixture[str]) -> None:
    line = " ".join(["word"] * 60)
    out.print(line)
    err.print(line, style="red")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"{line}\n", f"{line}\n")
