"""A page put together by hand is what the library would have made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from services.data.convert import list_bars_response
from services.data.domain.bars import Bars

ROWS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), *[st.floats(allow_nan=False)] * 5), max_size=30)


@given(ROWS, st.sampled_from(["", "token"]))
def test_page_equals_the_librarys(
    rows: list[tuple[int, float, float, float, float, float]], token: str
) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * 6
    bars = Bars(np.array(columns[0], dtype=np.int64), *(np.array(c, dtype=float) for c in columns[1:]))
    expected = bar_service_pb2.ListBarsResponse(
        instrument_id="an id",
        bars=bar_pb2.BarColumns(
            open_time_ns=columns[0],
            open=columns[1],
            high=columns[2],
            low=columns[3],
            close=columns[4],
            volume=columns[5],
        ),
        next_page_token=token,
        made_from=bar_pb2.BAR_INTERVAL_MINUTE,
    )
    assert list_bars_response("an id", bars, token, 2) == expected.SerializeToString(deterministic=True)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(1, 3), slice(None, None, 2)])
def test_views_of_columns_are_served_too(rows: slice) -> None:
    whole = np.arange(4)
    prices = np.arange(4, dtype=np.float64) * 1.5
    bars = Bars(whole, *[prices] * 5).take(rows)
    page = bar_service_pb2.ListBarsResponse.FromString(list_bars_response("an id", bars, "", 2))
    assert list(page.bars.open_time_ns) == whole[rows].tolist()
    assert list(page.bars.volume) == prices[rows].tolist()
