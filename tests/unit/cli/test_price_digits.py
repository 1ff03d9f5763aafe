"""How many decimals a table of prices needs."""

import pytest

from services.cli.commands.bars import _digits


@pytest.mark.parametrize(
    ("prices", "digits"),
    [
        ([101.0, 99.5], 2),
        ([1.0825, 1.08], 4),
        ([0.00012345], 8),
        ([430.47 / 7], 3),
        ([2 / 3, 100.0], 5),
        ([1e-12 / 3], 8),
        ([0.0, 1 / 3], 2),
    ],
)
def test_prices_are_shown_as_they_are(prices: list[float], digits: int) -> None:
    assert _digits(prices) == digits
