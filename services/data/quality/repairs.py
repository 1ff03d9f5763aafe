"""Repairs: made, taken back and released, each in one transaction under the instrument's lock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from services.data.domain.bars import BarInterval
from services.data.domain.instrument import Instrument
from services.data.instruments.instrument_store import begin_record
from services.data.quality.proposals import Proposal, RepairKind, propose
from services.data.quality.quality_inspector import QualityInspector
from services.data.quality.quality_store import Repair, insert_repair, mark_reverted, read_repair
from services.data.quality.repair_reverts import revert
from services.data.quality.repair_writes import (
    joined,
    mark_released,
    read_quarantined,
    source_of,
    write_bars,
    write_facts,
)
from services.runtime.clock import Clock
from services.runtime.database import Database, Transaction
from services.runtime.errors import aborted, failed_precondition, not_found
from services.runtime.failpoints import failpoint
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id


class Repairs:
    """Makes repairs; each answer says whether the request had been made before."""

    def __init__(
        self,
        database: Database,
        inspector: QualityInspector,
        idempotency: IdempotencyStore,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._inspector = inspector
        self._idempotency = idempotency
        self._clock = clock

    async def apply(
        self,
        instrument: Instrument,
        interval: BarInterval,
        proposal_ids: Sequence[str],
        *,
        etag: str,
        request_id: str,
        digest: str,
        owner: str,
    ) -> tuple[Repair, bool]:
        """Carry out proposals, all or none.

        Raises:
            ApiError: ABORTED QUALITY_DATA_CHANGED, NOT_FOUND PROPOSAL_NOT_FOUND, those of inspecting.
        """

        async def make(transaction: Transaction) -> Repair:
            number = instrument.instrument_no
            now_ns = await begin_record(transaction.connection, number, self._clock)
            chosen = await self._chosen(transaction, instrument, interval, proposal_ids, etag)
            kinds = tuple(sorted({one.kind for one in chosen}))
            actions = tuple(one.what for one in chosen)
            repair = self._new(instrument, interval, kinds, actions, owner, now_ns)
            bars = joined([one.after for one in chosen], chosen[0].after.take(slice(0)))
            batch_no, rows = await write_bars(
                transaction, repair, bars, record_time_ns=now_ns, source=source_of(repair.repair_id)
            )
            await write_facts(transaction.connection, repair, chosen)
            repair = replace(repair, batch_no=batch_no, rows=rows)
            await insert_repair(transaction.connection, repair)
            return repair

        async with self._inspector.turn:
            return await self._once("ApplyRepairs", make, request_id=request_id, digest=digest, owner=owner)

    async def release(
        self,
        instrument: Instrument,
        quarantine_nos: Sequence[int],
        *,
        reason: str,
        request_id: str,
        digest: str,
        owner: str,
    ) -> tuple[Repair, bool]:
        """Store bars that are in quarantine, all or none; ApiError as of `read_quarantined`."""

        async def make(transaction: Transaction) -> Repair:
            number = instrument.instrument_no
            now_ns = await begin_record(transaction.connection, number, self._clock)
            interval, bars = await read_quarantined(
                transaction, number, quarantine_nos, now_ns=self._clock.now_ns()
            )
            count = "1 bar" if len(bars) == 1 else f"{len(bars):,} bars"
            actions = (f"release {count} from quarantine" + (f": {reason}" if reason else ""),)
            repair = self._new(instrument, interval, (RepairKind.RELEASE,), actions, owner, now_ns)
            batch_no, rows = await write_bars(
                transaction, repair, bars, record_time_ns=now_ns, source=source_of(repair.repair_id)
            )
            await mark_released(transaction, quarantine_nos, repair.repair_id)
            repair = replace(repair, batch_no=batch_no, rows=rows)
            await insert_repair(transaction.connection, repair)
            return repair

        return await self._once(
            "ReleaseQuarantinedBars", make, request_id=request_id, digest=digest, owner=owner
        )

    async def revert(
        self, repair_id: str, *, request_id: str, digest: str, owner: str
    ) -> tuple[Repair, bool]:
        """Bring back what was before a repair.

        Raises:
            ApiError: NOT_FOUND REPAIR_NOT_FOUND, FAILED_PRECONDITION REPAIR_REVERTED, REPAIR_OVERTAKEN.
        """

        async def make(transaction: Transaction) -> Repair:
            connection = transaction.connection
            known = await read_repair(connection, repair_id)
            if known is None:
                raise not_found("REPAIR_NOT_FOUND", f"there is no repair {repair_id}", repair_id=repair_id)
            now_ns = await begin_record(connection, known.instrument_no, self._clock)
            # Again, now that nobody else can revert it.
            repair = await read_repair(connection, repair_id) or known
            if repair.revert_time_ns is not None:
                message = f"the repair {repair_id} is reverted already"
                raise failed_precondition("REPAIR_REVERTED", message, repair_id=repair_id)
            await revert(transaction, repair, now_ns=now_ns)
            await mark_reverted(connection, repair_id, user_id=owner, now_ns=now_ns)
            return replace(repair, revert_time_ns=now_ns, revert_user_id=owner)

        return await self._once("RevertRepair", make, request_id=request_id, digest=digest, owner=owner)

    def _new(
        self,
        instrument: Instrument,
        interval: BarInterval,
        kinds: tuple[RepairKind, ...],
        actions: tuple[str, ...],
        owner: str,
        now_ns: int,
    ) -> Repair:
        return Repair(
            repair_id=new_id(self._clock),
            instrument_no=instrument.instrument_no,
            instrument_id=instrument.instrument_id,
            interval=interval,
            kinds=kinds,
            actions=actions,
            rows=0,
            user_id=owner,
            record_time_ns=now_ns,
        )

    async def _chosen(
        self,
        transaction: Transaction,
        instrument: Instrument,
        interval: BarInterval,
        proposal_ids: Sequence[str],
        etag: str,
    ) -> list[Proposal]:
        inspected = await self._inspector.inspect_in(transaction, instrument, interval)
        if inspected.etag != etag:
            message = "bars, splits or dividends have changed since: propose again"
            raise aborted("QUALITY_DATA_CHANGED", message, etag=inspected.etag)
        proposals = {
            one.proposal_id: one for one in propose(inspected.inspection, version=inspected.held.version)
        }
        for proposal_id in proposal_ids:
            if proposal_id not in proposals:
                message = f"nothing that was found makes a proposal {proposal_id}"
                raise not_found("PROPOSAL_NOT_FOUND", message, proposal_id=proposal_id)
        return [proposals[proposal_id] for proposal_id in proposal_ids]

    async def _once(
        self,
        method: str,
        make: Callable[[Transaction], Awaitable[Repair]],
        *,
        request_id: str,
        digest: str,
        owner: str,
    ) -> tuple[Repair, bool]:
        async with self._database.open_transaction() as transaction:
            connection = transaction.connection
            stored = await self._idempotency.begin(connection, owner, method, request_id, digest)
            if stored is not None:
                known = await read_repair(connection, stored.resource_id)
                if known is None:
                    raise not_found("REPAIR_NOT_FOUND", f"there is no repair {stored.resource_id}")
                return known, True
            repair = await make(transaction)
            await self._idempotency.finish(connection, owner, method, request_id, repair.repair_id)
            failpoint("data.repair.before_commit")
            await transaction.commit()
        return repair, False
