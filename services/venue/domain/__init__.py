"""The exchange's rules as plain Python: no transport, no storage, no clock but the replay's own."""
