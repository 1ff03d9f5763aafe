"""Price steps by price."""

from decimal import Decimal

import pytest

from services.data.domain.tick_table import TickBand, tick_table_problem


def table(*bands: tuple[str, str]) -> tuple[TickBand, ...]:
    return tuple(TickBand(Decimal(price), Decimal(tick)) for price, tick in bands)


HKEX = table(
    ("0", "0.001"), ("0.25", "0.005"), ("0.5", "0.01"), ("10", "0.02"), ("20", "0.05"), ("100", "0.1")
)


@pytest.mark.parametrize(
    ("bands", "text"),
    [
        ((), "at least one"),
        ((("1", "0.01"),), "begins at 0"),
        ((("0", "0"),), "over 0"),
        ((("0", "0.01"), ("10", "0.05"), ("5", "0.1")), "bands rise"),
        ((("0", "0.01"), ("0", "0.05")), "bands rise"),
        ((("0", "0.01"), ("1", "0.1"), ("10", "0.02")), "ticks rise"),
        ((("0", "0.02"), ("10", "0.05")), "no multiple"),
        ((("0", "0.01"), ("10.01", "0.1")), "does not begin on its tick"),
    ],
)
def test_what_is_wrong_with_a_table(bands: tuple[tuple[str, str], ...], text: str) -> None:
    assert text in tick_table_problem(table(*bands))


def test_a_table_of_an_exchange_is_right() -> None:
    assert tick_table_problem(HKEX) == ""
