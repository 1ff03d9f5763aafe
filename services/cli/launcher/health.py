"""Asks a gRPC server whether it serves."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_TIMEOUT_S = 1.0


async def is_serving(address: str, contract: str) -> bool:
    """Whether a server says that it serves a contract ("" for the whole)."""
    return await serving_status(address, contract) == "SERVING"


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
