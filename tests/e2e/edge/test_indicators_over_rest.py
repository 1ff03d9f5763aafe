"""Indicators as curl asks for them."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.e2e.edge.calls import Caller, Json
from tests.e2e.edge.world import AAPL, World

COMPUTE = "data.v1.IndicatorService/ComputeIndicators"
STREAM = "data.v1.IndicatorService/StreamIndicators"


def request(*specs: Json, instrument: Json = AAPL) -> Json:
    return {
        "instrument": instrument,
        "interval": "BAR_INTERVAL_DAY",
        "start_time": "2012-01-01T00:00:00Z",
        "end_time": "2012-02-01T00:00:00Z",
        "indicators": list(specs),
    }


SMA: Json = {"name": "SMA", "parameters": {"timeperiod": 20}}
RSI: Json = {"label": "weekly", "name": "RSI", "interval": "BAR_INTERVAL_WEEK"}
BANDS: Json = {"name": "BBANDS", "parameters": {"matype": "EMA", "nbdevup": 2.5}}


@pytest.mark.parametrize("by_id", [False, True], ids=["by symbol", "by id"])
async def test_rest_answers_what_grpc_does(world: World, caller: Caller, by_id: bool) -> None:
    found = await world.ask("data.v1.InstrumentService/GetInstrument", {"instrument": AAPL})
    instrument = {"instrument_id": found["instrument"]["instrument_id"]} if by_id else AAPL
    asked = request(SMA, RSI, BANDS, instrument=instrument)
    over_grpc = await caller.grpc(COMPUTE, asked, world.headers("alice"))
    over_rest = await caller.rest(COMPUTE, asked, world.headers("alice"))
    assert over_rest.http == 200
    assert [one["label"] for one in over_rest.reply["indicators"]] == ["SMA", "weekly", "BBANDS"]
    assert len(over_rest.reply["open_time_ns"]) == 20
    for ours, theirs in zip(over_rest.reply["indicators"], over_grpc.reply["indicators"], strict=True):
        for output, expected in zip(ours["outputs"], theirs["outputs"], strict=True):
            assert output["values"] == pytest.approx(expected["values"], rel=1e-12)


async def test_a_bad_parameter_is_the_same_error(world: World, caller: Caller) -> None:
    asked = request(SMA, {"name": "RSI", "parameters": {"timeperiod": "long"}})
    over_grpc = await caller.grpc(COMPUTE, asked, world.headers("alice"))
    over_rest = await caller.rest(COMPUTE, asked, world.headers("alice"))
    assert over_rest.http == 400
    assert over_rest.content == over_grpc.content
    assert over_rest.reason == "INDICATOR_PARAMETER_INVALID"
    assert [field for field, _ in over_rest.violations] == ["indicators[1].parameters.timeperiod"]


async def test_a_stream_is_lines_of_json(world: World) -> None:
    asked = request({"name": "SMA", "parameters": {"timeperiod": 3}})
    del asked["start_time"], asked["end_time"]
    headers = world.headers("alice") | {"accept": "application/x-ndjson"}
    async with httpx.AsyncClient(base_url=world.mesh.url) as http:
        response = await http.post("/v1/indicators:stream", json=asked, headers=headers)
    assert response.status_code == 200
    parts = [json.loads(line) for line in response.text.splitlines() if line.strip()]
    values = [value for part in parts for value in part["indicators"][0]["outputs"][0]["values"]]
    assert len(values) == sum(len(part["open_time_ns"]) for part in parts) == 3270
    assert values[:2] == ["NaN", "NaN"]
    assert isinstance(values[2], float)


async def test_the_catalogue_is_a_plain_get(world: World, caller: Caller) -> None:
    path = "/v1/indicators?group=Smart%20Trader"
    answer = await caller.http("GET", path, None, world.headers("alice"))
    assert len(answer.reply["indicators"]) == 8
