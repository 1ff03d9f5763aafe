"""Finding instruments by what someone typed, in SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.instrument_search import InstrumentQuery, Match, MatchReason
from services.data.instruments.instrument_rows import instrument_of

# Share of trigrams two texts must have in common to be alike. Low, for symbols are short: AAPL and APPL share
# a quarter. The best come first and the answer is limited.
_ALIKE_SYMBOLS = 0.25
_ALIKE_NAMES = 0.4
# What is only like the query scores up to this, what begins with it more, the symbol itself 1.
_MOST_FOR_ALIKE = 0.7
# Options of one instrument are many: they come last.
_SCORE_ON_UNDERLYING = 0.1


async def search_instruments(connection: AsyncConnection, query: InstrumentQuery, limit: int) -> list[Match]:
    """Up to ``limit`` instruments by score, then symbol, then market; in a transaction of its own."""
    columns = tables.instruments.c
    found = _search(query).subquery()
    score = sa.case(
        (found.c.reason.in_([int(MatchReason.SYMBOL_EXACT), int(MatchReason.IDENTIFIER)]), 1.0),
        (
            found.c.reason == int(MatchReason.SYMBOL_PREFIX),
            _MOST_FOR_ALIKE + (1 - _MOST_FOR_ALIKE) * len(query.symbol) / sa.func.length(columns.symbol),
        ),
        (found.c.reason == int(MatchReason.FORMER_SYMBOL), _MOST_FOR_ALIKE),
        (found.c.reason == int(MatchReason.UNDERLYING), _SCORE_ON_UNDERLYING),
        else_=_MOST_FOR_ALIKE * sa.func.greatest(found.c.symbol_likeness, found.c.name_likeness),
    ).label("score")
    ranked = (
        sa.select(tables.instruments, score, found.c.reason)
        .join(found, found.c.instrument_no == columns.instrument_no)
        .order_by(score.desc(), columns.symbol, columns.mic)
        .limit(limit)
    )
    # The operators compare with settings, here of this transaction.
    for kind, share in (("similarity", _ALIKE_SYMBOLS), ("word_similarity", _ALIKE_NAMES)):
        setting = sa.func.set_config(f"pg_trgm.{kind}_threshold", str(share), True)
        await connection.execute(sa.select(setting))
    return [_match(row) for row in (await connection.execute(ranked)).mappings()]


def _search(query: InstrumentQuery) -> sa.Select[tuple[object, ...]]:
    """What the query finds: instrument_no, reason, and how like it symbol and name are, from 0 to 1."""
    columns = tables.instruments.c
    name = sa.func.lower(columns.name)
    exact = columns.symbol == query.symbol
    prefix = columns.symbol.startswith(query.symbol, autoescape=True)
    exchanged = columns.symbol.in_(query.with_neighbours_exchanged)
    part = name.contains(query.text, autoescape=True) if query.may_be_part_of_name else sa.false()
    # Operators, for they use the indexes: % is similarity, <% is word_similarity.
    like_symbol = columns.symbol.op("%", is_comparison=True)(query.symbol)
    like_name = (
        sa.literal(query.text).op("<%", is_comparison=True)(name) if query.may_be_like_name else sa.false()
    )
    identifier = sa.or_(columns.isin == query.symbol, columns.figi == query.symbol)
    former = columns.instrument_no.in_(
        sa.select(tables.symbol_periods.c.instrument_no).where(tables.symbol_periods.c.symbol == query.symbol)
    )
    underlying = tables.instruments.alias("underlying").c
    on_it = columns.underlying_id.in_(
        sa.select(underlying.instrument_id).where(underlying.symbol == query.symbol)
    )
    symbol_likeness = sa.case(
        (exchanged, 1 - 1 / len(query.symbol)),
        (like_symbol, sa.func.similarity(columns.symbol, query.symbol)),
        else_=0.0,
    )
    name_likeness = sa.case((part, 1.0), (like_name, sa.func.word_similarity(query.text, name)), else_=0.0)
    is_alike = sa.or_(exchanged, part, like_symbol, like_name)
    reason = sa.case(
        (exact, int(MatchReason.SYMBOL_EXACT)),
        (identifier, int(MatchReason.IDENTIFIER)),
        (prefix, int(MatchReason.SYMBOL_PREFIX)),
        (former, int(MatchReason.FORMER_SYMBOL)),
        (~is_alike, int(MatchReason.UNDERLYING)),
        (symbol_likeness >= name_likeness, int(MatchReason.SYMBOL_SIMILAR)),
        else_=int(MatchReason.NAME_SIMILAR),
    )
    wanted = {columns.mic: query.mic, columns.asset_class: query.asset_class, columns.status: query.status}
    return sa.select(
        columns.instrument_no,
        reason.label("reason"),
        symbol_likeness.label("symbol_likeness"),
        name_likeness.label("name_likeness"),
    ).where(
        sa.or_(exact, identifier, prefix, former, is_alike, on_it),
        *(column == value for column, value in wanted.items() if value),
    )


def _match(row: sa.RowMapping) -> Match:
    return Match(instrument_of(row), float(row["score"]), MatchReason(row["reason"]))
