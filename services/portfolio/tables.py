"""The tables of the schema portfolio. Amounts are numeric, times nanoseconds since the epoch, UTC."""

import sqlalchemy as sa

from services.runtime.database import metadata_for
from services.runtime.event_log import event_log_tables
from services.runtime.follower import cursor_table
from services.runtime.idempotency import idempotency_table

SCHEMA = "portfolio"
metadata = metadata_for(SCHEMA)

portfolios = sa.Table(
    "portfolio",
    metadata,
    sa.Column("portfolio_id", sa.Text, primary_key=True),
    sa.Column("owner_user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    sa.Index(None, "owner_user_id", "portfolio_id"),
)

accounts = sa.Table(
    "account",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("portfolio_id", sa.ForeignKey(portfolios.c.portfolio_id), nullable=False),
    sa.Column("owner_user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("venue", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    # The row's lock orders the account's postings: whoever posts takes it first.
    sa.Column("cash", sa.Numeric, nullable=False),
    sa.Column("fees", sa.Numeric, nullable=False),
    sa.Column("entry_count", sa.BigInteger, nullable=False),
    sa.Index(None, "owner_user_id", "account_id"),
)

ledger_entries = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("account_id", sa.ForeignKey(accounts.c.account_id), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("balance_after", sa.Numeric, nullable=False),
    sa.Column("fill_id", sa.Text, nullable=False),
    sa.Column("execution_id", sa.Text, nullable=False),
    sa.Column("event_time_ns", sa.BigInteger, nullable=False),
    sa.Column("post_time_ns", sa.BigInteger, nullable=False),
    sa.Column("memo", sa.Text, nullable=False),
)

fills = sa.Table(
    "fill",
    metadata,
    # Whatever the cursor says: an execution is booked once.
    sa.Column("venue", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Text, primary_key=True),
    sa.Column("fill_id", sa.Text, nullable=False),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.ForeignKey(accounts.c.account_id), nullable=False),
    sa.Column("instrument_id", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("quantity", sa.Numeric, nullable=False),
    sa.Column("price", sa.Numeric, nullable=False),
    sa.Column("fee", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("event_time_ns", sa.BigInteger, nullable=False),
)

positions = sa.Table(
    "position",
    metadata,
    sa.Column("account_id", sa.ForeignKey(accounts.c.account_id), primary_key=True),
    sa.Column("instrument_id", sa.Text, primary_key=True),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("quantity", sa.Numeric, nullable=False),
    sa.Column("cost", sa.Numeric, nullable=False),
    sa.Column("realized_pnl", sa.Numeric, nullable=False),
    sa.Column("last_lot_number", sa.BigInteger, nullable=False),
    sa.Column("event_time_ns", sa.BigInteger, nullable=False),
)

lots = sa.Table(
    "lot",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("instrument_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("fill_id", sa.Text, nullable=False),
    sa.Column("quantity", sa.Numeric, nullable=False),
    sa.Column("cost", sa.Numeric, nullable=False),
    sa.Column("open_time_ns", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["account_id", "instrument_id"], [positions.c.account_id, positions.c.instrument_id]
    ),
)

idempotency = idempotency_table(metadata)
event_log = event_log_tables(metadata)
cursors = cursor_table(metadata)
