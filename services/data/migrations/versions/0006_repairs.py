"""Repairs, bars released from quarantine, and the currency that bars came in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bar_batch", sa.Column("currency", sa.Text))
    op.execute(
        "UPDATE bar_batch b SET currency = i.currency FROM instrument i "
        "WHERE i.instrument_no = b.instrument_no"
    )
    op.alter_column("bar_batch", "currency", nullable=False)
    op.add_column("quarantined_bar", sa.Column("released_by", sa.Text))
    op.create_table(
        "repair",
        sa.Column("repair_id", sa.Text, primary_key=True),
        sa.Column("instrument_no", sa.Integer, nullable=False),
        sa.Column("interval", sa.SmallInteger, nullable=False),
        sa.Column("kinds", ARRAY(sa.SmallInteger), nullable=False),
        sa.Column("actions", ARRAY(sa.Text), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("record_time_ns", sa.BigInteger, nullable=False),
        sa.Column(
            "batch_no", sa.Integer, sa.ForeignKey("bar_batch.batch_no", name="fk_repair_batch_no_bar_batch")
        ),
        sa.Column("revert_time_ns", sa.BigInteger),
        sa.Column("revert_user_id", sa.Text, nullable=False),
    )
    op.create_index("ix_repair_instrument_no", "repair", ["instrument_no", "repair_id"])
