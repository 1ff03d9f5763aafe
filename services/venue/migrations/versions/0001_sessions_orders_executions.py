"""Replay sessions with their bars, orders, executions, recorded commands, fenced ids, the execution log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions()
    _orders()
    op.create_table(
        "event_log",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event_time_ns", sa.BigInteger, nullable=False),
        sa.Column("publish_time_ns", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_event_log_key_sequence", "event_log", ["key", "sequence"])
    op.create_table(
        "event_log_head",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="single"), primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("writer_token", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("method", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    )


def _sessions() -> None:
    op.create_table(
        "replay_session",
        sa.Column("session_no", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("session_id", sa.Text, nullable=False, unique=True),
        sa.Column("seed", sa.Numeric, nullable=False),
        sa.Column("steps_per_day", sa.Integer, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    )
    # Written at every step: apart and narrow, so that PostgreSQL updates it in place.
    op.create_table(
        "replay_position",
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seconds_per_day", sa.Double, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("market_time_ns", sa.BigInteger, nullable=False),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "carried_state",
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), primary_key=True),
        sa.Column("state", JSON, nullable=False),
    )
    op.create_table(
        "session_instrument",
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), primary_key=True),
        sa.Column("instrument_no", sa.Integer, primary_key=True),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("tick_units", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "session_day",
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), primary_key=True),
        sa.Column("session_date", sa.Date, primary_key=True),
        sa.Column("open_ns", sa.BigInteger, nullable=False),
        sa.Column("close_ns", sa.BigInteger, nullable=False),
    )
    # Prices in units of 0.0001, as the engine counts them.
    op.create_table(
        "session_bar",
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), primary_key=True),
        sa.Column("instrument_no", sa.Integer, primary_key=True),
        sa.Column("session_date", sa.Date, primary_key=True),
        sa.Column("open_units", sa.BigInteger, nullable=False),
        sa.Column("high_units", sa.BigInteger, nullable=False),
        sa.Column("low_units", sa.BigInteger, nullable=False),
        sa.Column("close_units", sa.BigInteger, nullable=False),
        sa.Column("volume", sa.BigInteger, nullable=False),
    )


def _orders() -> None:
    op.create_table(
        "venue_order",
        sa.Column("record_no", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("venue_order_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("client_order_id", sa.Text, nullable=False),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("order_type", sa.Text, nullable=False),
        sa.Column("time_in_force", sa.Text, nullable=False),
        sa.Column("quantity", sa.Numeric, nullable=False),
        sa.Column("limit_price", sa.Numeric),
        sa.Column("stop_price", sa.Numeric),
        sa.Column("protection_price", sa.Numeric),
        sa.Column("terms_version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("filled", sa.Numeric, nullable=False),
        sa.Column("accepted_ns", sa.BigInteger, nullable=False),
        sa.Column("updated_ns", sa.BigInteger, nullable=False),
        sa.CheckConstraint("filled >= 0 AND filled <= quantity", name="ck_venue_order_filled"),
        sa.UniqueConstraint("account_id", "client_order_id", name="uq_venue_order_client_order_id"),
    )
    op.create_index("ix_venue_order_account", "venue_order", ["account_id", "record_no"])
    op.create_table(
        "execution",
        sa.Column("record_no", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("execution_id", sa.Text, primary_key=True),
        sa.Column("venue_order_id", sa.Text, sa.ForeignKey("venue_order.venue_order_id"), nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("client_order_id", sa.Text, nullable=False),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("quantity", sa.Numeric, nullable=False),
        sa.Column("price", sa.Numeric, nullable=False),
        sa.Column("fee", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("liquidity", sa.Text, nullable=False),
        sa.Column("against_synthetic", sa.Boolean, nullable=False),
        sa.Column("event_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_execution_account", "execution", ["account_id", "record_no"])
    op.create_table(
        "command",
        sa.Column("command_no", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("session_no", sa.Integer, sa.ForeignKey("replay_session.session_no"), nullable=False),
        sa.Column("day_no", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("body", JSON, nullable=False),
    )
    op.create_index("ix_command_session_day", "command", ["session_no", "day_no", "command_no"])
    op.create_table(
        "fenced_id",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("client_order_id", sa.Text, primary_key=True),
        sa.Column("fence_time_ns", sa.BigInteger, nullable=False),
    )
