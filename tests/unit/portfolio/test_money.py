from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portfolio.domain.money import average_price, is_to_minor_unit, posting_amount, share_of
from services.runtime.decimals import install_context


@pytest.fixture(autouse=True, scope="module")
def _context() -> None:
    install_context()


@pytest.mark.parametrize(
    ("quantity", "price", "fee", "amount"),
    [
        ("10", "100.25", "0.05", "-1002.55"),
        ("-10", "100.25", "0.05", "1002.45"),
        ("1", "0.005", "0", "0.00"),  # a tie goes to the even cent
        ("1", "0.015", "0", "-0.02"),
        ("-1", "0.015", "0.010", "0.00"),  # rounded once, with the fee in it, not price and fee apart
        ("-1", "0", "0.014", "-0.01"),
        ("999999999999999999", "999999999.999999999", "0.000000001", None),  # 45 digits: nothing is trapped
    ],
)
def test_posting_amount_is_rounded_half_even_once(
    quantity: str, price: str, fee: str, amount: str | None
) -> None:
    posted = posting_amount(Decimal(quantity), Decimal(price), Decimal(fee), "USD")
    exact = -(Fraction(quantity) * Fraction(price) + Fraction(fee))
    assert Fraction(posted) == Fraction(round(exact * 100), 100)
    if amount is not None:
        assert posted == Decimal(amount)


@given(
    st.integers(-(10**12), 10**12),
    st.integers(1, 10**12),
    st.integers(1, 10**12),
    st.sampled_from([("JPY", 0), ("USD", 2), ("KWD", 3)]),
)
def test_share_of_is_the_exact_quotient_rounded_half_even(
    minor_units: int, part: int, whole: int, currency: tuple[str, int]
) -> None:
    name, digits = currency
    amount = Decimal(minor_units).scaleb(-digits)
    share = share_of(amount, Decimal(part), Decimal(whole), name)
    assert share.scaleb(digits) == round(Fraction(minor_units * part, whole))


def test_average_price_has_nine_digits_and_none_when_flat() -> None:
    assert average_price(Decimal("10.00"), Decimal(3)) == Decimal("3.333333333")
    assert average_price(Decimal("-20.00"), Decimal(-3)) == Decimal("6.666666667")
    assert average_price(Decimal(0), Decimal(0)) is None


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [
        ("10.00", "USD", True),
        ("10.005", "USD", False),
        ("10.5", "JPY", False),
        ("1.125", "KWD", True),
        ("10.50000", "USD", True),
    ],
)
def test_is_to_minor_unit(amount: str, currency: str, fits: bool) -> None:
    assert is_to_minor_unit(Decimal(amount), currency) is fits
