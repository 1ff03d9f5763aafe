import os
import signal

import pytest
import valkey

from services.runtime.embedded.valkey import EmbeddedValkey
from services.runtime.waiting import until


async def test_it_answers_with_its_password_only_and_comes_back_on_its_port() -> None:
    server = EmbeddedValkey()
    server.start()
    try:
        client = valkey.Valkey.from_url(server.url.replace("redis://", "valkey://"))
        assert client.set("a", "1")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        with pytest.raises(valkey.AuthenticationError):
            valkey.Valkey(host="127.0.0.1", port=server.port).get("a")
        pid, port = server.pid(), server.port
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: server.pid() is None, timeout_s=60)
        server.start()
        assert server.port == port
        assert client.get("a") is None
    finally:
        server.stop()
        server.stop()
    assert server.pid() is None
