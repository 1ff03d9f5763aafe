"""Instruments as they are stored, found and changed."""
