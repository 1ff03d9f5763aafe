"""LimitService: limits and the kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import grpc

from bifrost.risk.v1 import limit_service_pb2 as pb
from bifrost.risk.v1.limit_service_pb2_grpc import LimitServiceServicer
from services.risk.accounts import Accounts
from services.risk.books import Books
from services.risk.convert import from_kill_switch, from_limits, to_limit_values
from services.risk.domain.limits import RANGES, KillSwitch, LimitRangeError, Limits, change_limits
from services.risk.store import upsert_kill_switch, upsert_limits
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.database import driver_of
from services.runtime.errors import ApiError, aborted, invalid_argument
from services.runtime.ownership import may_act_for_all


class LimitService(LimitServiceServicer):
    """Serves bifrost.risk.v1.LimitService."""

    def __init__(self, books: Books, accounts: Accounts, *, clock: Clock) -> None:
        self._books = books
        self._accounts = accounts
        self._clock = clock

    async def GetLimits(
        self,
        request: pb.GetLimitsRequest,
        _context: grpc.aio.ServicerContext[pb.GetLimitsRequest, pb.GetLimitsResponse],
    ) -> pb.GetLimitsResponse:
        """The account's limits."""
        await self._accounts.require(request.account_id)
        async with self._books.reading():
            limits = self._books.limits(request.account_id)
        return pb.GetLimitsResponse(limits=from_limits(request.account_id, limits))

    async def UpdateLimits(
        self,
        request: pb.UpdateLimitsRequest,
        _context: grpc.aio.ServicerContext[pb.UpdateLimitsRequest, pb.UpdateLimitsResponse],
    ) -> pb.UpdateLimitsResponse:
        """Change what the mask names."""
        paths = _checked_paths(list(request.update_mask.paths))
        account_id = request.account_id
        await self._accounts.require(account_id)
        try:
            values = to_limit_values(request.limits, paths)
            async with self._books.reading():
                present = self._books.limits(account_id)
            if not _is_repeat(present, values, request.etag):
                present = await self._change(account_id, values, request.etag)
        except LimitRangeError as error:
            raise ApiError(
                grpc.StatusCode.INVALID_ARGUMENT,
                "LIMIT_INVALID",
                f"{error}",
                violations=[(f"limits.{field}", text) for field, text in error.violations],
            ) from error
        return pb.UpdateLimitsResponse(limits=from_limits(account_id, present))

    async def SetKillSwitch(
        self,
        request: pb.SetKillSwitchRequest,
        _context: grpc.aio.ServicerContext[pb.SetKillSwitchRequest, pb.SetKillSwitchResponse],
    ) -> pb.SetKillSwitchResponse:
        """Halt or release."""
        if request.all_accounts == bool(request.account_id):
            message = "name an account_id, or leave it empty and set all_accounts; not both, not neither"
            raise invalid_argument("FIELD_INVALID", message, field="all_accounts")
        if request.account_id:
            await self._accounts.require(request.account_id)
        principal = current_principal()
        switch = KillSwitch(
            account_id=request.account_id,
            is_engaged=request.action == pb.KILL_SWITCH_ACTION_ENGAGE,
            reason=request.reason,
            user_id=principal.caller,
            update_time_ns=self._clock.now_ns(),
        )
        async with self._books.transaction() as connection:
            await upsert_kill_switch(await driver_of(connection), switch)
            self._books.switches[switch.account_id] = switch
        return pb.SetKillSwitchResponse(kill_switch=from_kill_switch(switch))

    async def ListKillSwitches(
        self,
        _request: pb.ListKillSwitchesRequest,
        _context: grpc.aio.ServicerContext[pb.ListKillSwitchesRequest, pb.ListKillSwitchesResponse],
    ) -> pb.ListKillSwitchesResponse:
        """The switches that concern the caller, engaged ones first."""
        async with self._books.reading():
            switches = sorted(self._books.switches.values(), key=lambda s: (not s.is_engaged, s.account_id))
        principal = current_principal()
        if not may_act_for_all(principal):
            switches = [switch for switch in switches if await self._concerns(switch, principal.caller)]
        return pb.ListKillSwitchesResponse(kill_switches=map(from_kill_switch, switches))

    async def _concerns(self, switch: KillSwitch, user_id: str) -> bool:
        return not switch.account_id or await self._accounts.owner_of(switch.account_id) == user_id

    async def _change(self, account_id: str, values: Mapping[str, Decimal | int], etag: str) -> Limits:
        async with self._books.transaction() as connection:
            present = self._books.limits(account_id)
            if present.etag != etag:
                message = f"the limits have changed since {etag}; read them again"
                raise aborted("ETAG_MISMATCH", message, etag=present.etag)
            changed = change_limits(present, values)
            await upsert_limits(await driver_of(connection), account_id, changed)
            self._books.set_limits(account_id, changed)
        return changed


def _checked_paths(paths: list[str]) -> list[str]:
    unknown = [path for path in paths if path not in RANGES]
    if unknown or not paths:
        named = f"cannot change {', '.join(unknown)}" if unknown else "names nothing"
        message = f"update_mask {named}; it may name {', '.join(RANGES)}"
        raise invalid_argument("FIELD_INVALID", message, field="update_mask")
    return paths


def _is_repeat(present: Limits, values: Mapping[str, Decimal | int], etag: str) -> bool:
    """Whether this very change was made by the call before, whose answer may have been lost."""
    before = f"r{present.revision - 1}"
    return etag == before and all(getattr(present, name) == value for name, value in values.items())
