"""Ports kept for servers that bind them later, with the servers that do."""

from __future__ import annotations

import asyncio
import gc
import socket

import grpc
import pytest

from services.runtime.embedded.ports import ReservedPorts, free_port


def bind(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_reserved_ports_differ_and_nobody_else_gets_them() -> None:
    reserved = ReservedPorts(3)
    assert len(set(reserved.numbers)) == 3
    for port in reserved.numbers:
        with pytest.raises(OSError, match="in use"):
            bind(port)
    kept = free_port()
    gc.collect()
    with pytest.raises(OSError, match="in use"):
        bind(kept)


def test_they_are_free_again_when_nobody_holds_them() -> None:
    reserved = ReservedPorts(2)
    numbers = reserved.numbers
    del reserved
    gc.collect()
    for port in numbers:
        bind(port)


async def test_a_server_gets_its_port_also_after_it_ended() -> None:
    reserved = ReservedPorts(2)
    plain, rpc = reserved.numbers
    for _ in range(2):
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", plain)
        rpc_server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        assert rpc_server.add_insecure_port(f"127.0.0.1:{rpc}") == rpc
        await rpc_server.start()
        await rpc_server.stop(0)
        server.close()
        await server.wait_closed()
