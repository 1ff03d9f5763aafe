"""Where history comes from."""
