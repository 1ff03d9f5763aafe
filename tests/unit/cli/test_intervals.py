"""Lengths of bars as they are typed."""

import pytest

from bifrost.data.v1 import bar_pb2
from bifrost_sdk.reading import INTERVALS
from services.cli.console import UsageError
from services.cli.intervals import parse_interval, short_interval


@pytest.mark.parametrize("short", INTERVALS)
def test_both_ways_to_write_an_interval_name_one_of_the_contract(short: str) -> None:
    name = parse_interval(short)
    assert bar_pb2.BarInterval.Value(name)
    word = name.removeprefix("BAR_INTERVAL_")
    assert short_interval(word.lower()) == short_interval(word.replace("_", "-")) == short


def test_every_interval_of_the_contract_can_be_typed() -> None:
    assert {parse_interval(short) for short in INTERVALS} == {*bar_pb2.BarInterval.keys()[1:]}


def test_what_there_is_none_of_is_said() -> None:
    with pytest.raises(UsageError, match="there is no interval fortnight; there are 1s"):
        parse_interval("fortnight")
