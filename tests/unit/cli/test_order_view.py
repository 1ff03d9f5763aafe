import uuid
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bifrost.execution.v1 import order_pb2
from bifrost.type.v1 import order_terms_pb2
from services.cli.order_view import describe_event, describe_terms, order_table, prefix_length


def an_order(
    order_id: str = "01a2037c-9638-724b-95b2-af9ae359d70e",
    *,
    message: str = "",
    reject_reasons: Sequence[str] = (),
) -> order_pb2.Order:
    terms = order_terms_pb2.OrderTerms(
        side=order_terms_pb2.SIDE_BUY,
        type=order_terms_pb2.ORDER_TYPE_STOP_LIMIT,
        time_in_force=order_terms_pb2.TIME_IN_FORCE_GTC,
        quantity="1000",
        limit_price="499.5",
        stop_price="600",
    )
    return order_pb2.Order(
        order_id=order_id,
        symbol="AAPL",
        currency="USD",
        terms=terms,
        state=order_pb2.ORDER_STATE_PARTIALLY_FILLED,
        filled_quantity="400",
        average_price="499.5",
        message=message,
        reject_reasons=reject_reasons,
    )


def test_terms_read_as_one_says_them() -> None:
    order = an_order()
    assert describe_terms(order) == "buy 1,000 AAPL stop 600.00 limit 499.50 gtc"
    order.terms.ClearField("stop_price")
    order.terms.ClearField("limit_price")
    assert describe_terms(order) == "buy 1,000 AAPL market gtc"


def test_an_event_is_one_line_with_its_fill() -> None:
    event = order_pb2.OrderEvent(
        type=order_pb2.ORDER_EVENT_TYPE_CANCEL_REJECTED,
        order=an_order(message="too late"),
    )
    assert describe_event(event).endswith("01a2037c-9638  too late")
    event.type = order_pb2.ORDER_EVENT_TYPE_FILLED
    event.fill.MergeFrom(order_pb2.Fill(quantity="400", price="499.5", fee="2", currency="USD"))
    line = describe_event(event)
    assert "filled" in line
    assert line.endswith("400 at 499.50, fee 2.00")


@given(st.lists(st.uuids(), min_size=1, max_size=40))
def test_shortened_ids_still_differ(ids: list[uuid.UUID]) -> None:
    names = [str(one) for one in ids]
    length = prefix_length(names)
    assert length >= 13
    assert len({name[:length] for name in names}) == len(set(names))


def test_neighbours_of_one_millisecond_are_told_apart() -> None:
    assert (
        prefix_length(["01a2037c-9638-724b-95b2-af9ae359d70e", "01a2037c-9638-724b-95b2-af9ae359d70f"]) == 36
    )


def test_ids_are_whole_in_eighty_columns() -> None:
    orders = [
        an_order(),
        an_order("01a2037c-9638-724c-95b2-af9ae359d70e", reject_reasons=["BUYING_POWER", "PRICE_COLLAR"]),
    ]
    console = Console(width=80, record=True, file=None)
    with console.capture() as shown:
        console.print(order_table("orders", orders))
    text = shown.get()
    assert "01a2037c-9638-724b" in text
    assert "01a2037c-9638-724c" in text
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "price_collar" in text
