"""Books against an independent recomputation: logs cut anywhere, restarts, what cannot be trusted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import asyncpg
import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.portfolio.v1 import ledger_pb2
from bifrost.risk.v1 import limit_service_pb2 as limits_pb
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import SIDE_BUY
from bifrost.type.v1.value_pb2 import InstrumentRef, Money
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.waiting import until
from tests.contract.risk.risk_harness import RunningRisk, ShiftedClock, failure_of, running_risk
from tests.contract.risk.risk_messages import fill_event, limit, market, order_event, reserve_request
from tests.contract.risk.risk_peers import AAPL


@dataclass
class Expected:
    """Cash and shares reckoned here, with nothing of the service's own arithmetic."""

    cash: dict[str, Decimal] = field(default_factory=dict)
    shares: dict[str, Decimal] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def deposit(self, entry: ledger_pb2.LedgerEntry) -> None:
        if entry.type != ledger_pb2.LEDGER_ENTRY_TYPE_TRADE and entry.entry_id not in self.seen:
            self.seen.add(entry.entry_id)
            self._add(entry.account_id, Decimal(entry.amount.amount), Decimal(0))

    def fill(self, event: order_pb2.OrderEvent) -> None:
        fill = event.fill
        if event.type != order_pb2.ORDER_EVENT_TYPE_FILLED or fill.execution_id in self.seen:
            return
        self.seen.add(fill.execution_id)
        sign = 1 if fill.side == SIDE_BUY else -1
        cost = sign * Fraction(fill.quantity) * Fraction(fill.price) + Fraction(fill.fee)
        cents = -round(cost * 100)  # of a Fraction: half-even
        self._add(fill.account_id, Decimal(cents) / 100, sign * Decimal(fill.quantity))

    def _add(self, account_id: str, cash: Decimal, shares: Decimal) -> None:
        self.cash[account_id] = self.cash.get(account_id, Decimal(0)) + cash
        self.shares[account_id] = self.shares.get(account_id, Decimal(0)) + shares


async def kept(risk: RunningRisk) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Cash and shares as the database has them, without the accounts that have none."""
    connection = await asyncpg.connect(risk.url, server_settings={"search_path": "risk"})
    try:
        cash = await connection.fetch("SELECT account_id, cash FROM account WHERE cash <> 0")
        shares = await connection.fetch("SELECT account_id, quantity FROM position WHERE quantity <> 0")
    finally:
        await connection.close()
    return {r["account_id"]: r["cash"] for r in cash}, {r["account_id"]: r["quantity"] for r in shares}


async def test_logs_cut_at_random_points_give_books_equal_to_a_recomputation(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with running_risk(postgres_server, tmp_path) as risk:
        accounts = [risk.portfolio.open_account() for _ in range(3)]
        expected, orders = Expected(), dict[str, tuple[str, int]]()
        for account_id in accounts:
            risk.portfolio.deposit(account_id, "500000")
        for account_id in accounts:
            await risk.until_cash(account_id, "500000")
        for number in range(12):
            account_id, quantity = dice.choice(accounts), dice.randrange(2, 40)
            terms = limit(f"{90 + number}.01", str(quantity))
            request = reserve_request(account_id, terms)
            answer = await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
            assert answer.reserved
            orders[request.order_id] = account_id, quantity
        for log in (risk.execution, risk.portfolio):
            log.cuts = [dice.randrange(0, 6) for _ in range(15)]
            log.cut()
        await _feed(risk, _mixed_lives(orders, dice), accounts, dice)
        for entry in risk.portfolio.log:
            expected.deposit(entry)
        for event in risk.execution.log:
            expected.fill(event)

        async def is_equal() -> bool:
            cash, shares = await kept(risk)
            return cash == expected.cash and shares == {a: s for a, s in expected.shares.items() if s}

        await until(is_equal, timeout_s=60)
        await risk.restart()
        await risk.until_open()
        for account_id in accounts:
            power = await risk.buying_power(account_id)
            assert Decimal(power.cash) == expected.cash[account_id]
            assert power.reserved == "0"


async def _feed(
    risk: RunningRisk, events: list[order_pb2.OrderEvent], accounts: list[str], dice: random.Random
) -> None:
    """Append the events, and between them deposits, some told twice, and trades, which do not count."""
    for event in events:
        if dice.random() < 0.3:
            entry = ledger_pb2.LedgerEntry(
                entry_id=str(uuid.uuid4()),
                account_id=dice.choice(accounts),
                type=dice.choice([ledger_pb2.LEDGER_ENTRY_TYPE_DEPOSIT, ledger_pb2.LEDGER_ENTRY_TYPE_TRADE]),
                amount=Money(currency="USD", amount=f"{dice.randrange(1, 10**6) / 100:.2f}"),
            )
            risk.portfolio.append(*[entry] * dice.choice([1, 1, 2]))
        risk.execution.append(event)
        await asyncio.sleep(0)


def _mixed_lives(orders: dict[str, tuple[str, int]], dice: random.Random) -> list[order_pb2.OrderEvent]:
    """Events of all orders, mixed; each order's own in order, some fills told twice, some after the end."""
    lives = []
    for number, (order_id, (account_id, quantity)) in enumerate(orders.items()):
        terms = limit(f"{90 + number}.01", str(quantity))
        life = [order_event("SUBMITTED", account_id, order_id, terms, state="PENDING_NEW")]
        left = quantity
        while left > 0 and dice.random() < 0.8:
            share = dice.randrange(1, left + 1)
            left -= share
            price, fee = f"{dice.randrange(5000, 9001) / 100:.2f}", f"{share * 5 / 1000:.3f}"
            fill = fill_event(account_id, order_id, str(share), price, terms=terms, fee=fee)
            life += [fill] * dice.choice([1, 1, 2])
        if left:
            end = dice.choice(["CANCELLED", "EXPIRED"])
            late = life.pop() if len(life) > 2 and dice.random() < 0.3 else None
            life.append(order_event(end, account_id, order_id, terms, state=end))
            if late is not None:
                late.order.state = life[-1].order.state
                life.append(late)
        else:
            life[-1].order.state = order_pb2.ORDER_STATE_FILLED
        lives.append(life)
    mixed = []
    while lives := [life for life in lives if life]:
        mixed.append(dice.choice(lives).pop(0))
    return mixed


async def test_a_restart_gives_the_same_books_answers_limits_and_switches(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund("10000")
        buy = reserve_request(account_id, limit())
        partly = reserve_request(account_id, limit("99", "8"))
        refused = reserve_request(account_id, limit("100", "9999"))
        requests = [buy, partly, refused]
        answers = [await risk.pre_trade.ReserveOrder(r, metadata=risk.as_execution) for r in requests]
        await risk.settle(
            fill_event(account_id, partly.order_id, "3", "98.50", terms=partly.terms, fee="0.015")
        )
        sell = reserve_request(account_id, limit("100", "2", "SIDE_SELL"))
        requests.append(sell)
        answers.append(await risk.pre_trade.ReserveOrder(sell, metadata=risk.as_execution))
        assert [answer.reserved for answer in answers] == [True, True, False, True]
        stop = limits_pb.SetKillSwitchRequest(
            account_id=account_id, action="KILL_SWITCH_ACTION_ENGAGE", reason="drill"
        )
        await risk.limits.SetKillSwitch(stop, metadata=risk.as_user)
        before = await risk.buying_power(account_id)
        assert (before.cash, before.reserved) == ("9704.48", "1495.15")

        await risk.portfolio.stop()
        await risk.restart()
        failure = await failure_of(risk.buying_power(account_id))
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_CAUGHT_UP")
        assert failure.retry_after_s is not None
        failure = await failure_of(risk.reserve(account_id, limit()))
        assert failure.reason == "NOT_CAUGHT_UP"
        check = pb.CheckOrderRequest(
            account_id=account_id, instrument=InstrumentRef(instrument_id=AAPL), terms=limit()
        )
        assert (
            await failure_of(risk.pre_trade.CheckOrder(check, metadata=risk.as_execution))
        ).reason == "NOT_CAUGHT_UP"

        await risk.portfolio.restart()
        await risk.until_open()
        assert await risk.buying_power(account_id) == before
        for request, answer in zip(requests, answers, strict=True):
            assert await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution) == answer
        assert await risk.buying_power(account_id) == before
        await risk.until_quoted(AAPL, "100")
        halted = await risk.reserve(account_id, limit("97"))
        assert "drill" in halted.result.rules[-1].message
        # 3 are held, 2 are promised: one more may be sold, two may not
        go = limits_pb.SetKillSwitchRequest(
            account_id=account_id, action="KILL_SWITCH_ACTION_RELEASE", reason="done"
        )
        await risk.limits.SetKillSwitch(go, metadata=risk.as_user)
        assert not (await risk.reserve(account_id, limit("101", "2", "SIDE_SELL"))).reserved
        assert (await risk.reserve(account_id, limit("101", "1", "SIDE_SELL"))).reserved


async def test_an_absent_peer_does_not_close_risk_once_it_has_caught_up(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund()
        await risk.execution.stop()
        await risk.portfolio.stop()
        assert (await risk.reserve(account_id, limit())).reserved
        check = pb.CheckOrderRequest(
            account_id=account_id, instrument=InstrumentRef(instrument_id=AAPL), terms=market()
        )
        failure = await failure_of(risk.pre_trade.CheckOrder(check, metadata=risk.as_user))
        assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", "portfolio")
        unknown = await failure_of(risk.reserve(str(uuid.uuid4()), limit()))
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")


async def test_without_data_prices_grow_old_and_orders_are_refused(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund()
        await risk.data.stop()
        assert (await risk.reserve(account_id, limit())).reserved
        failure = await failure_of(risk.reserve(account_id, limit(), instrument_id=str(uuid.uuid4())))
        assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", "data")
        ShiftedClock.advance_s(10.001)
        refused = await risk.reserve(account_id, limit("99"))
        assert not refused.reserved
        assert refused.result.reference_price_age_ms > 10_000


@pytest.mark.parametrize("fault", ["currency", "unreadable", "gap", "epoch", "effect"])
async def test_a_log_that_cannot_be_trusted_closes_risk(
    postgres_server: EmbeddedPostgres, tmp_path: Path, fault: str
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund("5000")
        order_id = str(uuid.uuid4())
        if fault == "currency":
            risk.execution.append(fill_event(account_id, order_id, "1", "1", currency="EUR"))
        elif fault == "unreadable":
            risk.execution.append(fill_event(account_id, order_id, "a few", "1"))
        elif fault == "effect":
            database = await asyncpg.connect(risk.url)
            await database.execute("ALTER TABLE risk.fill ADD CHECK (price < 20)")
            await database.close()
            risk.execution.append(fill_event(account_id, order_id, "1", "20"))
        elif fault == "gap":
            risk.portfolio.skipped = 5
            risk.portfolio.deposit(account_id, "1")
        else:
            risk.portfolio.epoch = "log-2"
            risk.portfolio.deposit(account_id, "1")

        async def is_closed() -> bool:
            with contextlib.suppress(AssertionError):
                failure = await failure_of(risk.reserve(account_id, limit()))
                return failure.reason == "NOT_CAUGHT_UP" and "trusted" in failure.message
            return False

        await until(is_closed, timeout_s=60)
        assert (await kept(risk))[0][account_id] == 5000


async def test_orders_risk_never_held_for_are_read_over(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        known, unknown = await risk.fund("500"), risk.portfolio.open_account()
        euro = order_event("REJECTED", known, str(uuid.uuid4()), limit(), state="REJECTED")
        euro.order.currency = "EUR"
        await risk.settle(
            euro,
            order_event("SUBMITTED", unknown, str(uuid.uuid4()), limit(), state="PENDING_NEW"),
            order_event("SUBMITTED", known, str(uuid.uuid4()), limit(), state="PENDING_NEW"),
        )
        power = await risk.buying_power(known)
        assert (power.cash, power.reserved) == ("500", "0")


async def test_accounts_of_other_currencies(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund("90000", currency="JPY")
        refused = await risk.reserve(account_id, limit())
        assert not refused.reserved
        assert "JPY" in refused.result.rules[0].message
        # the fee is rounded up to the yen, lot by lot
        assert refused.result.rules[5].value == "1010"


async def test_cash_is_held_lot_by_lot_to_the_cent(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with running_risk(postgres_server, tmp_path, fee_per_share="0.0035") as risk:
        account_id = await risk.fund()
        answer = await risk.reserve(account_id, limit("10.01", "7"))
        assert answer.reserved_cash == "70.14"  # seven times 10.0135, each as 10.02
