"""Health (grpc.health.v1): one status a contract service, and "" for the whole process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

# A watcher that does not read holds the status it is being told; the drain does not wait for it.
_TELL_WATCHERS_S: Final = 1.0


class Health:
    """What balancers are told about this process."""

    def __init__(self) -> None:
        self._servicer = health_aio.HealthServicer()
        self._is_whole = True

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve Check and Watch."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def serving(self, contracts: Iterable[str]) -> None:
        """These contract services answer from now on."""
        for contract in contracts:
            await self._servicer.set(contract, health_pb2.HealthCheckResponse.SERVING)
        if self._is_whole:
            await self._servicer.set("", health_pb2.HealthCheckResponse.SERVING)

    async def halted(self) -> None:
        """Something must be looked at: the process as a whole does not serve; its contracts do what they can.

        Balancers go by the contracts, so that reads, cancels and the kill switch still get here.
        """
        self._is_whole = False
        await self._servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    async def draining(self) -> None:
        """Nothing new should come here; there is no way back."""
        try:
            await asyncio.wait_for(self._servicer.enter_graceful_shutdown(), _TELL_WATCHERS_S)
        except TimeoutError:
            return
