"""What bars were before they were corrected, dividends, when each fact was known; bars in partitions."""

import sqlalchemy as sa
from alembic import op

from services.data.bars.storage_layout import lay_out_bars

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "instrument", sa.Column("last_record_time_ns", sa.BigInteger, nullable=False, server_default="0")
    )
    _date_batches()
    _keep_what_was()
    _let_splits_be_retracted()
    _make_dividends()
    lay_out_bars(op.get_bind())


def _date_batches() -> None:
    op.add_column("bar_batch", sa.Column("instrument_no", sa.Integer))
    op.add_column("bar_batch", sa.Column("record_time_ns", sa.BigInteger))
    op.execute(
        "UPDATE bar_batch b SET instrument_no = held.instrument_no, record_time_ns = b.fetch_time_ns "
        "FROM (SELECT DISTINCT batch_no, instrument_no FROM bar) held WHERE held.batch_no = b.batch_no"
    )
    # An import that stored nothing left a batch of nothing.
    op.execute("DELETE FROM bar_batch WHERE instrument_no IS NULL")
    op.execute(
        "UPDATE instrument i SET last_record_time_ns = b.last FROM "
        "(SELECT instrument_no, max(record_time_ns) AS last FROM bar_batch GROUP BY instrument_no) b "
        "WHERE b.instrument_no = i.instrument_no"
    )
    op.alter_column("bar_batch", "instrument_no", nullable=False)
    op.alter_column("bar_batch", "record_time_ns", nullable=False)
    op.alter_column("bar_batch", "ingestion_id", nullable=True)
    op.create_index(
        "ix_bar_batch_instrument_no_record_time_ns", "bar_batch", ["instrument_no", "record_time_ns"]
    )
    # Bars stored before versions were counted have none.
    op.execute(
        'INSERT INTO bar_version (instrument_no, "interval", version) '
        'SELECT DISTINCT instrument_no, "interval", 1 FROM bar ON CONFLICT DO NOTHING'
    )


def _keep_what_was() -> None:
    op.create_table(
        "bar_revision",
        sa.Column("instrument_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("interval", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("open_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("volume", sa.Double, nullable=False),
        sa.Column("adjusted_close", sa.Double, nullable=False),
        sa.Column("superseded_by", sa.Integer, nullable=False),
        sa.Column("superseded_time_ns", sa.BigInteger, nullable=False),
    )


def _let_splits_be_retracted() -> None:
    op.add_column("split", sa.Column("retract_time_ns", sa.BigInteger))
    op.execute("ALTER TABLE split DROP CONSTRAINT split_pkey")
    op.create_primary_key("split_pkey", "split", ["instrument_no", "ex_date", "record_time_ns"])
    _one_held("split")


def _make_dividends() -> None:
    op.create_table(
        "dividend",
        sa.Column(
            "instrument_no",
            sa.Integer,
            sa.ForeignKey("instrument.instrument_no", name="fk_dividend_instrument_no"),
            primary_key=True,
        ),
        sa.Column("ex_date", sa.Date, primary_key=True),
        sa.Column("ex_time_ns", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("record_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("retract_time_ns", sa.BigInteger),
    )
    _one_held("dividend")


def _one_held(table: str) -> None:
    op.create_index(
        f"uq_{table}_held",
        table,
        ["instrument_no", "ex_date"],
        unique=True,
        postgresql_where=sa.text("retract_time_ns IS NULL"),
    )
