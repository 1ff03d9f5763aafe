"""The tables of the schema execution. Amounts are numeric, times nanoseconds since the epoch, UTC.

Enumerations are stored as the contract's numbers.
"""

import sqlalchemy as sa

from services.runtime.database import metadata_for
from services.runtime.event_log import event_log_tables
from services.runtime.follower import cursor_table

SCHEMA = "execution"
metadata = metadata_for(SCHEMA)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("instrument_id", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("venue", sa.Text, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("side", sa.SmallInteger, nullable=False),
    sa.Column("type", sa.SmallInteger, nullable=False),
    sa.Column("time_in_force", sa.SmallInteger, nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    # What changes with the order's life stands below; an update writes all of it.
    sa.Column("quantity", sa.Numeric, nullable=False),
    sa.Column("limit_price", sa.Numeric),
    sa.Column("stop_price", sa.Numeric),
    sa.Column("protection_price", sa.Numeric),
    sa.Column("terms_version", sa.Integer, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("filled_quantity", sa.Numeric, nullable=False),
    sa.Column("notional", sa.Numeric, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("reject_reasons", sa.ARRAY(sa.Text), nullable=False),
    # New terms on their way to the venue.
    sa.Column("new_quantity", sa.Numeric),
    sa.Column("new_limit_price", sa.Numeric),
    sa.Column("new_stop_price", sa.Numeric),
    sa.Column("new_protection_price", sa.Numeric),
    sa.Column("triggered", sa.Boolean, nullable=False),
    sa.Column("update_time_ns", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    # What an index depends on must not change with every event: PostgreSQL would write to all indexes.
    sa.Column(
        "is_open", sa.Boolean, sa.Computed("state NOT IN (5, 7, 9, 10)", persisted=True), nullable=False
    ),
    # Of one expression, which only this index can answer: for two columns PostgreSQL may take the next index
    # and read all orders of the account, as long as the table is new to it.
    sa.Index("uq_orders_request", sa.text("(account_id || '/' || request_id)"), unique=True),
    sa.Index("ix_orders_account_id_order_id", "account_id", "order_id"),
    sa.Index(
        "ix_orders_open",
        "account_id",
        "order_id",
        postgresql_where=sa.text("is_open"),
    ),
)

fills = sa.Table(
    "fill",
    metadata,
    # Whatever the cursor says: an execution is recorded once.
    sa.Column("venue", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Text, primary_key=True),
    sa.Column("fill_id", sa.Text, nullable=False, unique=True),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), nullable=False, index=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("instrument_id", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("side", sa.SmallInteger, nullable=False),
    sa.Column("quantity", sa.Numeric, nullable=False),
    sa.Column("price", sa.Numeric, nullable=False),
    sa.Column("fee", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("event_time_ns", sa.BigInteger, nullable=False),
    sa.Index("ix_fill_account_id_fill_id", "account_id", "fill_id"),
)

replace_requests = sa.Table(
    "replace_request",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("request_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
)

event_log = event_log_tables(metadata)
cursors = cursor_table(metadata)
