"""Sending a file to the edge, and hearing why it is refused while it is still being sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from services.cli.client import EdgeClient

R = TypeVar("R", bound=Message)


async def upload(
    client: EdgeClient, method: str, requests: Iterator[Message], answer: type[R], *, timeout_s: float
) -> R:
    """Call an upload by its path; ``requests`` is read in a thread of its own.

    Not by grpc.aio: there a write that fails, because the service has ended the call, is told as INTERNAL
    "Internal error from Core" whenever it is noticed before the status that says why.

    Raises:
        grpc.aio.AioRpcError: with the service's status.
    """
    token = await client.session.access_token(client.anonymous)
    with grpc.insecure_channel(client.edge) as channel:
        # Any: grpc's types do not know that a method takes whatever its serializer does.
        start: Any = channel.stream_unary(
            method, request_serializer=_serialized, response_deserializer=answer.FromString
        )
        call = start.future(requests, timeout=timeout_s, metadata=(("authorization", f"Bearer {token}"),))
        try:
            reply: R = await asyncio.to_thread(call.result)
        except grpc.RpcError:
            raise _as_aio(call) from None
        finally:
            # Of an end that came by Ctrl-C; the thread waits for it.
            call.cancel()
    return reply


def _serialized(request: Message) -> bytes:
    return request.SerializeToString()


# Any: grpc's types do not know what a call knows when it has failed.
def _as_aio(call: Any) -> grpc.aio.AioRpcError:
    initial, trailing = (
        grpc.aio.Metadata.from_tuple(tuple(metadata or ()))
        for metadata in (call.initial_metadata(), call.trailing_metadata())
    )
    return grpc.aio.AioRpcError(call.code(), initial, trailing, call.details(), call.debug_error_string())
