"""The edge: gRPC, REST and web streams."""
