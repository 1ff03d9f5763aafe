import decimal
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime import decimals
from services.runtime.decimals import format_decimal, from_double, minor_unit, parse_decimal, round_money
from services.runtime.errors import ApiError

WIRE = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", fullmatch=True).filter(str.isascii)


@given(WIRE)
def test_the_wire_form_is_read_exactly_and_written_shortest(text: str) -> None:
    value = parse_decimal(text, field="x")
    again = format_decimal(value)
    assert parse_decimal(again, field="x") == value
    assert len(again) <= len(text)
    assert again != "-0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1e3",
        "1E3",
        "NaN",
        "inf",
        "-",
        ".5",
        "5.",
        "1,5",
        "1_0",
        "\u0661",
        "1\n",
        "--1",
        "0x1",
        "1" * 19,
        "0." + "1" * 10,
        "1" * 40,
    ],
)
def test_what_is_no_plain_decimal_names_its_field(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_decimal(text, field="order.quantity")
    assert (caught.value.code.name, caught.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert caught.value.violations[0][0] == "order.quantity"
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("-0.00", "0"), ("1E+5", "100000"), ("1.500", "1.5"), ("-2.50", "-2.5"), ("100", "100")],
)
def test_formatting(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_not_finite_has_no_wire_form(value: str) -> None:
    with pytest.raises(ValueError, match=value):
        format_decimal(Decimal(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_becomes_its_shortest_decimal(value: float) -> None:
    assert float(from_double(value)) == value
    assert from_double(0.1) == Decimal("0.1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_doubles_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        from_double(value)


@pytest.mark.parametrize(
    ("value", "currency", "rounded"),
    [
        ("1.005", "USD", "1.00"),
        ("1.015", "USD", "1.02"),
        ("-1.005", "USD", "-1.00"),
        ("2.5", "JPY", "2"),
        ("3.5", "JPY", "4"),
        ("0.0005", "KWD", "0.000"),
        ("7", "USD", "7.00"),
    ],
)
def test_money_is_rounded_half_even_to_the_minor_unit(value: str, currency: str, rounded: str) -> None:
    with decimal.localcontext(decimals.CONTEXT):
        assert str(round_money(Decimal(value), currency)) == rounded


@given(st.decimals(min_value=-(10**30), max_value=10**30, places=18))
def test_rounding_moves_money_by_at_most_half_a_cent(value: Decimal) -> None:
    with decimal.localcontext(decimals.CONTEXT):
        assert abs(round_money(value, "EUR") - value) <= Decimal("0.005")


def test_minor_units() -> None:
    assert [minor_unit(code) for code in ("USD", "JPY", "KWD")] == [2, 0, 3]
    for unknown in ("usd", "XXX", ""):
        with pytest.raises(ValueError, match="ISO 4217"):
            minor_unit(unknown)


def test_an_inexact_result_is_trapped_here_and_in_new_threads() -> None:
    before = decimal.getcontext()
    defaults = decimal.DefaultContext.copy()
    raised: list[type] = []

    def divide() -> None:
        try:
            Decimal(1) / Decimal(3)
        except decimal.Inexact:
            raised.append(decimal.Inexact)

    try:
        decimals.install_context()
        divide()
        thread = threading.Thread(target=divide)
        thread.start()
        thread.join()
    finally:
        decimal.setcontext(before)
        decimal.DefaultContext.prec = defaults.prec
        decimal.DefaultContext.traps.update(defaults.traps)
    assert raised == [decimal.Inexact, decimal.Inexact]
