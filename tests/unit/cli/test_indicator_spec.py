"""Indicators as they are typed."""

import pytest
from google.protobuf.json_format import MessageToDict

from services.cli.console import UsageError
from services.cli.indicator_spec import parse_indicator


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("macd", {"label": "macd", "name": "MACD"}),
        ("sma:timeperiod=20", {"name": "SMA", "parameters": {"timeperiod": 20.0}}),
        (
            "bbands:nbdevup=2.5, matype=ema@week",
            {
                "name": "BBANDS",
                "parameters": {"nbdevup": 2.5, "matype": "EMA"},
                "interval": "BAR_INTERVAL_WEEK",
            },
        ),
        (
            "correl:source=volume,source=high",
            {"name": "CORREL", "sources": ["PRICE_SOURCE_VOLUME", "PRICE_SOURCE_HIGH"]},
        ),
    ],
)
def test_what_is_typed_is_meant(text: str, spec: dict[str, object]) -> None:
    assert MessageToDict(parse_indicator(text)) == {"label": text} | spec


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "is written"),
        ("sma(20)", "is written"),
        ("sma:20", "name=value"),
        ("sma:=20", "name=value"),
        ("sma@fortnight", "five_minutes"),
        ("sma@unspecified", "there is no interval"),
        ("sma:source=bid", "weighted_close"),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        parse_indicator(text)
