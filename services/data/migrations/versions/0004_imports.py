"""Imports of files, and the rows of them that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bar_import",
        sa.Column(
            "ingestion_id",
            sa.Text,
            sa.ForeignKey("ingestion.ingestion_id", name="fk_bar_import_ingestion_id"),
            primary_key=True,
        ),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "quarantined_bar",
        sa.Column("quarantine_no", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("instrument_no", sa.Integer, nullable=False, index=True),
        sa.Column("interval", sa.SmallInteger, nullable=False),
        sa.Column("open_time_ns", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("volume", sa.Double, nullable=False),
        sa.Column("adjusted_close", sa.Double, nullable=False),
        sa.Column("reason", sa.SmallInteger, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column(
            "ingestion_id",
            sa.Text,
            sa.ForeignKey("ingestion.ingestion_id", name="fk_quarantined_bar_ingestion_id"),
            nullable=False,
        ),
        sa.UniqueConstraint(
            "instrument_no",
            "interval",
            "open_time_ns",
            "reason",
            "open",
            "high",
            "low",
            "close",
            "volume",
            "adjusted_close",
            name="uq_quarantined_bar_row",
        ),
    )
