"""Ingestions of any interval that go on where they stopped, what sources were asked, and schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ingestion", sa.Column("interval", sa.SmallInteger, nullable=False, server_default="1"))
    op.add_column("ingestion", sa.Column("start_date", sa.Date))
    op.add_column("ingestion", sa.Column("end_date", sa.Date))
    _say_more_of_symbols()
    op.create_table(
        "source_symbol",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("symbol", sa.Text, primary_key=True),
        sa.Column(
            "instrument_no",
            sa.Integer,
            sa.ForeignKey("instrument.instrument_no", name="fk_source_symbol_instrument_no"),
            nullable=False,
        ),
    )
    op.create_table(
        "source_request",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("request_date", sa.Date, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ingestion_schedule",
        sa.Column("schedule_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("symbols", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("interval", sa.SmallInteger, nullable=False),
        sa.Column("calendar", sa.Text, nullable=False),
        sa.Column("minutes_after_close", sa.Integer),
        sa.Column("local_time", sa.Time),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
        sa.Column("last_due_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ingestion_id", sa.Text, nullable=False),
        sa.Column("delete_time_ns", sa.BigInteger),
    )


def _say_more_of_symbols() -> None:
    # What was recorded before: symbols were done whole, or not at all.
    defaults = (
        ("state", sa.SmallInteger, "3"),
        ("progress", sa.Double, "1"),
        ("rows_revised", sa.BigInteger, "0"),
        ("attempts", sa.Integer, "1"),
        ("requests", sa.Integer, "0"),
    )
    for name, kind, value in defaults:
        op.add_column("ingestion_result", sa.Column(name, kind, nullable=False, server_default=value))
        op.alter_column("ingestion_result", name, server_default=None)
    op.add_column("ingestion_result", sa.Column("error", sa.SmallInteger))
    op.add_column("ingestion_result", sa.Column("position_ns", sa.BigInteger))
    op.execute("UPDATE ingestion_result SET state = 4, error = 1 WHERE instrument_id = ''")
