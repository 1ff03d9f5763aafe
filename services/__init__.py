"""The services, what they stand on, and the command."""

import os

# gRPC reads it once, when it is loaded: no hop between its own threads on the way of a call (decision 011).
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
