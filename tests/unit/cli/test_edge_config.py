"""The rendered edge: accepted by Envoy itself, and closed where the contracts say so."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.cli.edge import EdgePlan, render_edge, render_mesh, write_config
from services.cli.edge.methods import list_methods
from services.cli.edge.rights import jwt_rules, rbac_policies
from services.cli.launcher import Home
from services.runtime.inventory import load_inventory


@pytest.fixture
def plan(tmp_path: Path) -> EdgePlan:
    inventory = load_inventory()
    home = Home(tmp_path)
    home.prepare(["identity"])
    return EdgePlan(
        inventory=inventory,
        addresses={name: f"127.0.0.1:{entry.port}" for name, entry in inventory.services.items()},
        jwks_file=home.services_jwks_file,
    )


@pytest.mark.parametrize("render", [render_edge, render_mesh], ids=["edge", "mesh"])
def test_envoy_accepts_the_configuration(render: Any, plan: EdgePlan, tmp_path: Path) -> None:
    path = tmp_path / "envoy.json"
    write_config(render(plan), path)
    envoy = Path(sys.executable).with_name("envoy")
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_internal_methods_have_no_way_in(plan: EdgePlan) -> None:
    config = render_edge(plan)
    text = json.dumps(config)
    internal = [method for method in list_methods(plan.inventory) if method.internal]
    assert internal
    for method in internal:
        assert f'"{method.path}"' not in text, method.path


def test_every_other_method_has_a_route_and_a_right(plan: EdgePlan) -> None:
    methods = [method for method in list_methods(plan.inventory) if not method.internal]
    text = json.dumps(rbac_policies(methods))
    routes = json.dumps(render_edge(plan)["static_resources"]["listeners"][0])
    for method in methods:
        assert f'"{method.path}"' in text, method.path
        assert f'"path": "{method.path}"' in routes, method.path


def test_only_public_methods_pass_without_a_token(plan: EdgePlan) -> None:
    methods = list_methods(plan.inventory)
    rules = jwt_rules(methods)
    assert rules[-1] == {"match": {"prefix": "/"}, "requires": {"provider_name": "bifrost"}}
    open_paths = {rule["match"]["path"] for rule in rules[:-1] if "path" in rule["match"]}
    assert open_paths == {method.path for method in methods if method.policy.public}
    regexes = [rule["match"]["safe_regex"]["regex"] for rule in rules[:-1] if "safe_regex" in rule["match"]]
    assert any(re.fullmatch(regex, "/v1/tokens:refresh") for regex in regexes)
    assert not any(re.fullmatch(regex, "/v1/accounts/a/orders") for regex in regexes)


def test_streams_have_no_deadline_and_unary_calls_have_one(plan: EdgePlan) -> None:
    manager = render_edge(plan)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
    by_path = {route["match"]["path"]: route["route"] for route in routes if "path" in route["match"]}
    stream = by_path["/bifrost.data.v1.MarketStreamService/StreamQuotes"]
    assert stream["idle_timeout"] == "0s"
    assert "max_stream_duration" not in stream
    submit = by_path["/bifrost.execution.v1.OrderService/SubmitOrder"]
    assert submit["max_stream_duration"]["max_stream_duration"] == "15s"
    assert "reset" not in submit["retry_policy"]["retry_on"].split(",")
