"""Users, sessions, refresh tokens, signing keys, failed logins and request ids."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("user_name", sa.Text, nullable=False, unique=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("user.user_id"), nullable=False, index=True),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
        sa.Column("revoke_time_ns", sa.BigInteger),
    )
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("session_id", sa.Text, sa.ForeignKey("session.session_id"), nullable=False, index=True),
        sa.Column("expire_time_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("use_time_ns", sa.BigInteger),
    )
    op.create_index(
        "uq_refresh_token_live",
        "refresh_token",
        ["session_id"],
        unique=True,
        postgresql_where=sa.text("use_time_ns IS NULL"),
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("private_key_pem", sa.Text, nullable=False),
        sa.Column("activate_time_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "failed_login",
        sa.Column("user_name", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_failure_ns", sa.BigInteger, nullable=False),
        sa.Column("blocked_until_ns", sa.BigInteger, nullable=False),
        sa.Column("forget_time_ns", sa.BigInteger, nullable=False, index=True),
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
