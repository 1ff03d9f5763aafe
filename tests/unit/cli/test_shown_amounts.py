from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.money import pad_money, show_money, show_pnl, show_price, show_quantity, with_money

AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=9)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("249133.5", "USD", "249,133.50"),
        ("0", "USD", "0.00"),
        ("-19.655", "USD", "-19.66"),
        ("-19.645", "USD", "-19.64"),
        ("1500", "JPY", "1,500"),
        ("1.5", "KWD", "1.500"),
        ("", "USD", ""),
    ],
)
def test_money_is_shown_in_the_currency_s_digits(amount: str, currency: str, shown: str) -> None:
    assert show_money(amount, currency) == shown


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("500", "500.00"),
        ("198.255", "198.255"),
        ("33.333333333", "33.3333"),
        ("1234.5", "1,234.50"),
        ("", ""),
    ],
)
def test_a_price_has_two_to_four_digits(price: str, shown: str) -> None:
    assert show_price(price, "USD") == shown


def test_a_loss_is_red_and_a_gain_has_its_sign() -> None:
    loss, gain, nothing = (show_pnl(amount, "USD") for amount in ("-1", "1234", "0"))
    assert (loss.plain, str(loss.style)) == ("-1.00", "red")
    assert (gain.plain, str(gain.style)) == ("+1,234.00", "green")
    assert (nothing.plain, str(nothing.style)) == ("0.00", "")
    assert show_pnl("", "USD").plain == ""


def test_quantities_are_grouped() -> None:
    assert show_quantity("1000000") == "1,000,000"
    assert show_quantity("0.5") == "0.5"
    assert show_quantity("") == ""


@given(AMOUNTS)
def test_machines_lose_nothing(amount: Decimal) -> None:
    padded = pad_money(f"{amount:f}", "USD")
    assert Decimal(padded) == amount
    assert len(padded.partition(".")[2]) >= 2
    assert "," not in padded
    assert "E" not in padded


def test_only_fields_of_money_are_padded() -> None:
    document = {"cash": "1000000", "quantity": "10", "fees": ""}
    assert with_money(document, "USD", ("cash", "fees")) == {
        "cash": "1000000.00",
        "quantity": "10",
        "fees": "",
    }
