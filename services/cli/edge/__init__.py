"""Envoy's configuration, rendered from the inventory and the contracts."""

from services.cli.edge.render import EdgePlan, render_edge, render_mesh, write_config

__all__ = ["EdgePlan", "render_edge", "render_mesh", "write_config"]
