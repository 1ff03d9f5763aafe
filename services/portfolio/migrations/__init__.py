"""Alembic revisions of the schema portfolio."""
