"""Processes that benchmarks start: bare limits, the old design, readers, services over made-up sources."""
