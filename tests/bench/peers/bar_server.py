"""The data service over a database of its own with the throw-away instrument in it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from services.data.__main__ import compose
from services.data.config import DataSettings
from services.runtime.telemetry import configure_logging
from services.runtime.testing_keys import MeshKeys
from tests.bench.children import answer, questions, serve_child
from tests.bench.peers.bar_rows import LISTING, store_bars


async def main() -> None:
    """Migrate, store the bars, serve until the parent goes."""
    url, *rows = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        keys = MeshKeys(Path(folder))
        configure_logging("warning", "data")
        service = await compose(DataSettings.model_validate({**keys.settings("data"), "database_url": url}))
        instrument_no = await store_bars(url, *map(int, rows))
        await service.start()
        try:
            answer(
                port=service.port,
                token=keys.user_token(scope="market:read data:write"),
                instrument_id=LISTING.instrument_id,
                instrument_no=instrument_no,
            )
            async for _ in questions():
                answer()
        finally:
            await service.stop(0)


if __name__ == "__main__":
    serve_child(main)
