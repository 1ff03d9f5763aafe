import pytest

from services.cli.commands.call import find_method
from services.cli.completion import methods
from services.cli.console import UsageError


@pytest.mark.parametrize(
    "name",
    [
        "OrderService/ListOrders",
        "OrderService.ListOrders",
        "bifrost.execution.v1.OrderService/ListOrders",
        "/bifrost.execution.v1.OrderService/ListOrders",
        "ListOrders",
    ],
)
def test_a_method_has_several_names(name: str) -> None:
    assert find_method(name).full_name == "bifrost.execution.v1.OrderService.ListOrders"


def test_an_unknown_method_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean .*OrderService/ListOrders"):
        find_method("OrderService/ListOrdrs")
    with pytest.raises(UsageError, match=r"^no method qqqqqqqqqqqqqqqqqqqqqqqqqqqq$"):
        find_method("qqqqqqqqqqqqqqqqqqqqqqqqqqqq")


def test_the_shell_is_offered_methods() -> None:
    assert "OrderService/SubmitOrder" in methods("orderservice/s")
    assert methods("nothing like it") == []
