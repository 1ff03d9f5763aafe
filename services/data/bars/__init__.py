"""Bars as they are stored, read, made, cached and sent."""
