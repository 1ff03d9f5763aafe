"""A database of the first landed version, made by its own `bifrost up` and orders, brought to this version.

The dump has all but users and keys: bars from 2012 on, two fills, two orders at rest, two that risk refused.
It was made with pg_dump --no-owner --no-privileges.
"""

from __future__ import annotations

import lzma
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from bifrost.execution.v1.order_service_pb2 import SubmitOrderRequest
from bifrost.type.v1 import order_terms_pb2, value_pb2
from services.execution import tables
from services.execution.domain.order import Order
from services.execution.store import OrderStore
from services.runtime.database import Database, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import ApiError
from services.runtime.idempotency import check_digest, request_digest
from services.runtime.inventory import load_inventory
from services.runtime.testing import new_database

_DUMP = Path(__file__).with_name("first_landing.sql.xz")
_ACCOUNT = "01a22d53-7a01-7b2e-a0ce-a67561e892d4"


@pytest.fixture(scope="module")
async def upgraded(postgres_server: EmbeddedPostgres) -> tuple[str, dict[str, int]]:
    """URL of the database as it is now, and how many rows its tables had before."""
    url = new_database(postgres_server)
    database = urlsplit(url).path.lstrip("/")
    script = lzma.decompress(_DUMP.read_bytes()).decode()
    postgres_server.psql(f"SET ROLE {database};\n{script}", database=database)
    postgres_server.psql("CREATE EXTENSION pg_trgm SCHEMA data", database=database)
    before = await rows_of_tables(url)
    for service in load_inventory().services:
        await migrate(url, schema=service, package=service)
    return url, before


async def rows_of_tables(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    names = await connection.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1::text[])",
        list(load_inventory().services),
    )
    rows = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for (name,) in names}
    await connection.close()
    return rows


async def orders(url: str) -> dict[str, Order]:
    database = await Database.connect(url, schema=tables.SCHEMA)
    found = await OrderStore(database).list_orders(
        _ACCOUNT, before=None, limit=100, state=None, open_only=False, instrument_id=""
    )
    await database.close()
    return {order.request_id: order for order in found}


async def test_no_row_is_lost(upgraded: tuple[str, dict[str, int]]) -> None:
    url, before = upgraded
    after = await rows_of_tables(url)
    assert len(before) > 30
    assert before["data.bar"] > 1_000
    assert before["execution.orders"] == 6
    lost = {name: (rows, after.get(name)) for name, rows in before.items() if after.get(name, 0) < rows}
    assert lost == {}


async def test_what_is_open_is_open(upgraded: tuple[str, dict[str, int]]) -> None:
    url, _ = upgraded
    database = await Database.connect(url, schema=tables.SCHEMA)
    found = await OrderStore(database).load_open()
    await database.close()
    assert [(order.symbol, order.terms.limit_price) for order in found] == [
        ("MSFT", Decimal("27.00")),
        ("GOOG", Decimal("480.50")),
    ]


async def test_a_request_of_before_is_known(upgraded: tuple[str, dict[str, int]]) -> None:
    """A client that had no answer before the upgrade asks again after it."""
    recorded = (await orders(upgraded[0]))["kept"].digest
    request = SubmitOrderRequest(
        account_id=_ACCOUNT,
        request_id="kept",
        instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol="GOOG")),
        terms=order_terms_pb2.OrderTerms(
            side=order_terms_pb2.SIDE_BUY,
            type=order_terms_pb2.ORDER_TYPE_LIMIT,
            time_in_force=order_terms_pb2.TIME_IN_FORCE_GTC,
            quantity="3",
            limit_price="480.50",
        ),
        tag="bifrost order",
    )
    check_digest("kept", first=recorded, again=request_digest(request))
    request.terms.limit_price = "481"
    with pytest.raises(ApiError, match="other content"):
        check_digest("kept", first=recorded, again=request_digest(request))
