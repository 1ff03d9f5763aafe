"""Tables of the schema ``data``. Times are nanoseconds since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.runtime.database import metadata_for
from services.runtime.idempotency import idempotency_table

SCHEMA = "data"
metadata = metadata_for(SCHEMA)

instruments = sa.Table(
    "instrument",
    metadata,
    # A short key: bars carry it instead of the 36 characters of the id.
    sa.Column("instrument_no", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("instrument_id", sa.Text, nullable=False, unique=True),
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
    sa.UniqueConstraint("symbol", "mic"),
)

splits = sa.Table(
    "split",
    metadata,
    sa.Column("instrument_no", sa.ForeignKey(instruments.c.instrument_no), primary_key=True),
    sa.Column("ex_date", sa.Date, primary_key=True),
    sa.Column("ex_time_ns", sa.BigInteger, nullable=False),
    sa.Column("new_shares", sa.Integer, nullable=False),
    sa.Column("old_shares", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("record_time_ns", sa.BigInteger, nullable=False),
)

ingestions = sa.Table(
    "ingestion",
    metadata,
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

ingestion_results = sa.Table(
    "ingestion_result",
    metadata,
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id), primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("instrument_id", sa.Text, nullable=False),
    sa.Column("rows_stored", sa.BigInteger, nullable=False),
    sa.Column("rows_refused", sa.BigInteger, nullable=False),
    sa.Column("first_date", sa.Date),
    sa.Column("last_date", sa.Date),
    sa.Column("error_message", sa.Text, nullable=False),
)

bar_batches = sa.Table(
    "bar_batch",
    metadata,
    # Where bars came from: said once for all that came together.
    sa.Column("batch_no", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("fetch_time_ns", sa.BigInteger, nullable=False),
)

bars = sa.Table(
    "bar",
    metadata,
    # No column may be null: ListBars reads rows of one fixed width. No foreign keys: checked row by row they
    # cost more than the rows; whoever writes bars makes instrument and batch in the same transaction.
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

idempotency = idempotency_table(metadata)
