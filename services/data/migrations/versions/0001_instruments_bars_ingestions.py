"""Instruments, bars, splits, ingestions and request ids."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "instrument",
        sa.Column("instrument_no", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("mic", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("asset_class", sa.SmallInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("tick_size", sa.Numeric, nullable=False),
        sa.Column("lot_size", sa.Numeric, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("listing_date", sa.Date, nullable=False),
        sa.Column("delisting_date", sa.Date),
        sa.UniqueConstraint("instrument_id", name="uq_instrument_instrument_id"),
        sa.UniqueConstraint("symbol", "mic", name="uq_instrument_symbol_mic"),
    )
    op.create_table(
        "split",
        sa.Column(
            "instrument_no",
            sa.Integer,
            sa.ForeignKey("instrument.instrument_no", name="fk_split_instrument_no"),
            primary_key=True,
        ),
        sa.Column("ex_date", sa.Date, primary_key=True),
        sa.Column("ex_time_ns", sa.BigInteger, nullable=False),
        sa.Column("new_shares", sa.Integer, nullable=False),
        sa.Column("old_shares", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("record_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ingestion",
        sa.Column("ingestion_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("symbols", ARRAY(sa.Text), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False, index=True),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("error_reason", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
        sa.Column("update_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ingestion_result",
        sa.Column(
            "ingestion_id",
            sa.Text,
            sa.ForeignKey("ingestion.ingestion_id", name="fk_ingestion_result_ingestion_id"),
            primary_key=True,
        ),
        sa.Column("symbol", sa.Text, primary_key=True),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("rows_stored", sa.BigInteger, nullable=False),
        sa.Column("rows_refused", sa.BigInteger, nullable=False),
        sa.Column("first_date", sa.Date),
        sa.Column("last_date", sa.Date),
        sa.Column("error_message", sa.Text, nullable=False),
    )
    op.create_table(
        "bar_batch",
        sa.Column("batch_no", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column(
            "ingestion_id",
            sa.Text,
            sa.ForeignKey("ingestion.ingestion_id", name="fk_bar_batch_ingestion_id"),
            nullable=False,
        ),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("fetch_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "bar",
        sa.Column("instrument_no", sa.Integer, primary_key=True),
        sa.Column("interval", sa.SmallInteger, primary_key=True),
        sa.Column("open_time_ns", sa.BigInteger, primary_key=True),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("volume", sa.Double, nullable=False),
        sa.Column("adjusted_close", sa.Double, nullable=False),
        sa.Column("batch_no", sa.Integer, nullable=False),
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
