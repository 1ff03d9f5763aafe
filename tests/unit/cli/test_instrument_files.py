"""Instruments and facts from a user's own files."""

from pathlib import Path

import pytest

from bifrost.data.v1 import fundamental_pb2, instrument_pb2
from services.cli.console import UsageError
from services.cli.instrument_files import read_facts, read_instruments


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_instruments_of_a_csv(tmp_path: Path) -> None:
    text = (
        "symbol,mic,currency,listing_date,asset_class,underlying,expiry_date,strike,right,multiplier,style\n"
        "KO,XNYS,USD,1919-09-05,,,,,,,\n"
        "KO.C60,XCBO,USD,2023-01-03,option,ko,2024-01-19,60,call,100,american\n"
    )
    share, option = read_instruments(written(tmp_path, "i.csv", text))
    assert (share.symbol, share.asset_class) == ("KO", instrument_pb2.ASSET_CLASS_EQUITY)
    assert option.option.underlying.listed.symbol == "KO"
    assert (option.option.strike, option.option.right) == ("60", instrument_pb2.OPTION_RIGHT_CALL)
    assert option.option.style == instrument_pb2.EXERCISE_STYLE_AMERICAN


def test_facts_of_a_csv_and_of_json(tmp_path: Path) -> None:
    text = (
        "symbol,name,period,period_end,value,currency,publish_time\n"
        "AAPL,revenue,quarter,2024-03-31,90753000000,USD,2024-05-02\n"
        "AAPL,sector,,2024-01-02,Technology,,2024-01-02T10:00:00+01:00\n"
    )
    (subject,) = read_facts(written(tmp_path, "f.csv", text))
    revenue, sector = subject.facts
    assert (revenue.number, revenue.currency, revenue.period) == (
        "90753000000",
        "USD",
        fundamental_pb2.FACT_PERIOD_QUARTER,
    )
    assert revenue.publish_time.ToJsonString() == "2024-05-02T23:59:59Z"
    assert (sector.text, sector.publish_time.ToJsonString()) == ("Technology", "2024-01-02T09:00:00Z")
    document = (
        '[{"symbol": "AAPL", "name": "beta", "period_end": "2024-01-02", "value": 1.2, "currency": null}]'
    )
    (subject,) = read_facts(written(tmp_path, "f.json", document))
    assert (subject.facts[0].number, subject.facts[0].HasField("publish_time")) == ("1.2", False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("symbol,colour\nKO,red\n", "colour"),
        ("symbol,mic\nKO\n", "another number of cells"),
        ("symbol,asset_class\nKO,bond\n", "row 2: asset_class is one of equity, .*option.*, not bond"),
        ("symbol,status\nKO,gone\n", "row 2: status is one of active, .*, not gone"),
        ("symbol,asset_class,right\nKO,option,buy\n", "row 2: right is one of call, put, not buy"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_instruments(written(tmp_path, "i.csv", text))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("f.json", "{", "cannot be read"),
        ("f.json", '{"a": 1}', "no list"),
        ("f.json", '[{"colour": "red"}]', "colour"),
        (
            "f.csv",
            "symbol,period\nKO,monthly\n",
            "row 2: period is one of instant, quarter, year, trailing_year, not monthly",
        ),
        ("f.json", '[{"symbol": "KO", "period": "UNSPECIFIED"}]', "row 1: period is one of instant"),
        ("f.csv", "symbol,publish_time\nKO,2024-01-02T10:00\n", "no time zone"),
    ],
)
def test_facts_that_cannot_be_read(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_facts(written(tmp_path, name, text))
