"""Books, reservations, limits, kill switches and cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("owner_user_id", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("cash", sa.Numeric, nullable=False),
    )
    op.create_table(
        "position",
        sa.Column("account_id", sa.Text, sa.ForeignKey("account.account_id"), primary_key=True),
        sa.Column("instrument_id", sa.Text, primary_key=True),
        sa.Column("quantity", sa.Numeric, nullable=False),
    )
    op.create_table(
        "reservation",
        sa.Column("order_id", sa.Text, primary_key=True),
        sa.Column("terms_version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("quantity", sa.Numeric, nullable=False),
        sa.Column("limit_price", sa.Numeric),
        sa.Column("stop_price", sa.Numeric),
        sa.Column("lot_size", sa.Numeric, nullable=False),
        sa.Column("per_lot", sa.Numeric, nullable=False),
        sa.Column("filled", sa.Numeric, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("decided_ns", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "ix_reservation_held", "reservation", ["account_id"], postgresql_where=sa.text("state = 'HELD'")
    )
    op.create_index("ix_reservation_decided_ns", "reservation", ["decided_ns"])
    op.create_table(
        "fill",
        sa.Column("venue", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Text, primary_key=True),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("side", sa.SmallInteger, nullable=False),
        sa.Column("quantity", sa.Numeric, nullable=False),
        sa.Column("price", sa.Numeric, nullable=False),
        sa.Column("fee", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("cash_effect", sa.Numeric, nullable=False),
    )
    op.create_table(
        "posting",
        sa.Column("entry_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
    )
    op.create_table(
        "limits",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("max_order_quantity", sa.Numeric, nullable=False),
        sa.Column("max_order_notional", sa.Numeric, nullable=False),
        sa.Column("price_collar", sa.Numeric, nullable=False),
        sa.Column("max_position_quantity", sa.Numeric, nullable=False),
        sa.Column("max_orders_per_second", sa.Integer, nullable=False),
        sa.Column("duplicate_window_ms", sa.Integer, nullable=False),
        sa.Column("max_price_age_ms", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kill_switch",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("is_engaged", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("update_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "stream_cursor",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    # The one writer of the books (services/runtime/writer_lock.py).
    op.create_table(
        "event_log_head",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="single"), primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("writer_token", sa.BigInteger, nullable=False),
    )
