"""Which adapter reaches which venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from services.execution.adapters.venue import VenueAdapter
from services.execution.adapters.xsim.factory import xsim_adapter
from services.runtime.channel import Mesh

_FACTORIES: Final[Mapping[str, Callable[[str, Mesh, float], VenueAdapter]]] = {"xsim": xsim_adapter}


def venue_adapters(venues: Mapping[str, str], mesh: Mesh, *, timeout_s: float) -> dict[str, VenueAdapter]:
    """Adapters by venue code, from the configured code -> kind of adapter; ValueError for an unknown kind."""
    unknown = sorted(set(venues.values()) - _FACTORIES.keys())
    if unknown:
        raise ValueError(
            f"no venue adapter is called {', '.join(unknown)}; there are {', '.join(_FACTORIES)}"
        )
    return {code: _FACTORIES[kind](code, mesh, timeout_s) for code, kind in venues.items()}
