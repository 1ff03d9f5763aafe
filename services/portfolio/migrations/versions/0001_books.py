"""Portfolios, accounts, ledger, fills, positions, lots; request ids, event log, cursors.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from services.runtime.database import metadata_for
from services.runtime.event_log import event_log_tables
from services.runtime.follower import cursor_table
from services.runtime.idempotency import idempotency_table

revision = "0001"
down_revision = None


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary_key, nullable=False)


def _numeric(name: str) -> sa.Column:
    return sa.Column(name, sa.Numeric, nullable=False)


def _integer(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=primary_key, autoincrement=False, nullable=False)


def upgrade() -> None:
    metadata = metadata_for("portfolio")
    sa.Table(
        "portfolio",
        metadata,
        _text("portfolio_id", primary_key=True),
        _text("owner_user_id"),
        _text("name"),
        _integer("create_time_ns"),
        sa.Index(None, "owner_user_id", "portfolio_id"),
    )
    sa.Table(
        "account",
        metadata,
        _text("account_id", primary_key=True),
        sa.Column("portfolio_id", sa.ForeignKey("portfolio.portfolio.portfolio_id"), nullable=False),
        _text("owner_user_id"),
        _text("name"),
        _text("currency"),
        _text("venue"),
        _text("type"),
        _integer("create_time_ns"),
        _numeric("cash"),
        _numeric("fees"),
        _integer("entry_count"),
        sa.Index(None, "owner_user_id", "account_id"),
    )
    sa.Table(
        "ledger_entry",
        metadata,
        sa.Column("account_id", sa.ForeignKey("portfolio.account.account_id"), primary_key=True),
        _integer("number", primary_key=True),
        sa.Column("entry_id", sa.Text, nullable=False, unique=True),
        _text("type"),
        _numeric("amount"),
        _text("currency"),
        _numeric("balance_after"),
        _text("fill_id"),
        _text("execution_id"),
        _integer("event_time_ns"),
        _integer("post_time_ns"),
        _text("memo"),
    )
    sa.Table(
        "fill",
        metadata,
        _text("venue", primary_key=True),
        _text("execution_id", primary_key=True),
        _text("fill_id"),
        _text("order_id"),
        sa.Column("account_id", sa.ForeignKey("portfolio.account.account_id"), nullable=False),
        _text("instrument_id"),
        _text("symbol"),
        _numeric("quantity"),
        _numeric("price"),
        _numeric("fee"),
        _text("currency"),
        _integer("event_time_ns"),
    )
    sa.Table(
        "position",
        metadata,
        sa.Column("account_id", sa.ForeignKey("portfolio.account.account_id"), primary_key=True),
        _text("instrument_id", primary_key=True),
        _text("symbol"),
        _numeric("quantity"),
        _numeric("cost"),
        _numeric("realized_pnl"),
        _integer("last_lot_number"),
        _integer("event_time_ns"),
    )
    sa.Table(
        "lot",
        metadata,
        _text("account_id", primary_key=True),
        _text("instrument_id", primary_key=True),
        _integer("number", primary_key=True),
        _text("fill_id"),
        _numeric("quantity"),
        _numeric("cost"),
        _integer("open_time_ns"),
        sa.ForeignKeyConstraint(
            ["account_id", "instrument_id"],
            ["portfolio.position.account_id", "portfolio.position.instrument_id"],
        ),
    )
    idempotency_table(metadata)
    event_log_tables(metadata)
    cursor_table(metadata)
    metadata.create_all(op.get_bind())
