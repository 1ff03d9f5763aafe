"""Books in PostgreSQL, read at one moment."""

from __future__ import annotations

from services.portfolio.domain.books import Books, Position
from services.portfolio.domain.ledger import Cash
from services.portfolio.domain.lot import Lot
from services.portfolio.tables import accounts, cursors, lots, positions
from services.runtime.database import Database

ORDER_LOG_CURSOR = "portfolio.orders"

# ruff: noqa: S608  # names of our own tables and columns
# One statement is one snapshot: cash, positions and the cursor they stand at belong together.
_BOOKS = (
    "SELECT a.account_id, a.currency, a.cash, a.fees, a.entry_count, "
    f"coalesce((SELECT sequence FROM {cursors.fullname} WHERE name = '{ORDER_LOG_CURSOR}'), 0), "
    "p.instrument_id, p.symbol, p.quantity, p.cost, p.realized_pnl, p.event_time_ns "
    f"FROM {accounts.fullname} a LEFT JOIN {positions.fullname} p USING (account_id) "
    "WHERE a.account_id = $1 ORDER BY p.symbol, p.instrument_id"
)
_POSITION = (
    "SELECT a.currency, p.symbol, p.quantity, p.cost, p.realized_pnl, p.event_time_ns, "
    "l.number, l.fill_id, l.quantity, l.cost, l.open_time_ns "
    f"FROM {accounts.fullname} a "
    f"LEFT JOIN {positions.fullname} p ON p.account_id = a.account_id AND p.instrument_id = $2 "
    f"LEFT JOIN {lots.fullname} l ON l.account_id = p.account_id AND l.instrument_id = p.instrument_id "
    "WHERE a.account_id = $1 ORDER BY l.number"
)


class BookStore:
    """Reads what fills and deposits have made of an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_books(self, account_id: str) -> Books | None:
        """The account's books, flat positions included; None when there is no such account."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(_BOOKS, account_id)
        if not rows:
            return None
        held = (Position(account_id, *row[6:]) for row in rows if row[6] is not None)
        return Books(Cash(*rows[0][:5]), tuple(held), rows[0][5])

    async def read_position(
        self, account_id: str, instrument_id: str
    ) -> tuple[str, Position, tuple[Lot, ...]] | None:
        """The account's currency, its position (flat when never traded) and open lots, oldest first."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(_POSITION, account_id, instrument_id)
        if not rows:
            return None
        currency, symbol, *amounts = rows[0][:6]
        if symbol is None:
            return currency, Position(account_id, instrument_id, ""), ()
        open_lots = tuple(Lot(*row[6:]) for row in rows if row[6] is not None)
        return currency, Position(account_id, instrument_id, symbol, *amounts), open_lots
