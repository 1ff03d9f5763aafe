"""Ingestions and schedules: jobs that load from sources."""
