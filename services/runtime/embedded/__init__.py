"""Data servers that come as wheels and run as children of the launcher or of a test."""
