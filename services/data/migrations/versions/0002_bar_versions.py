"""How often the bars of an instrument have changed: what is kept of them in memory is checked against it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bar_version",
        sa.Column("instrument_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("interval", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
