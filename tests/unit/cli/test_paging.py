"""Lists read page by page to their end."""

from __future__ import annotations

from bifrost.execution.v1.order_pb2 import Order
from bifrost.execution.v1.order_service_pb2 import ListOrdersRequest, ListOrdersResponse
from services.cli.paging import pages


async def _two_a_page(request: ListOrdersRequest, *, timeout: float) -> ListOrdersResponse:
    assert (request.account_id, timeout) == ("a", 3.0)
    start = int(request.page_token or 0)
    orders = [Order(order_id=str(n)) for n in range(start, min(start + 2, 5))]
    return ListOrdersResponse(orders=orders, next_page_token=str(start + 2) if start + 2 < 5 else "")


async def test_every_page_is_read_once_and_in_order() -> None:
    read = pages(_two_a_page, ListOrdersRequest(account_id="a"), timeout_s=3.0)
    assert [[order.order_id for order in page.orders] async for page in read] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
    ]
