"""The digest that tells the same request from another."""

import hashlib
from collections.abc import Iterator
from decimal import Context, Decimal
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from bifrost.execution.v1.order_service_pb2 import SubmitOrderRequest
from bifrost.portfolio.v1.ledger_service_pb2 import CreateDepositRequest, ListLedgerEntriesRequest
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from bifrost.type.v1.value_pb2 import Money
from deploy.build.contracts import ROOT, build_image
from services.runtime.contracts import load_contracts
from services.runtime.decimals import format_decimal
from services.runtime.errors import ApiError
from services.runtime.idempotency import check_digest, request_digest
from services.runtime.inventory import load_inventory
from services.runtime.validation import is_decimal


def test_digest_is_of_the_content_without_the_request_id() -> None:
    first = CreateDepositRequest(account_id="a", request_id="1", memo="m")
    again = CreateDepositRequest(account_id="a", request_id="2", memo="m")
    other = CreateDepositRequest(account_id="a", request_id="1", memo="n")
    assert request_digest(first) == request_digest(again)
    assert request_digest(first) != request_digest(other)
    assert first.request_id == "1"


@pytest.mark.parametrize("again", ["100.0", "100.000000000", "0100", "000100.00"])
def test_decimal_counts_by_its_value(again: str) -> None:
    assert request_digest(order(quantity="100")) == request_digest(order(quantity=again))
    assert request_digest(order(limit_price="100")) == request_digest(order(limit_price=again))
    assert request_digest(order(stop_price="100")) == request_digest(order(stop_price=again))
    assert request_digest(deposit("100")) == request_digest(deposit(again))


@pytest.mark.parametrize("other", ["10", "1000", "100.000000001", "-100", "", "1e2", " 100", "NaN"])
def test_other_decimal_is_another_request(other: str) -> None:
    assert request_digest(deposit("100")) != request_digest(deposit(other))


@given(st.decimals(-(10**17), 10**17, places=9), st.integers(0, 9))
def test_every_spelling_of_a_decimal_has_one_digest(value: Decimal, places: int) -> None:
    value = value.quantize(Decimal(1).scaleb(-places), context=Context(prec=60, traps=[]))
    assert request_digest(deposit(f"{value:f}")) == request_digest(deposit(format_decimal(value)))


def test_text_that_looks_like_a_decimal_is_a_text() -> None:
    first = CreateDepositRequest(request_id="1", memo="1.0")
    assert request_digest(first) != request_digest(CreateDepositRequest(request_id="1", memo="1"))


def test_a_request_that_an_earlier_version_recorded_is_known() -> None:
    """In version 1 decimals counted as they were written."""
    content = order(quantity="100.0")
    content.ClearField("request_id")
    recorded = f"1:{hashlib.sha256(content.SerializeToString(deterministic=True)).hexdigest()}"
    again = request_digest(order(quantity="100.0"))
    check_digest("r", first=recorded, again=again)
    assert again != recorded
    with pytest.raises(ApiError, match="other content"):
        check_digest("r", first=recorded, again=request_digest(order(quantity="200.0")))


def test_digest_leaves_the_request_as_it_was() -> None:
    request = order(quantity="100.0")
    request_digest(request)
    assert request == order(quantity="100.0")


def test_every_decimal_of_a_request_with_an_id_has_the_rule_of_decimals(tmp_path: Path) -> None:
    """What a contract calls a decimal in its comment is known for one by its rule."""
    image = tmp_path / "image.binpb"
    build_image(ROOT / "proto", image)
    called = set(decimals_by_comment(descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())))
    fields = {field.full_name: field for request in requests_with_id() for field in fields_of(request)}
    known = {name for name, field in fields.items() if is_decimal(field)}
    assert known == called & fields.keys()
    assert len(known) >= 4
    maps = [f for f in fields.values() if f.message_type and f.message_type.GetOptions().map_entry]
    assert not maps, "request_digest does not look into maps"


def requests_with_id() -> Iterator[Descriptor]:
    pool = descriptor_pool.Default()
    load_contracts()
    for contract in load_inventory().contracts:
        for method in pool.FindServiceByName(contract).methods:
            if "request_id" in method.input_type.fields_by_name:
                yield method.input_type


def fields_of(message: Descriptor) -> Iterator[FieldDescriptor]:
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from fields_of(field.message_type)


def decimals_by_comment(image: descriptor_pb2.FileDescriptorSet) -> Iterator[str]:
    """Names of the fields of top-level messages whose comment has the word."""
    for file in image.file:
        for location in file.source_code_info.location:
            match list(location.path):
                case [4, message, 2, field] if "decimal" in location.leading_comments.lower():
                    described = file.message_type[message]
                    yield f"{file.package}.{described.name}.{described.field[field].name}"


def order(**terms: str) -> SubmitOrderRequest:
    return SubmitOrderRequest(account_id="a", request_id="1", terms=OrderTerms(**terms))


def deposit(amount: str) -> CreateDepositRequest:
    return CreateDepositRequest(account_id="a", request_id="1", amount=Money(currency="USD", amount=amount))


def test_digest_does_not_change_with_the_release() -> None:
    """Digests are stored: a change of their making must change the version."""
    expected = "2:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert request_digest(CreateDepositRequest(request_id="1")) == expected


def test_message_without_request_id_has_no_digest() -> None:
    with pytest.raises(ValueError, match="request_id"):
        request_digest(ListLedgerEntriesRequest(account_id="a"))
