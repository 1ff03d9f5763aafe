"""Page tokens and sizes."""

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost.portfolio.v1.ledger_service_pb2 import ListLedgerEntriesRequest
from bifrost.portfolio.v1.portfolio_service_pb2 import ListAccountsRequest, ListPortfoliosRequest
from services.runtime.errors import ApiError
from services.runtime.pagination import decode_page_token, encode_page_token, page_size


@given(st.dictionaries(st.text(), st.text(), max_size=3), st.integers(0, 1000))
def test_token_gives_the_position_back_to_the_same_request(position: dict[str, str], size: int) -> None:
    token = encode_page_token(ListLedgerEntriesRequest(account_id="a"), position)
    again = ListLedgerEntriesRequest(account_id="a", page_size=size, page_token=token)
    assert decode_page_token(again, token) == position


def test_empty_token_is_the_first_page() -> None:
    assert decode_page_token(ListAccountsRequest(), "") is None


@pytest.mark.parametrize("token", ["x", "%%%", "é", "AAAA", "A" * 500])
def test_foreign_text_is_refused(token: str) -> None:
    assert_refused(ListLedgerEntriesRequest(account_id="a"), token)


@given(st.integers(0, 39), st.integers(1, 63))
def test_changed_token_is_refused(index: int, step: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    request = ListLedgerEntriesRequest(account_id="a")
    token = encode_page_token(request, {"sequence": "17", "id": "b"})
    index %= len(token) - 1  # the last character may hold bits that stand for nothing
    changed = alphabet[(alphabet.index(token[index]) + step) % 64]
    assert_refused(request, token[:index] + changed + token[index + 1 :])


def test_token_of_another_request_is_refused() -> None:
    token = encode_page_token(ListLedgerEntriesRequest(account_id="a"), {"id": "1"})
    assert_refused(ListLedgerEntriesRequest(account_id="b"), token)
    assert_refused(ListAccountsRequest(), encode_page_token(ListPortfoliosRequest(), {}))


def assert_refused(request: ListLedgerEntriesRequest | ListAccountsRequest, token: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode_page_token(request, token)
    assert (caught.value.code, caught.value.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
    )
    assert caught.value.violations[0][0] == "page_token"


def test_page_size_is_coerced() -> None:
    assert [page_size(n) for n in (0, 7, 5000)] == [100, 7, 1000]
    assert page_size(0, default=5, maximum=9) == 5
    with pytest.raises(ApiError) as caught:
        page_size(-1)
    assert caught.value.reason == "FIELD_INVALID"
