"""What `bifrost live` and `bifrost quotes` show: what is in progress, old or halted says so."""

import pytest
from rich.console import Console

from bifrost.data.v1 import bar_pb2, indicator_pb2, quote_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.portfolio.v1 import portfolio_pb2
from services.cli.commands.live_bars import _Board, state_of
from services.cli.commands.positions import _print_lines
from services.cli.commands.quotes import _board, _line


def shown(view: object) -> str:
    console = Console(width=160, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


@pytest.mark.parametrize(
    ("bar", "state"),
    [
        (bar_pb2.Bar(closed=True), "closed"),
        (bar_pb2.Bar(), "in progress"),
        (bar_pb2.Bar(stale=True, age_ms=12_400), "old, 12 s"),
    ],
)
def test_the_state_of_a_bar(bar: bar_pb2.Bar, state: str) -> None:
    assert state_of(bar).plain == state


def test_values_of_a_bar_in_progress_are_marked() -> None:
    board = _Board({"id": "AAPL"}, [indicator_pb2.IndicatorSpec(label="sma")], as_json=False, drawn=True)
    assert "waiting" in shown(board.view())
    board.take_bar(bar_pb2.Bar(instrument_id="id", open=1, high=2, low=1, close=1.5))
    for closed, text in ((False, "1.25 …"), (True, "1.25")):
        one = pb.LiveIndicator(label="sma", values=[1.25])
        board.take_values(pb.LiveIndicatorValues(instrument_id="id", closed=closed, indicators=[one]))
        view = shown(board.view())
        assert text in view
        assert "AAPL" in view
        assert ("…" in view) is not closed


def test_each_update_is_a_line_where_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    at_ns = 1_357_137_000_250_000_000
    board = _Board({"id": "AAPL"}, [], as_json=False, drawn=False)
    for volume in (10, 1_234_567):
        board.take_bar(
            bar_pb2.Bar(
                instrument_id="id", open_time_ns=at_ns, open=1, high=2, low=0.1, close=1234.5, volume=volume
            )
        )
    one = pb.LiveIndicator(label="macd", values=[1.25, -0.1])
    board.take_values(
        pb.LiveIndicatorValues(instrument_id="id", open_time_ns=at_ns, closed=True, indicators=[one])
    )
    time = "2013-01-02T14:30:00.250Z"
    assert capsys.readouterr().out == (
        f"AAPL\tbar\tin progress\t{time}\t1\t2\t0.1\t1234.5\t10\n"
        f"AAPL\tbar\tin progress\t{time}\t1\t2\t0.1\t1234.5\t1234567\n"
        f"AAPL\tindicators\tclosed\t{time}\tmacd=1.25,-0.1\n"
    )
    quote = quote_pb2.Quote(
        bid=9.5, ask=10, bid_size=100, ask_size=200, last=9.75, event_time_ns=at_ns, source="venue"
    )
    assert _line("MSFT", quote) == ("MSFT", "live", "100", "9.5", "10", "200", "9.75", time, "venue")


def test_holdings_that_change_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    held = portfolio_pb2.Position(
        symbol="IBM",
        currency="USD",
        quantity="10",
        average_cost="198.1234",
        cost="1981.234",
        mark_price="200.5",
        unrealized_pnl="23.766",
        realized_pnl="0",
        mark_stale=True,
    )
    balance = portfolio_pb2.Balance(currency="USD", cash="1000000.00", realized_pnl="0", fees="1.5")
    _print_lines([held], balance)
    assert capsys.readouterr().out == (
        "position\tIBM\told\t10\t198.1234\t1981.234\t200.50\t23.766\t0.00\n"
        "balance\tUSD\t1000000.00\t\t\t0.00\t\t1.50\n"
    )


def test_quotes_say_their_source_and_whether_they_are_old() -> None:
    quotes = {
        "A": quote_pb2.Quote(source="venue"),
        "B": quote_pb2.Quote(source="spare", stale=True, age_ms=30_000),
        "C": quote_pb2.Quote(source="venue", halted=True),
    }
    view = shown(_board(quotes))
    for text in ("spare", "old, 30 s", "halted", "live"):
        assert text in view
