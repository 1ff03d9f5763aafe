"""Facts as a request states them; everything wrong with them at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import grpc

from bifrost.data.v1 import fundamental_pb2
from bifrost.data.v1 import fundamental_service_pb2 as pb
from services.data.domain.facts import FACTS, Fact, FactKey, FactPeriod, FactValue, names_like, value_problem
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.listing_rules import Problem
from services.data.instruments.directory import resolve_in
from services.data.instruments.instrument_specs import rows_refusal
from services.runtime.clock import from_timestamp
from services.runtime.currencies import MINOR_UNITS
from services.runtime.errors import ApiError

_MOST_FACTS = 10_000


def read_facts(request: pb.RecordFactsRequest, index: InstrumentIndex, now_ns: int) -> list[tuple[int, Fact]]:
    """(Instrument number, fact) of all; a fact without a publish time was published now.

    Raises:
        ApiError: INVALID_ARGUMENT ROWS_INVALID; RESOURCE_EXHAUSTED FILE_TOO_LARGE.
    """
    count = sum(len(subject.facts) for subject in request.subjects)
    if count > _MOST_FACTS:
        text = f"{count:,} facts are more than {_MOST_FACTS:,}: send them in several requests"
        raise ApiError(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE", text, metadata={"most": str(_MOST_FACTS)}
        )
    facts, wrong = list[tuple[int, Fact]](), list[tuple[str, Problem]]()
    said: dict[tuple[int, FactKey, int], FactValue] = {}
    for place, subject in enumerate(request.subjects):
        row = f"subjects[{place}]."
        try:
            instrument = resolve_in(index, subject.instrument)
        except ApiError as error:
            wrong.append((row, Problem(error.reason, "instrument", error.message)))
            continue
        for number, spec in enumerate(subject.facts):
            fact = _fact(spec, now_ns)
            if not isinstance(fact, Problem):
                key = (instrument.instrument_no, fact.key, fact.publish_time_ns)
                if said.setdefault(key, fact.value) == fact.value:
                    facts.append((instrument.instrument_no, fact))
                    continue
                text = f"{spec.name} is said twice with other values, published at one time"
                fact = Problem("FACT_INVALID", "name", text)
            wrong.append((f"{row}facts[{number}].", fact))
    if wrong:
        raise rows_refusal(wrong)
    return facts


def _fact(spec: fundamental_pb2.FactSpec, now_ns: int) -> Fact | Problem:
    if spec.name not in FACTS:
        near = names_like(spec.name)
        hint = f"; names like it: {', '.join(near)}" if near else ""
        return Problem("FACT_UNKNOWN", "name", f"no fact has the name {spec.name}{hint}")
    if spec.currency and spec.currency not in MINOR_UNITS:
        return Problem("CURRENCY_UNKNOWN", "currency", f"ISO 4217 has no currency {spec.currency}")
    try:
        period_end = date.fromisoformat(spec.period_end)
    except ValueError:
        return Problem("FIELD_INVALID", "period_end", f"{spec.period_end} is no day")
    is_number = spec.WhichOneof("value") == "number"
    fact = Fact(
        FactKey(spec.name, FactPeriod(spec.period), period_end),
        Decimal(spec.number) if is_number else None,
        None if is_number else spec.text,
        spec.currency,
        from_timestamp(spec.publish_time) if spec.HasField("publish_time") else now_ns,
    )
    field, text = value_problem(fact, now_ns=now_ns)
    return Problem("FACT_INVALID", field, text) if text else fact
