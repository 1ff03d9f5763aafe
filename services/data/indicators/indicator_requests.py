"""Which indicators a request asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import grpc

from bifrost.data.v1 import indicator_pb2
from services.data.convert_indicators import asked
from services.data.domain.bars import BarInterval
from services.data.indicators.selection import Problem, Selection, select
from services.runtime.errors import ApiError


async def requested_selections(
    specs: Iterable[indicator_pb2.IndicatorSpec], interval: BarInterval
) -> list[Selection]:
    """The indicators over bars of ``interval``; ApiError INVALID_ARGUMENT naming every bad field."""
    selections, problems = await asyncio.to_thread(select, [asked(spec) for spec in specs], interval)
    if problems:
        raise _refusal(problems)
    return selections


def _refusal(problems: Sequence[Problem]) -> ApiError:
    """The first problem's reason, and every bad field."""
    first = problems[0]
    return ApiError(
        grpc.StatusCode.INVALID_ARGUMENT,
        first.reason,
        first.message,
        metadata=first.metadata,
        violations=[(problem.field, problem.message) for problem in problems],
    )
