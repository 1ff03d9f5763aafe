"""Page tokens and sizes."""

import base64
import hashlib
import json

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost.portfolio.v1.ledger_service_pb2 import ListLedgerEntriesRequest
from bifrost.portfolio.v1.portfolio_service_pb2 import ListAccountsRequest, ListPortfoliosRequest
from services.runtime.errors import ApiError
from services.runtime.pagination import Column, decode_page_token, encode_page_token, number, page_size, text

KEPT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(KEPT, st.integers(-(2**63), 2**63 - 1), st.integers(0, 1000))
def test_token_gives_the_position_back_to_the_same_request(symbol: str, sequence: int, size: int) -> None:
    position = {"symbol": symbol, "sequence": str(sequence)}
    token = encode_page_token(ListLedgerEntriesRequest(account_id="a"), position)
    again = ListLedgerEntriesRequest(account_id="a", page_size=size, page_token=token)
    assert decode_page_token(again, token, symbol=text, sequence=number) == position


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


@pytest.mark.parametrize(
    "position",
    [
        {},
        {"other": "1"},
        {"sequence": "1", "other": "1"},
        {"sequence": 1},
        {"sequence": None},
        {"sequence": ["1"]},
        {"sequence": ""},
        {"sequence": "x"},
        {"sequence": "1.5"},
        {"sequence": "1 OR 1=1"},
        {"sequence": "+1"},
        {"sequence": "\u0661"},
        {"sequence": "1\n"},
        {"sequence": str(2**63)},
        {"sequence": "9" * 500},
        [],
        "1",
        1,
        None,
    ],
)
def test_position_of_another_shape_is_refused(position: object) -> None:
    request = ListLedgerEntriesRequest(account_id="a")
    assert_refused(request, forged(request, json.dumps(position).encode()), sequence=number)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 7, None])
def test_text_that_no_database_keeps_is_refused(value: object) -> None:
    request = ListAccountsRequest()
    assert_refused(request, forged(request, json.dumps({"id": value}).encode()), id=text)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 700, b"9" * 700])
def test_body_that_is_no_position_is_refused(body: bytes) -> None:
    request = ListAccountsRequest()
    assert_refused(request, forged(request, body), id=text)


@given(st.binary(max_size=60))
def test_no_body_does_anything_but_be_refused(body: bytes) -> None:
    request = ListAccountsRequest()
    assert_refused(request, forged(request, body), id=text)


def forged(request: ListLedgerEntriesRequest | ListAccountsRequest, body: bytes) -> str:
    """A token whose digest is right, as anybody can make it."""
    content = b"\0".join((request.DESCRIPTOR.full_name.encode(), request.SerializeToString(), body))
    digest = hashlib.sha256(content).digest()[:12]
    return base64.urlsafe_b64encode(digest + body).decode().rstrip("=")


def assert_refused(
    request: ListLedgerEntriesRequest | ListAccountsRequest, token: str, **columns: Column
) -> None:
    with pytest.raises(ApiError) as caught:
        decode_page_token(request, token, **columns)
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
