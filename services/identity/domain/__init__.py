"""Users, roles, sessions and keys as plain Python: no gRPC, no SQL, no I/O."""
