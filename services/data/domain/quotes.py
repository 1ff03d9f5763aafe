"""The present quotes, and when they are too old to trade on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask of an instrument; prices in its currency, sizes in shares, 0 where there is none."""

    instrument_id: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    event_time_ns: int
    """Market time, nanoseconds since the epoch, UTC."""
    receive_time_ns: int
    """Wall clock, nanoseconds since the epoch, UTC."""
    is_open: bool
    """Whether a session goes on: as long as it does, a source that is alive confirms the quote by silence."""
    source: str = ""
    """The name of the source it came from."""
    is_halted: bool = False
    """Whether trading is halted within its session."""
    is_stale: bool = False


class QuoteBoard:
    """The newest quote of each instrument.

    A quote is stale when nothing was heard for longer than the limit: of the source, as long as the
    instrument's session goes on; of the instrument itself after that, for then the source's signs of life say
    nothing about it. Times are wall clock, nanoseconds since the epoch, UTC.
    """

    def __init__(self, *, stale_after_ns: int) -> None:
        self._stale_after_ns = stale_after_ns
        self._quotes: dict[str, Quote] = {}
        self._heard_ns = 0

    def get(self, instrument_id: str, now_ns: int) -> Quote | None:
        """The present quote, its staleness as of now."""
        quote = self._quotes.get(instrument_id)
        return None if quote is None else replace(quote, is_stale=self._is_stale(quote, now_ns))

    @property
    def instrument_ids(self) -> Collection[str]:
        """Of all present quotes."""
        return self._quotes.keys()

    def __iter__(self) -> Iterator[Quote]:
        """All present quotes; their staleness as last told of."""
        return iter(self._quotes.values())

    def has_been_silent(self, now_ns: int) -> bool:
        """Whether nothing at all was heard for longer than the limit."""
        return now_ns - self._heard_ns > self._stale_after_ns

    def update(self, quote: Quote) -> None:
        """A new quote came; it is fresh."""
        self._quotes[quote.instrument_id] = quote

    def close_others(self, instrument_ids: Collection[str]) -> None:
        """The source has these instruments only: of all others no session goes on."""
        for quote in list(self._quotes.values()):
            if quote.is_open and quote.instrument_id not in instrument_ids:
                self._quotes[quote.instrument_id] = replace(quote, is_open=False)

    def heard(self, now_ns: int) -> None:
        """The source said something, if only that it is alive."""
        self._heard_ns = now_ns

    def turned(self, now_ns: int) -> list[Quote]:
        """The quotes that went stale, or are fresh again, since they were last told of."""
        changed = [
            replace(quote, is_stale=not quote.is_stale)
            for quote in self._quotes.values()
            if self._is_stale(quote, now_ns) != quote.is_stale
        ]
        self._quotes.update((quote.instrument_id, quote) for quote in changed)
        return changed

    def _is_stale(self, quote: Quote, now_ns: int) -> bool:
        heard_ns = max(self._heard_ns, quote.receive_time_ns) if quote.is_open else quote.receive_time_ns
        return now_ns - heard_ns > self._stale_after_ns
