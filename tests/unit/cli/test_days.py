"""Days as they are typed."""

import pytest

from services.cli.console import UsageError
from services.cli.days import check_day


@pytest.mark.parametrize("text", ["", "2024-01-31", "2024-02-29"])
def test_a_day_is_taken_as_it_is(text: str) -> None:
    assert check_day("--since", text) == text


@pytest.mark.parametrize(
    "text", ["foo", "31.01.2024", "20240131", "2024-W05-3", "2024-02-30", "2024-1-3", "0000-01-01"]
)
def test_what_is_no_day_is_answered_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=f"--since is a day, written YYYY-MM-DD like 2024-01-31, not {text}"):
        check_day("--since", text)
