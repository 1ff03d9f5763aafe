"""Tables of the schema ``identity``. Times are nanoseconds since the epoch, UTC."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.runtime.database import metadata_for
from services.runtime.idempotency import idempotency_table

SCHEMA = "identity"
metadata = metadata_for(SCHEMA)

users = sa.Table(
    "user",
    metadata,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("user_name", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "session",
    metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.ForeignKey(users.c.user_id), nullable=False, index=True),
    sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    sa.Column("revoke_time_ns", sa.BigInteger),
)

refresh_tokens = sa.Table(
    "refresh_token",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("session_id", sa.ForeignKey(sessions.c.session_id), nullable=False, index=True),
    sa.Column("expire_time_ns", sa.BigInteger, nullable=False, index=True),
    sa.Column("use_time_ns", sa.BigInteger),
)
# A session has one live refresh token at most, whatever the code does.
sa.Index(
    "uq_refresh_token_live",
    refresh_tokens.c.session_id,
    unique=True,
    postgresql_where=refresh_tokens.c.use_time_ns.is_(None),
)

# Private keys in clear, readable by the role identity alone: who reads this table can write the users' too.
signing_keys = sa.Table(
    "signing_key",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("private_key_pem", sa.Text, nullable=False),
    sa.Column("activate_time_ns", sa.BigInteger, nullable=False),
)

failed_logins = sa.Table(
    "failed_login",
    metadata,
    # As typed: unknown names are throttled like known ones, or the difference would tell them apart.
    sa.Column("user_name", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("first_failure_ns", sa.BigInteger, nullable=False),
    sa.Column("blocked_until_ns", sa.BigInteger, nullable=False),
    sa.Column("forget_time_ns", sa.BigInteger, nullable=False, index=True),
)

idempotency = idempotency_table(metadata)
