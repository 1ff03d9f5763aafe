"""Calls do not cross gRPC's own threads (decision 011): a new version of gRPC may have dropped the switch."""

import json
import os
import subprocess
import sys

_CALLS = 200
_PROGRAM = f"""
import services  # first, as in every process of ours

import asyncio, json, os
from pathlib import Path

import grpc


def switches():
    total = 0
    for thread in Path("/proc/self/task").iterdir():
        if (thread / "comm").read_text().strip() == "event_engine":
            status = dict(line.split(":") for line in (thread / "status").read_text().splitlines())
            total += int(status["voluntary_ctxt_switches"])
    return total


async def echo(request, context):
    return request


async def main():
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", {{"Echo": handler}}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{{port}}") as channel:
        call = channel.unary_unary("/echo/Echo")
        await call(b"")
        before = switches()
        for _ in range({_CALLS}):
            await call(b"")
        print(json.dumps(switches() - before))
    await server.stop(None)


asyncio.run(main())
"""


def switches_of_grpc_threads(environment: dict[str, str]) -> int:
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    switches: int = json.loads(ended.stdout)
    return switches


def test_calls_do_not_cross_the_threads_of_grpc() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_EXPERIMENTS"}
    assert switches_of_grpc_threads(environment) < _CALLS
    # So that the first is not few for another reason: without the switch a call crosses them several times.
    assert switches_of_grpc_threads(environment | {"GRPC_EXPERIMENTS": "event_engine_client"}) > _CALLS
