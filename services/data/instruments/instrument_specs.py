"""What is stated of an instrument, checked against all that is held; everything wrong with it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import grpc

from bifrost.type.v1 import value_pb2
from services.data.domain.instrument import Listing
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.listing_rules import Problem, listing_problems
from services.data.instruments.directory import resolve_in
from services.runtime.errors import ApiError

_FIELD = "FIELD_INVALID"
_CODES = {
    "INSTRUMENT_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "INSTRUMENT_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
}


@dataclass(frozen=True, slots=True)
class StatedListing:
    """A listing as stated."""

    listing: Listing | None
    """None when there are problems; the terms of a contract do not know the underlying's id yet."""
    problems: Sequence[Problem]
    underlying: value_pb2.InstrumentRef | None
    """Of an option or a future."""
    underlying_field: str = ""


def checked_listing(stated: StatedListing, index: InstrumentIndex) -> tuple[Listing | None, list[Problem]]:
    """The listing with its underlying found, and what is wrong with it alone; None when it cannot be read."""
    listing, problems = stated.listing, list(stated.problems)
    if stated.underlying is not None:
        try:
            underlying = resolve_in(index, stated.underlying, field=stated.underlying_field)
        except ApiError as error:
            where = error.violations[0][0] if error.violations else stated.underlying_field
            problems.append(Problem(error.reason, where, error.message))
        else:
            if listing is not None and listing.contract is not None:
                terms = replace(listing.contract, underlying_id=underlying.instrument_id)
                listing = replace(listing, contract=terms)
    if problems or listing is None:
        return None, problems
    return listing, listing_problems(listing)


def refusal(problems: Sequence[Problem], *, within: str = "") -> ApiError:
    """The error of one instrument; its reason is that of its problems when they share one."""
    reason = problems[0].reason if len({one.reason for one in problems}) == 1 else _FIELD
    whose = next((one.instrument_id for one in problems if one.instrument_id), "")
    return ApiError(
        _CODES.get(reason, grpc.StatusCode.INVALID_ARGUMENT),
        reason,
        "; ".join(f"{one.field}: {one.text}" for one in problems[:5]),
        metadata={"instrument_id": whose} if whose else {},
        violations=[(f"{within}{one.field}", one.text) for one in problems],
    )


def rows_refusal(rows: Sequence[tuple[str, Problem]]) -> ApiError:
    """The error of a batch: (the row's field, its problem)."""
    first, problem = rows[0]
    return ApiError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "ROWS_INVALID",
        f"{len(rows)} problems, nothing was stored; the first: {first}{problem.field}: {problem.text}",
        metadata={"problems": str(len(rows))},
        violations=[(f"{row}{one.field}", f"{one.reason}: {one.text}") for row, one in rows[:1000]],
    )
