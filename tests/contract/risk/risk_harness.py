"""A running risk service over a database of its own, with its peers beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import grpc

from bifrost.execution.v1 import order_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.risk.v1.limit_service_pb2_grpc import LimitServiceStub
from bifrost.risk.v1.pre_trade_service_pb2_grpc import PreTradeServiceStub
from bifrost.type.v1 import value_pb2
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from services.risk.__main__ import compose
from services.risk.config import RiskSettings
from services.runtime.clock import Clock, SystemClock
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import (
    RpcFailure,
    error_from_rpc,
)
from services.runtime.server import Service
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.risk.risk_messages import fill_event, market, reserve_request
from tests.contract.risk.risk_peers import AAPL, IBM, OWNER, FakeData, FakeExecution, FakePortfolio

SCOPES = "risk:read risk:write"


@dataclasses.dataclass
class RunningRisk:
    """The service, its peers, and what calls it."""

    url: str
    keys: MeshKeys
    execution: FakeExecution
    portfolio: FakePortfolio
    data: FakeData
    service: Service
    channel: grpc.aio.Channel
    settings: Mapping[str, object]
    clock: Clock | None

    def __post_init__(self) -> None:
        self.pre_trade = PreTradeServiceStub(self.channel)
        self.limits = LimitServiceStub(self.channel)
        at_any_time = {"iat": None, "exp": int(time.time()) + 86_400}  # wherever the clock is put
        self.as_execution = bearer(self.keys.service_token("execution", **at_any_time))
        self.as_user = bearer(self.keys.user_token(OWNER, scope=SCOPES, **at_any_time))

    async def fund(self, amount: str = "100000", **account: str) -> str:
        """A new account with so much in cash, as risk knows it."""
        account_id = self.portfolio.open_account(**account)
        self.portfolio.deposit(account_id, amount, currency=account.get("currency", "USD"))
        await self.until_cash(account_id, amount)
        return account_id

    async def buying_power(self, account_id: str) -> pb.GetBuyingPowerResponse:
        request = pb.GetBuyingPowerRequest(account_id=account_id)
        return await self.pre_trade.GetBuyingPower(request, metadata=self.as_execution)

    async def until_cash(self, account_id: str, cash: str, reserved: str | None = None) -> None:
        async def has_come() -> bool:
            power = await self.buying_power(account_id)
            return power.cash == cash and reserved in (None, power.reserved)

        await until(has_come, timeout_s=60)

    async def until_reserved(self, account_id: str, reserved: str) -> None:
        async def has_come() -> bool:
            return (await self.buying_power(account_id)).reserved == reserved

        await until(has_come, timeout_s=60)

    async def reserve(self, account_id: str, terms: OrderTerms, **changes: Any) -> pb.ReserveOrderResponse:
        request = reserve_request(account_id, terms, **changes)
        return await self.pre_trade.ReserveOrder(request, metadata=self.as_execution)

    async def settle(self, *events: order_pb2.OrderEvent) -> None:
        """Append to the order log and wait until risk has read it."""
        marker = self.portfolio.open_account()
        fill = fill_event(marker, "marker", "1", "1")
        self.execution.append(*events, fill)
        await self.until_cash(marker, "-1")

    async def restart(self) -> None:
        """Stop the service and start another over the same database."""
        await self.stop_service()
        service, channel = await _serve(self.settings, self.clock)
        self.service, self.channel = service, channel
        self.__post_init__()

    async def until_open(self) -> None:
        """Wait until risk has caught up with its logs."""
        account_id = self.portfolio.open_account()

        async def is_open() -> bool:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.buying_power(account_id)
                return True
            return False

        await until(is_open, timeout_s=60)

    async def until_quoted(self, instrument_id: str, reference: str) -> None:
        """Wait until risk judges at this price."""
        account_id = self.portfolio.open_account()
        request = pb.CheckOrderRequest(
            account_id=account_id,
            instrument=value_pb2.InstrumentRef(instrument_id=instrument_id),
            terms=market(),
        )

        async def is_quoted() -> bool:
            answer = await self.pre_trade.CheckOrder(request, metadata=self.as_execution)
            return answer.result.reference_price == reference

        await until(is_quoted, timeout_s=60)

    async def stop_service(self) -> None:
        await self.channel.close()
        await self.service.stop(0)

    async def stop(self) -> None:
        await self.stop_service()
        for peer in (self.execution, self.portfolio, self.data):
            await peer.stop()


async def start_risk(url: str, folder: Path, *, clock: Clock | None = None, **settings: Any) -> RunningRisk:
    """Peers, and the service over the database at `url`; quotes of AAPL at 100 and IBM at 50."""
    execution, portfolio, data = FakeExecution(), FakePortfolio(), FakeData()
    for peer in (execution, portfolio, data):
        await peer.start()
    data.quote(AAPL, 99.99, 100.01)
    data.quote(IBM, 49.99, 50.01)
    keys = MeshKeys(folder)
    values = {
        **keys.settings("risk"),
        "database_url": url,
        "address_book": {
            "execution": execution.address,
            "portfolio": portfolio.address,
            "data": data.address,
        },
        **settings,
    }
    service, channel = await _serve(values, clock)
    return RunningRisk(url, keys, execution, portfolio, data, service, channel, values, clock)


async def _serve(settings: Mapping[str, object], clock: Clock | None) -> tuple[Service, grpc.aio.Channel]:
    service = await compose(RiskSettings.model_validate(settings), clock=clock)
    port = await service.start()
    return service, connect(f"127.0.0.1:{port}")


class ShiftedClock(SystemClock):
    """The system's clock, put forward by hand, and its wall clock stepped to where it should not be."""

    ahead_ns: ClassVar[int] = 0
    wall_off_ns: ClassVar[int] = 0

    def now_ns(self) -> int:
        return super().now_ns() + ShiftedClock.ahead_ns + ShiftedClock.wall_off_ns

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + ShiftedClock.ahead_ns

    @classmethod
    def advance_s(cls, seconds: float) -> None:
        cls.ahead_ns += int(seconds * 1e9)

    @classmethod
    def step_wall_s(cls, seconds: float) -> None:
        cls.wall_off_ns += int(seconds * 1e9)


@contextlib.asynccontextmanager
async def running_risk(
    postgres_server: EmbeddedPostgres, folder: Path, **settings: Any
) -> AsyncIterator[RunningRisk]:
    """Risk over a database of its own, open, with a price for AAPL, on a clock that can be put forward."""
    ShiftedClock.ahead_ns = ShiftedClock.wall_off_ns = 0
    url = new_database(postgres_server)
    risk = await start_risk(url, folder, clock=ShiftedClock(), instruments_refresh_s=0.05, **settings)
    try:
        await risk.until_open()
        await risk.until_quoted(AAPL, "100")
        yield risk
    finally:
        await risk.stop()


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What a call that must fail said."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error)
    raise AssertionError("the call did not fail")
