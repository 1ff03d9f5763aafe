"""Tables of steps by size, as exchanges have them, for properties."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from services.runtime.steps import Steps

D = Decimal
HKEX = Steps.of(
    D(0),
    [
        (D(start), D(size))
        for start, size in (
            ("0", "0.001"),
            ("0.25", "0.005"),
            ("0.5", "0.01"),
            ("10", "0.02"),
            ("20", "0.05"),
            ("100", "0.1"),
        )
    ],
)
"""Part of the Hong Kong spread table."""
ODD = Steps.of(D(0), [(D("0"), D("0.01")), (D("10"), D("0.02")), (D("10.05"), D("0.05"))])
"""The last step below 10.05 is a short one: 10.04, 10.05."""


@st.composite
def step_tables(draw: st.DrawFn, first: st.SearchStrategy[Decimal] | None = None) -> Steps:
    """Any table that data takes."""
    size = draw(first or st.sampled_from([D("0.0001"), D("0.001"), D("0.0025"), D("0.01"), D("0.05"), D(1)]))
    bands = [(D(0), size)]
    for _ in range(draw(st.integers(0, 5))):
        start, below = bands[-1]
        wider = size * draw(st.integers(int(below / size), int(below / size) * 5))
        steps = start // wider + 1 + draw(st.integers(0, 60))
        bands.append((steps * wider, wider))
    return Steps.of(size, bands)


@st.composite
def prices_near(draw: st.DrawFn, table: Steps, places: int = 5) -> Decimal:
    """A price over 0: anywhere, or where a band ends, or on the step there."""
    start = draw(st.sampled_from(table.starts))
    near = (
        start
        + table.smallest * draw(st.integers(-20, 200))
        + draw(st.decimals(0, table.smallest, places=places))
    )
    anywhere = draw(st.decimals(D(1).scaleb(-places), table.starts[-1] + 10, places=places))
    price = draw(st.sampled_from([near, anywhere, table.floor(abs(near)), table.ceil(abs(near))]))
    return price if price > 0 else table.smallest


def naive_step(table: Steps, price: Decimal) -> Decimal:
    """The step at a price, by looking through all bands."""
    return [size for start, size in zip(table.starts, table.sizes, strict=True) if start <= price][-1]


def is_on_step(table: Steps, price: Decimal) -> bool:
    """By exact fractions."""
    numerator, denominator = price.as_integer_ratio()
    over, under = naive_step(table, price).as_integer_ratio()
    return numerator * under % (denominator * over) == 0
