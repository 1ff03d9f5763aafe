"""Roles: the scopes that user.proto promises."""

import re
from itertools import chain, combinations

from bifrost.identity.v1 import user_pb2
from services.identity.convert import roles_of, user_message
from services.identity.domain.role import Role, scopes_of
from services.identity.domain.user import User

READS = {"market:read", "orders:read", "portfolio:read", "risk:read"}


def test_each_role_gives_its_scopes() -> None:
    assert scopes_of([Role.VIEWER]) == READS
    assert scopes_of([Role.TRADER]) == READS | {"orders:write", "portfolio:write"}
    assert scopes_of([Role.RISK]) == READS | {"risk:write", "accounts:any"}
    assert scopes_of([Role.COMPLIANCE]) == READS | {"accounts:any", "audit:read"}
    operation = {"identity:read", "identity:write", "data:write", "venue:write", "backup:write"}
    others = scopes_of([Role.VIEWER, Role.TRADER, Role.RISK, Role.COMPLIANCE])
    assert scopes_of([Role.ADMIN]) == others | operation


def test_roles_add_up() -> None:
    subsets = chain.from_iterable(combinations(Role, size) for size in range(len(Role) + 1))
    for roles in subsets:
        union: set[str] = set()
        for role in roles:
            union |= scopes_of([role])
        assert scopes_of(roles) == union


def test_an_administrator_may_call_every_method_of_every_contract() -> None:
    from google.protobuf import descriptor_pool

    from bifrost.auth.v1 import policy_pb2
    from services.runtime.contracts import load_contracts
    from services.runtime.inventory import load_inventory

    load_contracts()
    asked: set[str] = set()
    for service in load_inventory().services.values():
        for contract in service.contracts:
            for method in descriptor_pool.Default().FindServiceByName(contract).methods:
                policy = method.GetOptions().Extensions[policy_pb2.policy]
                if not policy.callers:
                    asked.update(policy.scopes)
    assert asked
    assert all(re.fullmatch(r"[a-z]+:[a-z]+", scope) for scope in asked)
    assert asked <= scopes_of([Role.ADMIN])


def test_every_role_of_the_contract_has_its_domain_role() -> None:
    numbers = [number for number in user_pb2.Role.values() if number != user_pb2.ROLE_UNSPECIFIED]
    names = {user_pb2.Role.Name(number).removeprefix("ROLE_").lower() for number in numbers}
    assert names == {role.value for role in Role}
    for number in numbers:
        (role,) = roles_of(user_pb2.User(roles=[user_pb2.Role.Name(number)]).roles)
        assert user_pb2.Role.Name(number) == f"ROLE_{role.name}"
    user = User("id", "name", "", frozenset(Role), disabled=False, version=3, create_time_ns=5)
    assert list(user_message(user).roles) == sorted(numbers)
