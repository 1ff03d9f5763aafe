"""Jobs on backups."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup_job",
        sa.Column("backup_job_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("backup_id", sa.Text, nullable=False),
        sa.Column("keep_newest", sa.Integer, nullable=False),
        sa.Column("keep_database", sa.Boolean, nullable=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False, index=True),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("error_reason", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
        sa.Column("update_time_ns", sa.BigInteger, nullable=False),
    )
