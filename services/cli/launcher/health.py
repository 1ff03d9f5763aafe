"""Asks a gRPC server whether it serves, and data how it stores bars."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bifrost.data.v1 import bar_service_pb2, bar_service_pb2_grpc

_TIMEOUT_S = 1.0


async def is_serving(address: str, contract: str) -> bool:
    """Whether a server says that it serves a contract ("" for the whole)."""
    return await serving_status(address, contract) == "SERVING"


async def bar_storage(address: str) -> str:
    """How the data service there stores bars; empty without an answer in a second."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            stub = bar_service_pb2_grpc.BarServiceStub(channel)
            reply = await stub.GetStorage(bar_service_pb2.GetStorageRequest(), timeout=_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return ""
        return reply.description


async def serving_status(address: str, contract: str) -> str:
    """What a server says of a contract: SERVING or NOT_SERVING; NO_ANSWER without any in a second."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            reply = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=contract), timeout=_TIMEOUT_S
            )
        except grpc.aio.AioRpcError:
            return "NO_ANSWER"
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
