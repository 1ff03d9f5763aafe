"""Rows are changed only from the version they were read at, and survive the way there and back whole."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.execution import tables
from services.execution.domain import lifecycle
from services.execution.domain.order import Order, OrderState
from services.execution.store import OrderStore, StaleOrderError
from services.runtime.database import Database, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.unit.execution.orders import AT_NS, execution, in_state, new_order


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    await migrate(postgres_url, schema=tables.SCHEMA, package="execution")
    database = await Database.connect(postgres_url, schema=tables.SCHEMA)
    yield database
    await database.close()


def named(order: Order, name: str) -> Order:
    return dataclasses.replace(order, order_id=name, request_id=name)


async def insert(database: Database, *orders: Order) -> OrderStore:
    store = OrderStore(database)
    async with database.open_transaction() as transaction:
        await store.insert_orders(transaction.driver, orders)
        await transaction.commit()
    return store


@pytest.mark.parametrize("state", list(OrderState))
async def test_an_order_comes_back_as_it_was_written(database: Database, state: OrderState) -> None:
    written = dataclasses.replace(named(in_state(state), f"back-{state}"), execution_ids=frozenset())
    store = await insert(database, written)
    assert (await store.find_orders([written.order_id]))[written.order_id] == written
    assert (written in await store.load_open()) == (written.state.name not in ENDED)


ENDED = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}


async def test_a_stale_change_is_refused_and_undoes_those_beside_it(database: Database) -> None:
    first, second = named(in_state(OrderState.ACCEPTED), "s1"), named(in_state(OrderState.ACCEPTED), "s2")
    store = await insert(database, first, second)
    changed = [lifecycle.cancel(order, "", at_ns=AT_NS).order for order in (first, second)]
    versions = [first.version, second.version - 1]
    async with database.open_transaction() as transaction:
        with pytest.raises(StaleOrderError):
            await store.update_orders(transaction.driver, changed, versions)
    assert {order.state for order in (await store.find_orders(["s1", "s2"])).values()} == {
        OrderState.ACCEPTED
    }


async def test_an_execution_is_recorded_once_whatever_the_cursor_says(database: Database) -> None:
    order = named(lifecycle.submit_order(new_order()).order, "once")
    store = await insert(database, order)
    for fill_id in ("f1", "f2"):
        fill = lifecycle.apply_fill(order, execution(1), fill_id, at_ns=AT_NS).events[-1].fill
        assert fill is not None
        async with database.open_transaction() as transaction:
            if fill_id == "f2":
                with pytest.raises(asyncpg.UniqueViolationError):
                    await store.insert_fills(transaction.driver, [fill])
            else:
                await store.insert_fills(transaction.driver, [fill])
                await transaction.commit()
    assert (await store.find_orders(["once"]))["once"].execution_ids == {"x1"}


async def test_one_request_id_makes_one_order(database: Database) -> None:
    order = named(new_order(), "unique")
    await insert(database, order)
    with pytest.raises(asyncpg.UniqueViolationError):
        await insert(database, dataclasses.replace(order, order_id="another"))


async def test_the_migration_makes_what_the_tables_say(database: Database) -> None:
    async with database.raw() as driver:
        rows = await driver.fetch(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns "
            "WHERE table_schema = $1",
            tables.SCHEMA,
        )
        indexes = await driver.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = $1", tables.SCHEMA)
    there = {(row["table_name"], row["column_name"], row["is_nullable"] == "YES") for row in rows}
    declared = {
        (table.name, column.name, column.nullable)
        for table in tables.metadata.tables.values()
        for column in table.columns
    }
    assert declared == {entry for entry in there if entry[0] != "alembic_version"}
    wanted = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
    assert wanted <= {row["indexname"] for row in indexes}


async def test_finding_a_request_reads_no_other_orders(database: Database) -> None:
    """Also by a plan that was made when the table was new, which stays until statistics are there."""
    store = await insert(database, *(named(new_order(), f"crowd-{n}") for n in range(50)))
    assert set(await store.find_by_request(new_order().account_id, ["crowd-7", "none", "crowd-9"])) == {
        "crowd-7",
        "crowd-9",
    }
    async with database.raw() as driver:
        plan = await driver.fetch(f"EXPLAIN (GENERIC_PLAN) {store._sql.by_request}", [])
    assert "\n".join(line for (line,) in plan).count("uq_orders_request") == 1


async def test_an_event_of_an_open_order_writes_to_no_index(postgres_server: EmbeddedPostgres) -> None:
    url = new_database(postgres_server)
    await migrate(url, schema=tables.SCHEMA, package="execution")
    database = await Database.connect(url, schema=tables.SCHEMA)
    pending = lifecycle.submit_order(new_order()).order
    store = await insert(database, pending)
    accepted = lifecycle.accept(pending, at_ns=AT_NS).order
    ended = lifecycle.cancel(accepted, "", at_ns=AT_NS).order
    for before, after in ((pending, accepted), (accepted, ended)):
        async with database.open_transaction() as transaction:
            await store.update_orders(transaction.driver, [after], [before.version])
            await transaction.commit()
    async with database.raw() as driver:
        await driver.execute("SELECT pg_stat_force_next_flush()")
        updates = await driver.fetchrow(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'orders'"
        )
    await database.close()
    assert tuple(updates) == (2, 1)  # the one that ends it leaves the index of open orders
