"""LedgerService: cash in, and the log of what moved it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.portfolio.v1 import ledger_service_pb2 as pb
from bifrost.portfolio.v1 import ledger_service_pb2_grpc as pb_grpc
from services.portfolio.account_store import AccountStore
from services.portfolio.convert import entry_message, entry_type_filter
from services.portfolio.ledger_store import LedgerStore, account_not_found
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.decimals import parse_decimal
from services.runtime.event_log import EventLog
from services.runtime.idempotency import request_digest
from services.runtime.log_stream import stream_log
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class LedgerService(pb_grpc.LedgerServiceServicer):
    """The servicer."""

    def __init__(
        self,
        store: LedgerStore,
        accounts: AccountStore,
        log: EventLog,
        *,
        clock: Clock,
        heartbeat_s: float,
        draining: asyncio.Event,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._log = log
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._draining = draining

    async def CreateDeposit(
        self,
        request: pb.CreateDepositRequest,
        _context: ServicerContext[pb.CreateDepositRequest, pb.CreateDepositResponse],
    ) -> pb.CreateDepositResponse:
        """Post it, or return what this request_id posted."""
        principal = current_principal()
        entry, duplicate = await self._store.deposit(
            request.account_id,
            parse_decimal(request.amount.amount, field="amount.amount"),
            request.amount.currency,
            request.memo,
            caller=principal.caller,
            request_id=request.request_id,
            digest=request_digest(request),
        )
        return pb.CreateDepositResponse(entry=entry_message(entry), duplicate=duplicate)

    async def ListLedgerEntries(
        self,
        request: pb.ListLedgerEntriesRequest,
        _context: ServicerContext[pb.ListLedgerEntriesRequest, pb.ListLedgerEntriesResponse],
    ) -> pb.ListLedgerEntriesResponse:
        """A page, oldest first."""
        position = decode_page_token(request, request.page_token, number=number)
        after = 0 if position is None else int(position["number"])
        size = page_size(request.page_size)
        wanted = entry_type_filter(request.type)
        found = await self._store.list_entries(request.account_id, wanted, after=after, limit=size + 1)
        if not found and await self._accounts.find_account(request.account_id) is None:
            raise account_not_found(request.account_id)  # a service asks; a user's account was checked
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"number": str(found[size - 1].number)})
        return pb.ListLedgerEntriesResponse(entries=map(entry_message, found[:size]), next_page_token=token)

    def StreamLedgerLog(
        self,
        request: pb.StreamLedgerLogRequest,
        _context: ServicerContext[pb.StreamLedgerLogRequest, pb.StreamLedgerLogResponse],
    ) -> AsyncIterator[bytes]:
        """All postings of all accounts."""
        return stream_log(
            self._log,
            resume_after=request.resume_after if request.HasField("resume_after") else None,
            response_type=pb.StreamLedgerLogResponse,
            event_field="entry",
            heartbeat_s=self._heartbeat_s,
            draining=self._draining,
            clock=self._clock,
        )
