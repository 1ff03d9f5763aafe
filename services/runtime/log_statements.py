"""The statements of an event log, for asyncpg."""

from __future__ import annotations

from typing import Final

# ruff: noqa: S608  # names of our own tables and columns
_COLUMNS: Final = "sequence, key, kind, event_time_ns, publish_time_ns, payload"


class LogStatements:
    """The statements for one schema."""

    def __init__(self, events: str, head: str) -> None:
        self._events = events
        self._head = head
        self._with_changes: dict[tuple[str, int], str] = {}
        # One round trip: count, then insert what the count allows. Without the token nothing is counted.
        self.append = f"WITH {self._count_and_insert('', 1)} SELECT sequence FROM counted"
        self.check_token = f"SELECT sequence FROM {head} WHERE writer_token = $1 FOR SHARE"
        self.lock_head = f"SELECT sequence, writer_token FROM {head} FOR UPDATE"
        read = f"SELECT {_COLUMNS} FROM {events} WHERE sequence > $1 AND sequence <= $2"
        self.read = f"{read} ORDER BY sequence LIMIT $3"
        self.read_keys = f"{read} AND key = ANY($4::text[]) ORDER BY sequence LIMIT $3"

    def append_with(self, changes: str, parameters: int) -> str:
        """`append` in one statement with changes of other tables, whose parameters come first.

        The counter row is locked before anything else is looked at: whoever lost the token changes nothing.
        """
        known = self._with_changes.get((changes, parameters))
        if known is None:
            token = f"${parameters + 1}::bigint"
            known = self._with_changes[changes, parameters] = (
                f"WITH writer AS (SELECT FROM {self._head} WHERE writer_token = {token} FOR UPDATE), "
                f"{changes}, "
                f"{self._count_and_insert(' AND EXISTS (SELECT FROM changed)', parameters + 1)} "
                "SELECT EXISTS (SELECT FROM writer) AS is_writer, (SELECT sequence FROM counted) AS sequence"
            )
        return known

    def _count_and_insert(self, condition: str, first: int) -> str:
        token, keys, kinds, times, payloads, now = (f"${first + n}" for n in range(6))
        return (
            f"counted AS (UPDATE {self._head} SET sequence = sequence + cardinality({keys}::text[]) "
            f"WHERE writer_token = {token}::bigint{condition} RETURNING sequence), "
            f"inserted AS (INSERT INTO {self._events} ({_COLUMNS}) "
            f"SELECT counted.sequence - cardinality({keys}) + e.n, e.key, e.kind, e.time_ns, {now}::bigint, "
            "e.payload "
            f"FROM counted, unnest({keys}, {kinds}::text[], {times}::bigint[], {payloads}::bytea[]) "
            "WITH ORDINALITY AS e(key, kind, time_ns, payload, n))"
        )
