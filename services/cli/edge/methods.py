"""The mesh's methods as the edge sees them: path, REST bindings, policy, streaming."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from bifrost.auth.v1 import policy_pb2
from services.runtime.inventory import Inventory

DESCRIPTOR_SET = Path(__file__).parents[3] / "gen" / "envoy" / "api.binpb"


@dataclass(frozen=True)
class EdgeMethod:
    """One method of a contract service."""

    service: str
    """The mesh's service that answers, e.g. "execution"."""
    contract: str
    """Full name of the contract service."""
    path: str
    """gRPC path, "/bifrost.execution.v1.OrderService/GetOrder"."""
    streaming: bool
    uploads: bool
    """The client streams."""
    policy: policy_pb2.Policy
    rest_patterns: tuple[str, ...]
    """Regular expressions of its REST paths."""

    @property
    def internal(self) -> bool:
        """Only services may call it, so the edge does not know it."""
        return bool(self.policy.callers)

    @property
    def retryable(self) -> bool:
        """A repeat changes nothing."""
        return self.policy.idempotency == policy_pb2.IDEMPOTENCY_NO_SIDE_EFFECTS and not self.streaming


def list_methods(inventory: Inventory) -> list[EdgeMethod]:
    """Every method of the inventory's contracts, from the committed descriptor set."""
    pool = _pool()
    methods = []
    for contract in inventory.contracts:
        service = pool.FindServiceByName(contract)
        methods += [
            _edge_method(inventory.service_of(contract), contract, method) for method in service.methods
        ]
    return methods


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def _edge_method(service: str, contract: str, method: MethodDescriptor) -> EdgeMethod:
    options = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    rule = options.Extensions[annotations_pb2.http]
    return EdgeMethod(
        service=service,
        contract=contract,
        path=f"/{contract}/{method.name}",
        streaming=bool(method.server_streaming or method.client_streaming),
        uploads=bool(method.client_streaming),
        policy=options.Extensions[policy_pb2.policy],
        rest_patterns=tuple(
            _path_regex(binding)
            for binding in (rule, *rule.additional_bindings)
            if binding.WhichOneof("pattern") is not None
        ),
    )


def _path_regex(rule: http_pb2.HttpRule) -> str:
    """A REST path template as a regular expression: "/v1/users/{user_id}" -> "/v1/users/[^/:]+"."""
    template = getattr(rule, rule.WhichOneof("pattern") or "get")
    literal = re.split(r"\{[^}]*\}", template)
    return "[^/:]+".join(re.escape(part) for part in literal)
