"""What the venue asks of other services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import grpc
from google.protobuf.json_format import MessageToDict

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1.bar_pb2 import ADJUSTMENT_RAW, BAR_INTERVAL_DAY
from bifrost.data.v1.bar_service_pb2 import ListBarsRequest
from bifrost.data.v1.bar_service_pb2_grpc import BarServiceStub
from bifrost.data.v1.instrument_service_pb2 import ListInstrumentsRequest, ListSplitsRequest
from bifrost.data.v1.instrument_service_pb2_grpc import InstrumentServiceStub
from bifrost.identity.v1.token_service_pb2 import GetJwksRequest
from bifrost.identity.v1.token_service_pb2_grpc import TokenServiceStub
from bifrost.portfolio.v1.portfolio_service_pb2 import GetAccountRequest
from bifrost.portfolio.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.runtime.channel import Mesh
from services.runtime.clock import to_timestamp
from services.runtime.decimals import from_double

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """An instrument as data knows it: prices in `currency`, tick bands as (first price, tick)."""

    instrument_id: str
    symbol: str
    currency: str
    tick_bands: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class ObservedBar:
    """A raw daily bar as data holds it: decimals in their shortest form."""

    session_date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class MarketHistory(Protocol):
    """Where the real bars come from."""

    async def instruments(self) -> list[ListedInstrument]:
        """All instruments that can be traded, by symbol. AioRpcError when data is away."""
        ...

    async def daily_bars(self, instrument_id: str, start: date, end: date) -> list[ObservedBar]:
        """Raw daily bars from `start` to `end`, both included, oldest first; the same errors."""
        ...

    async def split_dates(self, instrument_id: str) -> list[date]:
        """First sessions in a new count of shares, oldest first; the same errors."""
        ...


class DataClient:
    """data's instruments and bars over the mesh."""

    def __init__(self, mesh: Mesh, *, timeout_s: float) -> None:
        self._mesh = mesh
        self._timeout_s = timeout_s

    async def instruments(self) -> list[ListedInstrument]:
        """All instruments that can be traded, by symbol."""
        stub = InstrumentServiceStub(self._mesh.channel("data"))
        found: list[ListedInstrument] = []
        token = ""
        while True:
            request = ListInstrumentsRequest(page_size=1000, page_token=token)
            page = await stub.ListInstruments(request, timeout=self._timeout_s)
            found += [
                ListedInstrument(each.instrument_id, each.symbol, each.currency, _tick_bands(each))
                for each in page.instruments
                if each.asset_class != instrument_pb2.ASSET_CLASS_INDEX
            ]
            token = page.next_page_token
            if not token:
                return found

    async def daily_bars(self, instrument_id: str, start: date, end: date) -> list[ObservedBar]:
        """Raw daily bars from `start` to `end`, both included, oldest first; none when data holds none."""
        stub = BarServiceStub(self._mesh.channel("data"))
        bars: list[ObservedBar] = []
        token = ""
        while True:
            request = ListBarsRequest(
                instrument=InstrumentRef(instrument_id=instrument_id),
                interval=BAR_INTERVAL_DAY,
                start_time=to_timestamp(_midnight_ns(start)),
                end_time=to_timestamp(_midnight_ns(end + timedelta(days=1))),
                adjustment=ADJUSTMENT_RAW,
                page_token=token,
            )
            try:
                page = await stub.ListBars(request, timeout=self._timeout_s)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return bars
                raise
            columns = page.bars
            bars += [
                ObservedBar(
                    datetime.fromtimestamp(columns.open_time_ns[row] // _SECOND_NS, UTC).date(),
                    from_double(columns.open[row]),
                    from_double(columns.high[row]),
                    from_double(columns.low[row]),
                    from_double(columns.close[row]),
                    from_double(columns.volume[row]),
                )
                for row in range(len(columns.open_time_ns))
            ]
            token = page.next_page_token
            if not token:
                return bars

    async def split_dates(self, instrument_id: str) -> list[date]:
        """First sessions in a new count of shares, oldest first."""
        stub = InstrumentServiceStub(self._mesh.channel("data"))
        request = ListSplitsRequest(instrument=InstrumentRef(instrument_id=instrument_id))
        reply = await stub.ListSplits(request, timeout=self._timeout_s)
        return [date.fromisoformat(split.ex_date) for split in reply.splits]


def _tick_bands(message: instrument_pb2.Instrument) -> tuple[tuple[Decimal, Decimal], ...]:
    if not message.tick_bands:
        return ((Decimal(0), Decimal(message.tick_size)),)
    return tuple((Decimal(band.from_price), Decimal(band.tick_size)) for band in message.tick_bands)


class Clients:
    """Calls to identity and portfolio over the mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    async def account_owner(self, account_id: str) -> str | None:
        """The user who owns an account, as portfolio says; None when it is not there or not the caller's."""
        stub = PortfolioServiceStub(self._mesh.channel("portfolio"))
        try:
            response = await stub.GetAccount(GetAccountRequest(account_id=account_id))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return response.account.owner_user_id or None

    async def user_keys(self) -> Mapping[str, object]:
        """identity's public keys, as a JWKS document."""
        stub = TokenServiceStub(self._mesh.channel("identity"))
        return dict(MessageToDict(await stub.GetJwks(GetJwksRequest())))


def _midnight_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * _SECOND_NS
