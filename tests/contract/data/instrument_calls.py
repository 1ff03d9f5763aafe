"""Calls that make, change and read instruments, for tests."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import Any

import grpc

from bifrost.data.v1 import instrument_pb2
from bifrost.data.v1 import instrument_service_pb2 as pb
from bifrost.type.v1 import value_pb2
from tests.contract.data.data_harness import RunningData, failure_of, listed

BAD = grpc.StatusCode.INVALID_ARGUMENT


def spec(symbol: str, **values: Any) -> pb.InstrumentSpec:
    usual: dict[str, Any] = {
        "symbol": symbol,
        "mic": "XNYS",
        "asset_class": instrument_pb2.ASSET_CLASS_EQUITY,
        "currency": "USD",
        "listing_date": "2010-01-04",
    }
    return pb.InstrumentSpec(**(usual | values))


def option(symbol: str = "", **values: Any) -> pb.InstrumentSpec:
    usual: dict[str, Any] = {
        "underlying": listed("AAPL"),
        "expiry_date": "2024-01-19",
        "strike": "150",
        "right": instrument_pb2.OPTION_RIGHT_CALL,
        "multiplier": "100",
        "style": instrument_pb2.EXERCISE_STYLE_AMERICAN,
    }
    terms = pb.OptionSpec(**(usual | values))
    return spec(symbol or "AAPL.X", asset_class=instrument_pb2.ASSET_CLASS_OPTION, option=terms)


async def create(
    data: RunningData, what: pb.InstrumentSpec, request_id: str | None = None
) -> pb.CreateInstrumentResponse:
    request = pb.CreateInstrumentRequest(request_id=request_id or str(uuid.uuid4()), instrument=what)
    return await data.instruments.CreateInstrument(request, metadata=data.headers)


async def make(data: RunningData, what: pb.InstrumentSpec) -> instrument_pb2.Instrument:
    return (await create(data, what)).instrument


async def change(
    data: RunningData,
    held: instrument_pb2.Instrument,
    symbol: str,
    effective: str,
    mic: str = "",
    etag: str = "",
) -> instrument_pb2.Instrument:
    request = pb.ChangeSymbolRequest(
        request_id=str(uuid.uuid4()),
        instrument_id=held.instrument_id,
        symbol=symbol,
        mic=mic,
        effective_date=effective,
        etag=etag or held.etag,
    )
    return (await data.instruments.ChangeSymbol(request, metadata=data.headers)).instrument


async def update(
    data: RunningData, held: instrument_pb2.Instrument, *paths: str, etag: str = "", **values: Any
) -> instrument_pb2.Instrument:
    request = pb.UpdateInstrumentRequest(
        request_id=str(uuid.uuid4()),
        instrument_id=held.instrument_id,
        instrument=pb.InstrumentChange(**values),
        etag=etag or held.etag,
    )
    request.update_mask.paths.extend(paths or values)
    return (await data.instruments.UpdateInstrument(request, metadata=data.headers)).instrument


async def get(data: RunningData, ref: value_pb2.InstrumentRef) -> instrument_pb2.Instrument:
    request = pb.GetInstrumentRequest(instrument=ref)
    return (await data.instruments.GetInstrument(request, metadata=data.reader_headers)).instrument


def on(symbol: str, day: str, mic: str = "") -> value_pb2.InstrumentRef:
    return value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol, mic=mic, on_date=day))


async def refused(call: Awaitable[object]) -> tuple[grpc.StatusCode, str, str]:
    failure = await failure_of(call)
    return failure.code, failure.reason, failure.violations[0][0] if failure.violations else ""


TICKS = [
    instrument_pb2.TickBand(from_price=at, tick_size=tick) for at, tick in (("0", "0.01"), ("10", "0.05"))
]


async def imported(
    data: RunningData, *rows: pb.InstrumentSpec, request_id: str = ""
) -> pb.ImportInstrumentsResponse:
    request = pb.ImportInstrumentsRequest(request_id=request_id or str(uuid.uuid4()), instruments=rows)
    return await data.instruments.ImportInstruments(request, metadata=data.headers)
