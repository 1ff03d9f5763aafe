"""What the adapter of the simulated exchange needs to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class XsimConfig:
    """One XSIM."""

    code: str
    service: str = "venue"
    """The service that is the exchange, by its name in the inventory."""
    timeout_s: float = 5.0
    """Longest wait for an answer."""
