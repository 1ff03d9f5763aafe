"""Facts of instruments as they are stored and loaded."""
