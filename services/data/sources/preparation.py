"""From a source's history to bars that may be stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.data.domain.bars import Refusal, SourceBars, validate_bars
from services.data.domain.instrument import Listing
from services.data.domain.splits import Split, derive_splits
from services.data.sources.sessions import NOT_A_SESSION, session_opens_ns
from services.data.sources.source import Source


@dataclass(frozen=True, slots=True)
class PreparedHistory:
    """What of a history may be stored, and what may not."""

    listing: Listing
    bars: SourceBars
    splits: Sequence[Split]
    refusals: Sequence[Refusal]

    @property
    def rows_refused(self) -> int:
        """Bars refused for any reason."""
        return sum(refusal.rows for refusal in self.refusals)

    @property
    def refusal_message(self) -> str:
        """A line for people; empty when no bar was refused."""
        reasons = ", ".join(f"{refusal.rows} {refusal.reason}" for refusal in self.refusals)
        return f"bars refused: {reasons}" if reasons else ""


def prepare(source: Source, symbol: str) -> PreparedHistory:
    """Read, date, check and search for splits. Blocks for long: call it in a thread.

    Raises:
        SymbolUnknownError: the source has no such symbol.
    """
    history = source.read(symbol)
    opens = session_opens_ns(history.listing.mic, history.session_date)
    bars = SourceBars(
        opens,
        history.open,
        history.high,
        history.low,
        history.close,
        history.volume,
        history.adjusted_close,
    )
    in_session = opens != NOT_A_SESSION
    good, refusals = validate_bars(bars.take(in_session))
    if not in_session.all():
        refusals.insert(0, Refusal("not on a trading day", int((~in_session).sum())))
    return PreparedHistory(history.listing, good, derive_splits(good), refusals)
