"""The digest that tells the same request from another."""

import pytest

from bifrost.portfolio.v1.ledger_service_pb2 import CreateDepositRequest, ListLedgerEntriesRequest
from services.runtime.idempotency import request_digest


def test_digest_is_of_the_content_without_the_request_id() -> None:
    first = CreateDepositRequest(account_id="a", request_id="1", memo="m")
    again = CreateDepositRequest(account_id="a", request_id="2", memo="m")
    other = CreateDepositRequest(account_id="a", request_id="1", memo="n")
    assert request_digest(first) == request_digest(again)
    assert request_digest(first) != request_digest(other)
    assert first.request_id == "1"


def test_digest_does_not_change_with_the_release() -> None:
    """Digests are stored: a change of their making must change the version."""
    expected = "1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert request_digest(CreateDepositRequest(request_id="1")) == expected


def test_message_without_request_id_has_no_digest() -> None:
    with pytest.raises(ValueError, match="request_id"):
        request_digest(ListLedgerEntriesRequest(account_id="a"))
