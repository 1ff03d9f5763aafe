"""Tables of the schema ``data``. Times are nanoseconds since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.runtime.database import metadata_for
from services.runtime.idempotency import idempotency_table
from services.runtime.jobs.job_store import job_columns

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
    # When something was last recorded of it: rises with every batch of bars and every corporate action.
    sa.Column("last_record_time_ns", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("isin", sa.Text, nullable=False, server_default=""),
    sa.Column("figi", sa.Text, nullable=False, server_default=""),
    # Steps by price, side by side; empty when tick_size holds at every price.
    sa.Column("tick_prices", ARRAY(sa.Numeric), nullable=False, server_default="{}"),
    sa.Column("tick_sizes", ARRAY(sa.Numeric), nullable=False, server_default="{}"),
    # Terms of options and futures.
    sa.Column("underlying_id", sa.ForeignKey("instrument.instrument_id", onupdate="CASCADE")),
    sa.Column("expiry_date", sa.Date),
    sa.Column("multiplier", sa.Numeric),
    sa.Column("strike", sa.Numeric),
    sa.Column("option_right", sa.SmallInteger),
    sa.Column("exercise_style", sa.SmallInteger),
    # Counts changes; 1 while it is as its source stated it.
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    # A symbol may be given to another once its holder is delisted (status 3).
    sa.Index(
        "uq_instrument_symbol_mic", "symbol", "mic", unique=True, postgresql_where=sa.text("status <> 3")
    ),
    sa.Index("uq_instrument_figi", "figi", unique=True, postgresql_where=sa.text("figi <> ''")),
    sa.Index("ix_instrument_isin", "isin", postgresql_where=sa.text("isin <> ''")),
    sa.Index("ix_instrument_chain", "underlying_id", "expiry_date", "strike", "option_right", "symbol"),
    # For searches; trigrams are of pg_trgm.
    sa.Index(
        "ix_instrument_symbol_trigrams",
        "symbol",
        postgresql_using="gin",
        postgresql_ops={"symbol": "gin_trgm_ops"},
    ),
    sa.Index(
        "ix_instrument_name_trigrams",
        sa.func.lower(sa.column("name")).label("lower_name"),
        postgresql_using="gin",
        postgresql_ops={"lower_name": "gin_trgm_ops"},
    ),
)

symbol_periods = sa.Table(
    "symbol_period",
    metadata,
    # Symbols that were: the present one is the instrument's, from the end of the last of these on.
    sa.Column("instrument_no", sa.ForeignKey(instruments.c.instrument_no), primary_key=True),
    sa.Column("from_date", sa.Date, primary_key=True),
    sa.Column("to_date", sa.Date, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False, index=True),
    sa.Column("mic", sa.Text, nullable=False),
)

instrument_imports = sa.Table(
    "instrument_import",
    metadata,
    # What a repeat of the request is answered with.
    sa.Column("import_id", sa.Text, primary_key=True),
    sa.Column("instrument_ids", ARRAY(sa.Text), nullable=False),
    sa.Column("created", sa.Integer, nullable=False),
)

fact_batches = sa.Table(
    "fact_batch",
    metadata,
    sa.Column("batch_no", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    # Rises from batch to batch, so that what was known at a time stays what it is.
    sa.Column("record_time_ns", sa.BigInteger, nullable=False, unique=True),
    sa.Column("recorded", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    # Of facts that an ingestion loaded.
    sa.Column("ingestion_id", sa.ForeignKey("ingestion.ingestion_id")),
    sa.Column("fetch_time_ns", sa.BigInteger),
)

fact_horizon = sa.Table(
    "fact_horizon",
    metadata,
    # One row: the latest time of which somebody asked what was recorded by then. Batches are recorded later.
    sa.Column("asked_time_ns", sa.BigInteger, nullable=False),
)

facts = sa.Table(
    "fact",
    metadata,
    # Rows are only ever added: of those with one name, period and end the last published counts, of these the
    # last recorded.
    sa.Column("instrument_no", sa.ForeignKey(instruments.c.instrument_no), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("period", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("period_end", sa.Date, primary_key=True),
    sa.Column("publish_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("batch_no", sa.ForeignKey(fact_batches.c.batch_no), primary_key=True),
    sa.Column("number", sa.Numeric),
    sa.Column("text", sa.Text),
    sa.Column("currency", sa.Text, nullable=False),
    sa.CheckConstraint("num_nonnulls(number, text) = 1", name="one_value"),
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
    # A fact is never changed: it is retracted and recorded anew.
    sa.Column("record_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("retract_time_ns", sa.BigInteger),
    sa.Index(
        "uq_split_held", "instrument_no", "ex_date", unique=True, postgresql_where="retract_time_ns IS NULL"
    ),
)

dividends = sa.Table(
    "dividend",
    metadata,
    sa.Column("instrument_no", sa.ForeignKey(instruments.c.instrument_no), primary_key=True),
    sa.Column("ex_date", sa.Date, primary_key=True),
    sa.Column("ex_time_ns", sa.BigInteger, nullable=False),
    # A share of that day; all that is paid for one ex date together.
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("record_time_ns", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("retract_time_ns", sa.BigInteger),
    sa.Index(
        "uq_dividend_held",
        "instrument_no",
        "ex_date",
        unique=True,
        postgresql_where="retract_time_ns IS NULL",
    ),
)

ingestions = sa.Table(
    "ingestion",
    metadata,
    sa.Column("ingestion_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("symbols", ARRAY(sa.Text), nullable=False),
    sa.Column("interval", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("kind", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    *job_columns(cancellable=True),
)

ingestion_results = sa.Table(
    "ingestion_result",
    metadata,
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id), primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("instrument_id", sa.Text, nullable=False),
    sa.Column("rows_stored", sa.BigInteger, nullable=False),
    sa.Column("rows_revised", sa.BigInteger, nullable=False),
    sa.Column("rows_refused", sa.BigInteger, nullable=False),
    sa.Column("first_date", sa.Date),
    sa.Column("last_date", sa.Date),
    sa.Column("error", sa.SmallInteger),
    sa.Column("error_message", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    # When the last bar done opened: where a killed ingestion goes on.
    sa.Column("position_ns", sa.BigInteger),
)

source_symbols = sa.Table(
    "source_symbol",
    metadata,
    # Which instrument a source's symbol was, so that it can be asked for what is missing alone.
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("instrument_no", sa.ForeignKey(instruments.c.instrument_no), nullable=False),
)

source_requests = sa.Table(
    "source_request",
    metadata,
    # Requests a source's servers were asked on a day, UTC, and those reserved for a fetch under way.
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("request_date", sa.Date, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
)

ingestion_schedules = sa.Table(
    "ingestion_schedule",
    metadata,
    sa.Column("schedule_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("symbols", ARRAY(sa.Text), nullable=False),
    sa.Column("interval", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("calendar", sa.Text, nullable=False),
    # One of the two.
    sa.Column("minutes_after_close", sa.Integer),
    sa.Column("local_time", sa.Time),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    # When the last run was due: runs due up to then are made or let go.
    sa.Column("last_due_ns", sa.BigInteger, nullable=False),
    sa.Column("last_ingestion_id", sa.Text, nullable=False),
    sa.Column("delete_time_ns", sa.BigInteger),
)

bar_batches = sa.Table(
    "bar_batch",
    metadata,
    # Where bars of an instrument came from: said once for all that came together.
    sa.Column("batch_no", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("instrument_no", sa.Integer, nullable=False),
    # None when no ingestion changed them: the source says what did.
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id)),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("fetch_time_ns", sa.BigInteger, nullable=False),
    # The instrument's when they came.
    sa.Column("currency", sa.Text, nullable=False),
    # From when on they were known here; later batches of an instrument have later times.
    sa.Column("record_time_ns", sa.BigInteger, nullable=False),
    sa.Index("ix_bar_batch_instrument_no_record_time_ns", "instrument_no", "record_time_ns"),
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

bar_revisions = sa.Table(
    "bar_revision",
    metadata,
    # Bars that were corrected or removed, as they were before.
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
    # The batch that took their place, and when it was recorded.
    sa.Column("superseded_by", sa.Integer, nullable=False),
    sa.Column("superseded_time_ns", sa.BigInteger, nullable=False),
)

bar_versions = sa.Table(
    "bar_version",
    metadata,
    # Counts the transactions that changed the bars; no row before the first.
    sa.Column("instrument_no", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("interval", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

bar_imports = sa.Table(
    "bar_import",
    metadata,
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id), primary_key=True),
    # The ImportBarsResponse as it was given: what a repeat of the request is answered with.
    sa.Column("answer", sa.LargeBinary, nullable=False),
)

quarantined_bars = sa.Table(
    "quarantined_bar",
    metadata,
    sa.Column("quarantine_no", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("instrument_no", sa.Integer, nullable=False, index=True),
    sa.Column("interval", sa.SmallInteger, nullable=False),
    sa.Column("open_time_ns", sa.BigInteger, nullable=False),
    sa.Column("open", sa.Double, nullable=False),
    sa.Column("high", sa.Double, nullable=False),
    sa.Column("low", sa.Double, nullable=False),
    sa.Column("close", sa.Double, nullable=False),
    sa.Column("volume", sa.Double, nullable=False),
    sa.Column("adjusted_close", sa.Double, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("ingestion_id", sa.ForeignKey(ingestions.c.ingestion_id), nullable=False),
    # The repair that released it.
    sa.Column("released_by", sa.Text),
    # The same row again, as when a file is imported twice, is kept once.
    sa.UniqueConstraint(
        "instrument_no",
        "interval",
        "open_time_ns",
        "reason",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "adjusted_close",
        name="uq_quarantined_bar_row",
    ),
)

repairs = sa.Table(
    "repair",
    metadata,
    sa.Column("repair_id", sa.Text, primary_key=True),
    sa.Column("instrument_no", sa.Integer, nullable=False),
    sa.Column("interval", sa.SmallInteger, nullable=False),
    sa.Column("kinds", ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("actions", ARRAY(sa.Text), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    # That of the batch of its bars and of the facts it recorded and retracted.
    sa.Column("record_time_ns", sa.BigInteger, nullable=False),
    # None when it changed no bars.
    sa.Column("batch_no", sa.ForeignKey(bar_batches.c.batch_no)),
    sa.Column("revert_time_ns", sa.BigInteger),
    sa.Column("revert_user_id", sa.Text, nullable=False),
    sa.Index("ix_repair_instrument_no", "instrument_no", "repair_id"),
)

idempotency = idempotency_table(metadata)

backup_jobs = sa.Table(
    "backup_job",
    metadata,
    sa.Column("backup_job_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("backup_id", sa.Text, nullable=False),
    sa.Column("keep_newest", sa.Integer, nullable=False),
    sa.Column("keep_database", sa.Boolean, nullable=False),
    sa.Column("database", sa.Text, nullable=False),
    *job_columns(cancellable=False),
)
