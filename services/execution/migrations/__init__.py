"""Alembic revisions of the schema execution."""
