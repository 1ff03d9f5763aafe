"""Whether an order is open as a column, so that its events write to no index; one index for requests.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("ix_orders_open", "orders", schema="execution")
    op.execute(
        "ALTER TABLE execution.orders ADD COLUMN is_open boolean NOT NULL "
        "GENERATED ALWAYS AS (state NOT IN (5, 7, 9, 10)) STORED"
    )
    # Room for an order's next versions beside it, where they need no index entries.
    op.execute("ALTER TABLE execution.orders SET (fillfactor = 70)")
    op.execute("CREATE INDEX ix_orders_open ON execution.orders (account_id, order_id) WHERE is_open")
    op.drop_constraint("uq_orders_account_id_request_id", "orders", schema="execution")
    op.execute(
        "CREATE UNIQUE INDEX uq_orders_request ON execution.orders ((account_id || '/' || request_id))"
    )
