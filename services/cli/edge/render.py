"""Renders envoy/edge.yaml and envoy/mesh.yaml with what the inventory and the contracts say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from services.cli.edge.methods import DESCRIPTOR_SET, list_methods
from services.cli.edge.refusals import reply_mappers
from services.cli.edge.rights import jwt_rules, rate_descriptors, rate_limits, rbac_policies
from services.cli.edge.routes import cluster, edge_routes, mesh_routes
from services.runtime.inventory import Inventory

_TEMPLATES = Path(__file__).parents[3] / "envoy"
_TRANSCODER = "envoy.filters.http.grpc_json_transcoder"


@dataclass(frozen=True)
class EdgePlan:
    """Where Envoy listens, whom it reaches and which keys it trusts."""

    inventory: Inventory
    addresses: Mapping[str, str]
    """Service name to "host:port", several separated by commas."""
    jwks_file: Path
    """Public keys of users' tokens; replaced atomically, its folder is watched."""
    host: str = "127.0.0.1"
    port: int = 8080
    admin_port: int = 9901
    origins: tuple[str, ...] = field(default=("http://localhost:3000",))
    """Web origins that may call (CORS)."""
    rate_scale: float = 1.0
    """Factor on every per-user limit."""


def render_edge(plan: EdgePlan) -> dict[str, Any]:
    """The edge's whole configuration."""
    config = _load("edge.yaml")
    methods = list_methods(plan.inventory)
    _listen(config, plan.host, plan.port, plan.admin_port)
    connection = _connection_manager(config)
    filters = {entry["name"]: entry["typed_config"] for entry in connection["http_filters"]}
    connection["local_reply_config"]["mappers"] = reply_mappers(methods)
    jwt = filters["envoy.filters.http.jwt_authn"]
    jwt["providers"]["bifrost"]["local_jwks"] = {
        "filename": str(plan.jwks_file),
        "watched_directory": {"path": str(plan.jwks_file.parent)},
    }
    jwt["rules"] = jwt_rules(methods)
    transcoder = filters[_TRANSCODER]
    transcoder["proto_descriptor"] = str(DESCRIPTOR_SET)
    transcoder["services"] = list(plan.inventory.contracts)
    filters["envoy.filters.http.rbac"]["rules"]["policies"] = rbac_policies(methods)
    limits = filters["envoy.filters.http.local_ratelimit"]
    limits["rate_limits"] = rate_limits()
    limits["descriptors"] = rate_descriptors(plan.rate_scale)
    host = connection["route_config"]["virtual_hosts"][0]
    host["typed_per_filter_config"]["envoy.filters.http.cors"]["allow_origin_string_match"] = [
        {"exact": origin} for origin in plan.origins
    ]
    host["routes"] = edge_routes(methods, transcoder)
    config["static_resources"]["clusters"] = _clusters(plan)
    return config


def render_mesh(plan: EdgePlan) -> dict[str, Any]:
    """The configuration of a mesh listener between services, on the plan's host and ports."""
    config = _load("mesh.yaml")
    _listen(config, plan.host, plan.port, plan.admin_port)
    contracts = {name: plan.inventory.service_of(name) for name in plan.inventory.contracts}
    routes = mesh_routes(contracts)
    _connection_manager(config)["route_config"]["virtual_hosts"][0]["routes"] = routes
    config["static_resources"]["clusters"] = _clusters(plan)
    return config


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """Write a configuration as JSON, atomically."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(config, indent=1), encoding="utf-8")
    draft.replace(path)


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_TEMPLATES / name).read_text(encoding="utf-8"))
    return loaded


def _listen(config: dict[str, Any], host: str, port: int, admin_port: int) -> None:
    listener = config["static_resources"]["listeners"][0]
    listener["address"]["socket_address"] |= {"address": host, "port_value": port}
    config["admin"]["address"]["socket_address"]["port_value"] = admin_port


def _connection_manager(config: dict[str, Any]) -> dict[str, Any]:
    listener = config["static_resources"]["listeners"][0]
    manager: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def _clusters(plan: EdgePlan) -> list[dict[str, Any]]:
    return [
        cluster(name, plan.addresses[name].split(","), entry.contracts[0])
        for name, entry in plan.inventory.services.items()
    ]
