"""The same request twice has its effect once: request ids, kept with the digest of what was asked.

``begin`` and ``finish`` run in the transaction of the effect itself, so the id is consumed exactly when the
effect is committed. A twin in flight waits for the first to end.
"""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime.clock import Clock
from services.runtime.decimals import shortest
from services.runtime.errors import already_exists
from services.runtime.validation import is_decimal

_VERSION, _VERSION_BEFORE = "2", "1"


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """Declare ``idempotency`` in ``metadata``; a service's migration makes it."""
    return sa.Table(
        "idempotency",
        metadata,
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("method", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
    )


class RequestDigest(str):
    """A request's digest, which also knows how it was written in the version before.

    What that version recorded is kept for ever, and is still the same request.
    """

    __slots__ = ("before",)

    before: str

    @classmethod
    def of(cls, content: bytes, *, before: bytes) -> "RequestDigest":
        """Of the content as it counts now, and as it counted before."""
        digest = cls(f"{_VERSION}:{hashlib.sha256(content).hexdigest()}")
        digest.before = f"{_VERSION_BEFORE}:{hashlib.sha256(before).hexdigest()}"
        return digest


def request_digest(message: Message) -> RequestDigest:
    """``"2:"`` and the SHA-256 (hex) of the request's deterministic serialisation without ``request_id``.

    Decimals count by their value: "100" and "100.00" are the same request (not so in version 1). Fields
    unknown to this version have no effect here and do not count.
    """
    content = type(message)()
    content.CopyFrom(message)
    content.ClearField("request_id")
    content.DiscardUnknownFields()
    before = content.SerializeToString(deterministic=True)
    _write_shortest(content)
    return RequestDigest.of(content.SerializeToString(deterministic=True), before=before)


def _write_shortest(message: Message) -> None:
    """Give every decimal in ``message`` its one spelling."""
    for field, value in message.ListFields():
        if isinstance(value, Message):
            _write_shortest(value)
        elif isinstance(value, str):
            if is_decimal(field):
                setattr(message, field.name, shortest(value))
        elif field.message_type is not None:
            for item in value:
                _write_shortest(item)


def check_digest(request_id: str, *, first: str, again: str) -> None:
    """Compare the digest of the request that used ``request_id`` first with that of one that uses it again.

    Raises:
        ApiError: ALREADY_EXISTS, reason REQUEST_ID_REUSED, both digests in the metadata, when they differ.
    """
    is_same = first in {again, again.before} if isinstance(again, RequestDigest) else first == again
    if not is_same:
        raise already_exists(
            "REQUEST_ID_REUSED",
            f"request_id {request_id!r} was used before with other content; use a new one for a new request",
            request_id=request_id,
            recorded_digest=first,
            digest=again,
        )


@dataclass(frozen=True)
class Stored:
    """What the request made when it came first."""

    resource_id: str


class IdempotencyStore:
    """Request ids, scoped by (owner, method)."""

    def __init__(self, table: sa.Table, *, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def begin(
        self, connection: AsyncConnection, owner: str, method: str, request_id: str, digest: str
    ) -> Stored | None:
        """Claim the id for this transaction: None when it is new, else what was made of it before.

        Raises:
            ApiError: ALREADY_EXISTS, reason REQUEST_ID_REUSED: the id came before with other content.
        """
        claim = insert(self._table).values(
            owner=owner,
            method=method,
            request_id=request_id,
            digest=digest,
            resource_id="",
            create_time_ns=self._clock.now_ns(),
        )
        claimed = await connection.execute(claim.on_conflict_do_nothing().returning(self._table.c.request_id))
        if claimed.first() is not None:
            return None
        columns = self._table.c
        found = sa.select(columns.digest, columns.resource_id).where(self._is(owner, method, request_id))
        row = (await connection.execute(found)).one()
        check_digest(request_id, first=row.digest, again=digest)
        return Stored(row.resource_id)

    async def finish(
        self, connection: AsyncConnection, owner: str, method: str, request_id: str, resource_id: str
    ) -> None:
        """Record what the claimed request made, in the same transaction as ``begin``."""
        made = (
            sa.update(self._table).where(self._is(owner, method, request_id)).values(resource_id=resource_id)
        )
        await connection.execute(made)

    def _is(self, owner: str, method: str, request_id: str) -> sa.ColumnElement[bool]:
        columns = self._table.c
        return sa.and_(columns.owner == owner, columns.method == method, columns.request_id == request_id)
