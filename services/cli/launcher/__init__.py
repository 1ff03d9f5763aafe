"""The local mesh: PostgreSQL, Valkey, Envoy and every service as supervised processes."""

from services.cli.launcher.home import Home
from services.cli.launcher.launcher import Launcher, LaunchError
from services.cli.launcher.ports import Ports
from services.cli.launcher.state import MeshState

__all__ = ["Home", "LaunchError", "Launcher", "MeshState", "Ports"]
