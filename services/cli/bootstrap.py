"""What a new mesh needs before a person can trade: prices, a replayed session, an account with money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import grpc

from bifrost.data.v1 import ingestion_service_pb2, ingestion_service_pb2_grpc
from bifrost.portfolio.v1 import (
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    portfolio_pb2,
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
)
from bifrost.type.v1 import job_pb2, value_pb2
from bifrost.venue.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc
from services.cli.client import EdgeClient
from services.runtime.errors import error_from_rpc

SAMPLE_SOURCE = "sample"
PAPER_CASH = Decimal(1_000_000)


class BootstrapError(RuntimeError):
    """A first step failed; the message says which and why."""


@dataclass(frozen=True)
class Replay:
    """How real bars are replayed as a live market."""

    seconds_per_day: float = 60.0
    seed: int = 1
    start_date: str = ""
    end_date: str = ""


async def load_prices(
    client: EdgeClient, report: Callable[[float, str], None], *, request_id: str = "first-prices"
) -> int:
    """Load the sample's real daily bars; returns how many were stored. `report(share done, message)`."""
    stub = client.stub(ingestion_service_pb2_grpc.IngestionServiceStub)
    created = await stub.CreateIngestion(
        ingestion_service_pb2.CreateIngestionRequest(request_id=request_id, source=SAMPLE_SOURCE), timeout=30
    )
    ingestion = created.ingestion
    request = ingestion_service_pb2.WatchIngestionRequest(ingestion_id=ingestion.ingestion_id)
    async for message in stub.WatchIngestion(request, timeout=300):
        if message.HasField("ingestion"):
            ingestion = message.ingestion
            report(ingestion.status.progress, ingestion.status.stage)
    if ingestion.status.state != job_pb2.JOB_STATE_SUCCEEDED:
        raise BootstrapError(f"prices could not be loaded: {ingestion.status.error_message}")
    return sum(result.rows_stored for result in ingestion.results)


async def start_session(client: EdgeClient, replay: Replay, *, request_id: str) -> session_pb2.Session:
    """The replay that runs, or a new one when none does."""
    stub = client.stub(session_service_pb2_grpc.SessionServiceStub)
    try:
        current = await stub.GetCurrentSession(session_service_pb2.GetCurrentSessionRequest(), timeout=10)
        if current.session.state != session_pb2.SESSION_STATE_ENDED:
            return current.session
        request_id = f"{request_id}-after-{current.session.session_id}"
    except grpc.aio.AioRpcError as error:
        if error_from_rpc(error).reason != "NO_SESSION":
            raise
    created = await stub.CreateSession(
        session_service_pb2.CreateSessionRequest(
            request_id=request_id[:64],
            seconds_per_day=replay.seconds_per_day,
            seed=replay.seed,
            start_date=replay.start_date,
            end_date=replay.end_date,
        ),
        timeout=60,
    )
    return created.session


async def open_paper_account(client: EdgeClient, name: str, cash: Decimal) -> portfolio_pb2.Account:
    """The caller's paper account of that name, made and funded when it is not there. Safe to repeat."""
    portfolios = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
    ledger = client.stub(ledger_service_pb2_grpc.LedgerServiceStub)
    portfolio = await portfolios.CreatePortfolio(
        portfolio_service_pb2.CreatePortfolioRequest(request_id=f"{name}-portfolio", name=name), timeout=10
    )
    account = await portfolios.CreateAccount(
        portfolio_service_pb2.CreateAccountRequest(
            request_id=f"{name}-account",
            portfolio_id=portfolio.portfolio.portfolio_id,
            name=name,
            currency="USD",
            venue="XSIM",
            type=portfolio_pb2.ACCOUNT_TYPE_CASH,
        ),
        timeout=10,
    )
    await ledger.CreateDeposit(
        ledger_service_pb2.CreateDepositRequest(
            account_id=account.account.account_id,
            request_id=f"{name}-deposit",
            amount=value_pb2.Money(currency="USD", amount=f"{cash:.2f}"),
            memo="paper money",
        ),
        timeout=10,
    )
    return account.account
