"""A quote nobody confirms is stale."""

from services.data.domain.quotes import Quote, QuoteBoard

SECOND = 10**9
LIMIT = 10 * SECOND


def quote(name: str, receive_time_ns: int, *, is_open: bool = True) -> Quote:
    return Quote(name, 1, 1, 2, 1, 1.5, 77, receive_time_ns, is_open)


def board(*quotes: Quote) -> QuoteBoard:
    made = QuoteBoard(stale_after_ns=LIMIT)
    for one in quotes:
        made.update(one)
        made.heard(one.receive_time_ns)
    return made


def stale(made: QuoteBoard, now_ns: int) -> list[tuple[str, bool]]:
    return [(one.instrument_id, one.is_stale) for one in made.turned(now_ns)]


def test_silence_makes_every_quote_stale_once() -> None:
    made = board(quote("a", 0), quote("b", SECOND))
    assert stale(made, SECOND + LIMIT) == []
    assert stale(made, SECOND + LIMIT + 1) == [("a", True), ("b", True)]
    assert stale(made, SECOND + LIMIT + 2) == []


def test_a_living_source_confirms_the_quotes_of_open_sessions_only() -> None:
    made = board(quote("open", 0), quote("closed", 0, is_open=False))
    made.heard(20 * SECOND)
    assert stale(made, 21 * SECOND) == [("closed", True)]


def test_a_word_after_silence_confirms_again() -> None:
    made = board(quote("a", 0))
    assert stale(made, 11 * SECOND) == [("a", True)]
    made.heard(12 * SECOND)
    assert stale(made, 12 * SECOND) == [("a", False)]


def test_a_new_quote_is_fresh() -> None:
    made = board(quote("a", 0))
    stale(made, 11 * SECOND)
    made.update(quote("a", 12 * SECOND))
    assert stale(made, 12 * SECOND) == []
    got = made.get("a", 12 * SECOND)
    assert got is not None
    assert not got.is_stale


def test_staleness_is_as_of_the_question() -> None:
    made = board(quote("a", 0))
    asked = [made.get("a", now) for now in (LIMIT, LIMIT + 1)]
    assert [got.is_stale for got in asked if got is not None] == [False, True]
    assert made.get("b", 0) is None


def test_an_instrument_the_source_no_longer_has_goes_stale() -> None:
    made = board(quote("a", 0), quote("b", 0))
    made.close_others({"b"})
    made.heard(20 * SECOND)
    assert stale(made, 20 * SECOND) == [("a", True)]
