"""Rights and limits of the edge: Envoy's JWT rules, RBAC and rate limits, from the contracts' policies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bifrost.auth.v1 import policy_pb2
from services.cli.edge.methods import EdgeMethod

Config = dict[str, Any]

OPEN_PREFIXES = ("/grpc.health.v1.Health/", "/grpc.reflection.")

# Calls a second; bursts of two seconds' worth pass.
RATES = {
    policy_pb2.RATE_CLASS_READ: 200,
    policy_pb2.RATE_CLASS_WRITE: 100,
    policy_pb2.RATE_CLASS_BULK: 10,
    policy_pb2.RATE_CLASS_LOGIN: 5,
    policy_pb2.RATE_CLASS_STREAM: 20,
}


def jwt_rules(methods: Iterable[EdgeMethod]) -> list[Config]:
    """Public methods, health and reflection pass without a token; everything else needs a good one."""
    rules: list[Config] = [{"match": {"prefix": prefix}} for prefix in OPEN_PREFIXES]
    for method in methods:
        if method.policy.public:
            rules.append({"match": {"path": method.path}})
            rules += [{"match": {"safe_regex": {"regex": regex}}} for regex in method.rest_patterns]
    rules.append({"match": {"prefix": "/"}, "requires": {"provider_name": "bifrost"}})
    return rules


def rbac_policies(methods: Iterable[EdgeMethod]) -> Config:
    """Who may call what, by scope: a method that is in no policy (an internal one) is refused to all."""
    by_scopes: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    public = []
    for method in methods:
        if method.policy.public:
            public.append(method.path)
        elif not method.internal:
            by_scopes[tuple(method.policy.scopes)].append(method.path)
    policies: Config = {
        "public": {
            "permissions": [_any_prefix(OPEN_PREFIXES), _any_path(public)],
            "principals": [{"any": True}],
        }
    }
    for scopes, paths in by_scopes.items():
        holders = [_holds(scope) for scope in scopes] or [_claim("iss", {"exact": "bifrost"})]
        policies["+".join(scopes) or "authenticated"] = {
            "permissions": [_any_path(paths)],
            "principals": [{"and_ids": {"ids": holders}}],
        }
    return policies


def _any_path(paths: Iterable[str]) -> Config:
    return {"or_rules": {"rules": [{"url_path": {"path": {"exact": path}}} for path in paths]}}


def _any_prefix(prefixes: Iterable[str]) -> Config:
    return {"or_rules": {"rules": [{"url_path": {"path": {"prefix": prefix}}} for prefix in prefixes]}}


def _holds(scope: str) -> Config:
    return _claim("scope", {"safe_regex": {"regex": f"(.* )?{re.escape(scope)}( .*)?"}})


def _claim(name: str, match: Config) -> Config:
    return {
        "sourced_metadata": {
            "metadata_source": "DYNAMIC",
            "metadata_matcher": {
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{"key": "jwt"}, {"key": name}],
                "value": {"string_match": match},
            },
        }
    }


def rate_limits() -> list[Config]:
    """Descriptors of a call: its user, or for logins its client's address, and its class (from the route)."""
    rate_class: Config = {
        "metadata": {
            "descriptor_key": "class",
            "source": "ROUTE_ENTRY",
            "metadata_key": {"key": "bifrost", "path": [{"key": "rate_class"}]},
        }
    }
    return [
        {
            "actions": [
                {"request_headers": {"header_name": "x-jwt-sub", "descriptor_key": "user"}},
                rate_class,
            ]
        },
        {"actions": [{"remote_address": {}}, rate_class]},
    ]


def rate_descriptors(scale: float) -> list[Config]:
    """One bucket a user and class; for logins one a client address."""
    return [
        {
            "entries": [
                {"key": "remote_address"} if rate_class == policy_pb2.RATE_CLASS_LOGIN else {"key": "user"},
                {"key": "class", "value": rate_class_name(rate_class)},
            ],
            "token_bucket": {
                "max_tokens": max(1, round(2 * rate * scale)),
                "tokens_per_fill": max(1, round(rate * scale)),
                "fill_interval": "1s",
            },
        }
        for rate_class, rate in RATES.items()
    ]


def rate_class_name(rate_class: int) -> str:
    """ "READ" for RATE_CLASS_READ; an unspecified class is READ."""
    known = rate_class or policy_pb2.RATE_CLASS_READ
    return policy_pb2.RateClass.Name(known).removeprefix("RATE_CLASS_")
