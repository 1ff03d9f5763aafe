"""gRPC service config from the contracts: balancing, health checking, retry of what may be repeated."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.runtime.policy import read_policy, service_descriptor

_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def service_config(contracts: Sequence[str]) -> str:
    """The JSON service config (grpc.service_config) for a channel to the service that serves `contracts`.

    A method is retried on UNAVAILABLE only when its policy says that a repeat has the effect of one call. The
    generated code of the contracts must be loaded.
    """
    names = [
        {"service": contract, "method": method.name}
        for contract in contracts
        for method in service_descriptor(contract).methods
        if read_policy(method).repeatable
    ]
    config: dict[str, object] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": contracts[0] if contracts else ""},
        # When most calls fail, retries stop: they would only add to the load.
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRY}]
    return json.dumps(config)
