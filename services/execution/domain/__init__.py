"""Orders and what may happen to them; plain Python."""
