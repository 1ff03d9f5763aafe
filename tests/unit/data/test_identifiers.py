"""Check digits of ISINs and FIGIs."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.identifiers import figi_check_digit, figi_problem, isin_check_digit, isin_problem

CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"
LETTERS = st.sampled_from(string.ascii_uppercase)
FIGI_REST = st.text(CONSONANTS + string.digits, min_size=8, max_size=8)


def luhn_sum(number: str) -> int:
    """By the definition: letters as two digits, every second digit from the right doubled."""
    digits = [int(digit) for character in number for digit in str(string.printable.index(character.lower()))]
    doubled = [digit * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(digit // 10 + digit % 10 for digit in doubled)


@pytest.mark.parametrize(
    "isin", ["US0378331005", "GB0002634946", "AU0000XVGZA3", "US5949181045", "DE0007164600", "JP3633400001"]
)
def test_isins_of_real_securities(isin: str) -> None:
    assert isin_problem(isin) == ""


@pytest.mark.parametrize("figi", ["BBG000B9XRY4", "BBG000BLNNH6", "BBG000BPH459", "NRG92C84SB39"])
def test_figis_of_real_listings(figi: str) -> None:
    assert figi_problem(figi) == ""


@given(
    country=st.text(LETTERS, min_size=2, max_size=2),
    rest=st.text(string.ascii_uppercase + string.digits, min_size=9, max_size=9),
)
def test_one_check_digit_makes_an_isin(country: str, rest: str) -> None:
    good = [digit for digit in string.digits if not isin_problem(f"{country}{rest}{digit}")]
    assert good == [str(isin_check_digit(country + rest))]
    assert luhn_sum(f"{country}{rest}{good[0]}") % 10 == 0


@given(rest=FIGI_REST, place=st.integers(3, 11), other=st.sampled_from(CONSONANTS + string.digits))
def test_one_character_wrong_is_not_the_same_figi(rest: str, place: int, other: str) -> None:
    figi = f"BBG{rest}{figi_check_digit('BBG' + rest)}"
    assert figi_problem(figi) == ""
    changed = figi[:place] + other + figi[place + 1 :]
    if place == 11 and other != figi[place]:
        assert figi_problem(changed)


@pytest.mark.parametrize(
    "isin", ["", "US037833100", "us0378331005", "US0378331006", "1S0378331005", "US03783310055"]
)
def test_what_is_no_isin(isin: str) -> None:
    assert isin_problem(isin)


@pytest.mark.parametrize(
    "figi", ["", "BBA000B9XRY4", "AAG000B9XRY4", "BBG000B9XRY5", "GBG000B9XRY4", "BBG000B9XRE4"]
)
def test_what_is_no_figi(figi: str) -> None:
    assert figi_problem(figi)
