"""Backup of a whole database: pg_dump of one snapshot, with a manifest that says what must be in it.

It knows schemas, tables and event logs, and nothing of what they mean.
"""
