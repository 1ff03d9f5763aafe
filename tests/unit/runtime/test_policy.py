"""Policies read from descriptors made here, and the rights they give."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from bifrost.auth.v1 import policy_pb2
from services.runtime.auth import ANONYMOUS, Principal
from services.runtime.errors import ApiError
from services.runtime.policy import ContractError, authorise, read_policy, service_descriptor

FIELD = descriptor_pb2.FieldDescriptorProto


def method_with(policy: policy_pb2.Policy | None) -> MethodDescriptor:
    """Method S.M whose request has order.account_id, ids (repeated) and size (a number)."""
    file = descriptor_pb2.FileDescriptorProto(name="policy_test.proto", package="policytest")
    order = file.message_type.add(name="Order")
    order.field.add(name="account_id", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
    request = file.message_type.add(name="Request")
    request.field.add(
        name="order",
        number=1,
        type=FIELD.TYPE_MESSAGE,
        type_name=".policytest.Order",
        label=FIELD.LABEL_OPTIONAL,
    )
    request.field.add(name="ids", number=2, type=FIELD.TYPE_STRING, label=FIELD.LABEL_REPEATED)
    request.field.add(name="size", number=3, type=FIELD.TYPE_INT32, label=FIELD.LABEL_OPTIONAL)
    service = file.service.add(name="S")
    method = service.method.add(name="M", input_type=".policytest.Request", output_type=".policytest.Order")
    if policy is not None:
        method.options.Extensions[policy_pb2.policy].CopyFrom(policy)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("policytest.S").methods_by_name["M"]


def test_a_policy_is_read_whole() -> None:
    policy = read_policy(
        method_with(
            policy_pb2.Policy(
                scopes=["a", "b"],
                owner_field="order.account_id",
                idempotency=policy_pb2.IDEMPOTENCY_IDEMPOTENT,
                callers=["execution"],
            )
        )
    )
    assert policy.path == "/policytest.S/M"
    assert policy.scopes == ("a", "b")
    assert policy.owner_field == "order.account_id"
    assert policy.callers == {"execution"}
    assert policy.repeatable
    assert not policy.public


def test_what_is_not_said_to_be_repeatable_is_not() -> None:
    assert not read_policy(method_with(policy_pb2.Policy(public=True))).repeatable


@pytest.mark.parametrize(
    "policy",
    [
        None,
        policy_pb2.Policy(public=True, scopes=["a"]),
        policy_pb2.Policy(public=True, callers=["a"]),
        policy_pb2.Policy(owner_field="nowhere"),
        policy_pb2.Policy(owner_field="order"),
        policy_pb2.Policy(owner_field="ids"),
        policy_pb2.Policy(owner_field="size"),
        policy_pb2.Policy(owner_field="size.account_id"),
        policy_pb2.Policy(owner_field="order.nowhere"),
    ],
)
def test_a_policy_that_cannot_be_kept_names_its_method(policy: policy_pb2.Policy | None) -> None:
    with pytest.raises(ContractError, match=r"policytest\.S\.M"):
        read_policy(method_with(policy))


def test_a_contract_that_is_not_loaded() -> None:
    with pytest.raises(ContractError, match=r"no\.such\.Service"):
        service_descriptor("no.such.Service")


def user(*scopes: str) -> Principal:
    return Principal(subject="u", kind="user", scopes=frozenset(scopes))


def service(name: str, actor: Principal | None = None) -> Principal:
    return Principal(subject=f"service:{name}", kind="service", scopes=frozenset({"service"}), actor=actor)


@pytest.mark.parametrize(
    ("principal", "callers", "refusal"),
    [
        (user("a", "b"), (), None),
        (user("a", "b", "c"), (), None),
        (user("a"), (), "SCOPE_MISSING"),
        (ANONYMOUS, (), "SCOPE_MISSING"),
        (service("risk"), (), None),
        (service("risk", user("a", "b")), (), None),
        (service("risk", user("a")), (), "SCOPE_MISSING"),
        (service("risk"), ("risk", "venue"), None),
        (service("data"), ("risk", "venue"), "CALLER_NOT_ALLOWED"),
        (service("risk", user("a")), ("risk",), "SCOPE_MISSING"),
        (user("a", "b"), ("risk",), "CALLER_NOT_ALLOWED"),
        # A user who calls himself like a service is still a user.
        (Principal("service:risk", "user", frozenset({"a", "b"})), ("risk",), "CALLER_NOT_ALLOWED"),
    ],
)
def test_who_may_call(principal: Principal, callers: tuple[str, ...], refusal: str | None) -> None:
    policy = read_policy(method_with(policy_pb2.Policy(scopes=["a", "b"], callers=callers)))
    if refusal is None:
        authorise(policy, principal)
        return
    with pytest.raises(ApiError) as caught:
        authorise(policy, principal)
    assert (caught.value.code.name, caught.value.reason) == ("PERMISSION_DENIED", refusal)


def test_the_principals_view_of_itself() -> None:
    assert user().user_id == "u"
    assert user().service_name is None
    assert service("risk").user_id is None
    assert service("risk", user()).user_id == "u"
    assert service("risk", user()).service_name == "risk"
    assert ANONYMOUS.user_id is None
