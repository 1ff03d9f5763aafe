"""Benchmarks: each figure beside the limit it is held against, from the same run (docs/performance.md)."""
