"""Numbers that name securities, with their check digits."""

from __future__ import annotations

import re

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
# No vowels, so that no words come about; the third character is always G.
_FIGI = re.compile(r"[B-DF-HJ-NP-TV-Z]{2}G[B-DF-HJ-NP-TV-Z0-9]{8}[0-9]")
# Prefixes of ISINs, which a FIGI may not begin with (OMG FIGI 1.2, 6.1.2).
_NOT_FIGI = frozenset({"BS", "BM", "GG", "GB", "GH", "KY", "VG"})


def isin_check_digit(body: str) -> int:
    """The check digit of the first eleven characters of an ISIN (ISO 6166, annex A).

    Letters become two digits (A is 10), then the digits are summed, every second one from the right doubled.
    """
    digits = "".join(str(int(character, 36)) for character in body)[::-1]
    return _complement(sum(_digit_sum(int(digit) * (2 - place % 2)) for place, digit in enumerate(digits)))


def figi_check_digit(body: str) -> int:
    """The check digit of the first eleven characters of a FIGI (OMG FIGI 1.2: modulus 10, double add double).

    Characters count as 0-9, A is 10; every second one from the left is doubled, and all digits are summed.
    """
    values = [int(character, 36) for character in body]
    return _complement(sum(_digit_sum(value * (1 + place % 2)) for place, value in enumerate(values)))


def isin_problem(isin: str) -> str:
    """What is wrong with it; empty when it is an ISIN."""
    if _ISIN.fullmatch(isin) is None:
        return f"{isin!r} is no ISIN: two letters, nine letters or digits, a check digit"
    return _check(isin, isin_check_digit(isin[:-1]))


def figi_problem(figi: str) -> str:
    """What is wrong with it; empty when it is a FIGI."""
    if _FIGI.fullmatch(figi) is None or figi[:2] in _NOT_FIGI:
        return f"{figi!r} is no FIGI: two consonants, G, eight consonants or digits, a check digit"
    return _check(figi, figi_check_digit(figi[:-1]))


def _check(number: str, digit: int) -> str:
    if number[-1] == str(digit):
        return ""
    return f"the check digit of {number[:-1]} is {digit}, not {number[-1]}"


def _digit_sum(number: int) -> int:
    return sum(divmod(number, 10))


def _complement(total: int) -> int:
    return -total % 10
