"""Makes the adapter of a simulated exchange."""

from __future__ import annotations

from services.execution.adapters.xsim.config import XsimConfig
from services.execution.adapters.xsim.execution import XsimExecution
from services.runtime.channel import Mesh


def xsim_adapter(code: str, mesh: Mesh, timeout_s: float) -> XsimExecution:
    """The adapter of the XSIM that is reached through the mesh."""
    config = XsimConfig(code=code, timeout_s=timeout_s)
    return XsimExecution(config, mesh.channel(config.service))
