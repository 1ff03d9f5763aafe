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
        self._with_changes: dict[tuple[str, int, int, bool], str] = {}
        # One round trip: count, then insert what the count allows. Without the token nothing is counted.
        count, insert = self._insert(2, events=2)
        self.append = (
            f"WITH counted AS (UPDATE {head} SET sequence = sequence + {count} "
            f"WHERE writer_token = $1::bigint RETURNING sequence){insert} SELECT sequence FROM counted"
        )
        self.check_token = f"SELECT sequence FROM {head} WHERE writer_token = $1 FOR SHARE"
        self.lock_head = f"SELECT sequence, writer_token FROM {head} FOR UPDATE"
        read = f"SELECT {_COLUMNS} FROM {events} WHERE sequence > $1 AND sequence <= $2"
        self.read = f"{read} ORDER BY sequence LIMIT $3"
        self.read_keys = f"{read} AND key = ANY($4::text[]) ORDER BY sequence LIMIT $3"

    def append_with(self, changes: str, parameters: int, events: int, *, only_if_changed: bool) -> str:
        """`append` of so many events in one statement with changes of other tables.

        The parameters of the changes come first, then the token, what `append` takes for the events, a value
        each where there is one event, and the time. The counter row is locked before anything else is looked
        at: whoever lost the token changes nothing.
        """
        events = min(events, 2)
        key = changes, parameters, events, only_if_changed
        known = self._with_changes.get(key)
        if known is None:
            known = self._with_changes[key] = self._append_with(changes, parameters, events, only_if_changed)
        return known

    def _append_with(self, changes: str, parameters: int, events: int, only_if_changed: bool) -> str:
        count, insert = self._insert(parameters + 2, events)
        is_writer = f"WHERE writer_token = ${parameters + 1}::bigint"
        locked = f"SELECT sequence FROM {self._head} {is_writer} FOR UPDATE"
        counting = f"UPDATE {self._head} SET sequence = sequence + {count} {is_writer}"
        if only_if_changed:
            writer = locked
            counted = f"{counting} AND EXISTS (SELECT FROM changed) RETURNING sequence"
        else:  # the counter row is touched once
            writer = f"{counting} RETURNING sequence" if events else locked
            counted = "SELECT sequence FROM writer"
        return (
            f"WITH writer AS ({writer}), {changes}{', ' if changes else ''}counted AS ({counted}){insert} "
            "SELECT EXISTS (SELECT FROM writer) AS is_writer, (SELECT sequence FROM counted) AS sequence"
        )

    def _insert(self, first: int, events: int) -> tuple[str, str]:
        """How many events are inserted, and the query that inserts them, with parameters from `first`."""
        if not events:
            return "0", ""
        keys, kinds, times, payloads, now = (f"${first + n}" for n in range(5))
        insert = f", inserted AS (INSERT INTO {self._events} ({_COLUMNS})"
        if events == 1:  # arrays of one would cost the driver and PostgreSQL more than the event itself
            event = f"{keys}::text, {kinds}::text, {times}::bigint, {now}::bigint, {payloads}::bytea"
            return "1", f"{insert} SELECT sequence, {event} FROM counted)"
        return f"cardinality({keys}::text[])", (
            f"{insert} SELECT counted.sequence - cardinality({keys}) + e.n, e.key, e.kind, e.time_ns, "
            f"{now}::bigint, e.payload "
            f"FROM counted, unnest({keys}, {kinds}::text[], {times}::bigint[], {payloads}::bytea[]) "
            "WITH ORDINALITY AS e(key, kind, time_ns, payload, n))"
        )
