"""The process: `python -m services.risk`."""

from __future__ import annotations

from services.risk.config import RiskSettings
from services.risk.service import compose
from services.runtime.server import Service, run


async def main() -> Service:
    """The service from the environment's settings."""
    return await compose(RiskSettings())


if __name__ == "__main__":
    run(main)
