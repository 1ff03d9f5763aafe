"""Identifiers, tick tables, contract terms and former symbols of instruments; facts as they were known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _widen_instruments()
    _let_symbols_change()
    _make_facts()


def _widen_instruments() -> None:
    for name in ("isin", "figi"):
        op.add_column("instrument", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name in ("tick_prices", "tick_sizes"):
        op.add_column("instrument", sa.Column(name, ARRAY(sa.Numeric), nullable=False, server_default="{}"))
    underlying = sa.ForeignKey(
        "instrument.instrument_id", name="fk_instrument_underlying_id", onupdate="CASCADE"
    )
    for column in (
        sa.Column("underlying_id", sa.Text, underlying),
        sa.Column("expiry_date", sa.Date),
        sa.Column("multiplier", sa.Numeric),
        sa.Column("strike", sa.Numeric),
        sa.Column("option_right", sa.SmallInteger),
        sa.Column("exercise_style", sa.SmallInteger),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    ):
        op.add_column("instrument", column)
    chain = ["underlying_id", "expiry_date", "strike", "option_right", "symbol"]
    op.create_index("ix_instrument_chain", "instrument", chain)
    op.create_index("ix_instrument_isin", "instrument", ["isin"], postgresql_where=sa.text("isin <> ''"))
    op.create_index(
        "uq_instrument_figi", "instrument", ["figi"], unique=True, postgresql_where=sa.text("figi <> ''")
    )
    # A symbol may be given to another once its holder is delisted.
    op.drop_constraint("uq_instrument_symbol_mic", "instrument")
    op.create_index(
        "uq_instrument_symbol_mic",
        "instrument",
        ["symbol", "mic"],
        unique=True,
        postgresql_where=sa.text("status <> 3"),
    )


def _let_symbols_change() -> None:
    instrument = sa.ForeignKey("instrument.instrument_no", name="fk_symbol_period_instrument_no")
    op.create_table(
        "symbol_period",
        sa.Column("instrument_no", sa.Integer, instrument, primary_key=True),
        sa.Column("from_date", sa.Date, primary_key=True),
        sa.Column("to_date", sa.Date, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False, index=True),
        sa.Column("mic", sa.Text, nullable=False),
    )
    op.create_table(
        "instrument_import",
        sa.Column("import_id", sa.Text, primary_key=True),
        sa.Column("instrument_ids", ARRAY(sa.Text), nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
    )


def _make_facts() -> None:
    op.create_table(
        "fact_batch",
        sa.Column("batch_no", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("record_time_ns", sa.BigInteger, nullable=False),
        sa.Column("recorded", sa.Integer, nullable=False),
        sa.Column("unchanged", sa.Integer, nullable=False),
        sa.UniqueConstraint("record_time_ns", name="uq_fact_batch_record_time_ns"),
    )
    instrument = sa.ForeignKey("instrument.instrument_no", name="fk_fact_instrument_no")
    batch = sa.ForeignKey("fact_batch.batch_no", name="fk_fact_batch_no")
    op.create_table(
        "fact",
        sa.Column("instrument_no", sa.Integer, instrument, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("period", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("period_end", sa.Date, primary_key=True),
        sa.Column("publish_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch_no", sa.Integer, batch, primary_key=True),
        sa.Column("number", sa.Numeric),
        sa.Column("text", sa.Text),
        sa.Column("currency", sa.Text, nullable=False),
        sa.CheckConstraint("num_nonnulls(number, text) = 1", name="ck_fact_one_value"),
    )
