"""Every command of a trader, with every option, against a mesh."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import re
import sys
from pathlib import Path

import pexpect
import pytest

from services.cli.commands import logs, orders, positions, quotes
from services.cli.console import out
from services.runtime.waiting import until
from tests.e2e.cli.conftest import Terminal
from tests.e2e.running_mesh import PASSWORD

QUANTITIES = itertools.count(11)
Said = pytest.CaptureFixture[str]


async def open_orders(terminal: Terminal) -> list[str]:
    answer = await terminal.run("order list --open --json")
    return [order["order_id"] for order in answer.document["orders"]]


async def rest(terminal: Terminal, symbol: str = "MSFT") -> str:
    """A working order a tenth below the market, its quantity its own: twins are refused; its id."""
    quote = (await terminal.run(f"quotes {symbol} --count 1 --json")).documents[0]
    line = f"order submit buy {next(QUANTITIES)} {symbol} --limit {quote['bid'] * 0.9:.2f} --tif gtc --json"
    answer = await terminal.run(line)
    assert answer.document["outcome"] == "SUBMIT_OUTCOME_ACCEPTED", answer
    order_id: str = answer.document["order"]["order_id"]
    return order_id


async def test_an_order_becomes_a_position(terminal: Terminal) -> None:
    answer = await terminal.run("order submit BUY 10 ibm")
    assert answer.code == 0
    assert answer.out.startswith("accepted  buy 10 IBM market day\n")

    async def held() -> bool:
        document = (await terminal.run("positions --json")).document
        return any(entry["symbol"] == "IBM" for entry in document["positions"])

    await until(held, timeout_s=60)
    document = (await terminal.run("positions --json --account paper")).document
    for field in ("cash", "equity", "market_value", "fees", "unrealized_pnl"):
        assert re.fullmatch(r"-?\d+\.\d\d", document["balance"][field]), field
    table = (await terminal.run("positions")).out
    assert re.search(r"^IBM +10 +[\d.]+ +[\d,]+\.\d\d ", table, re.MULTILINE)
    assert re.search(r"^99\d,\d{3}\.\d\d ", table, re.MULTILINE)


async def test_the_same_request_id_never_trades_twice(terminal: Terminal) -> None:
    line = "order submit buy 1 FB --tif ioc --request-id once --json"
    first, again = [(await terminal.run(line)).document for _ in range(2)]
    assert again["outcome"] == "SUBMIT_OUTCOME_DUPLICATE"
    assert again["order"]["order_id"] == first["order"]["order_id"]
    other = await terminal.run("order submit buy 2 FB --request-id once --json")
    assert other.document["error"]["reason"] == "REQUEST_ID_REUSED"


async def test_a_refused_order_says_which_rule_and_by_how_much(terminal: Terminal) -> None:
    answer = await terminal.run("order submit sell 5000 GOOG")
    assert answer.code == 1
    assert "rejected  sell 5,000 GOOG market day" in answer.out
    assert re.search(r"^position +5,000 +0 +-5,000 +shares", answer.out, re.MULTILINE)
    document = (await terminal.run("order submit sell 5000 GOOG --json")).document
    assert document["outcome"] == "SUBMIT_OUTCOME_REJECTED"


@pytest.mark.parametrize(
    ("line", "reason", "next_step"),
    [
        ("order submit buy 1 NOPE", "INSTRUMENT_NOT_FOUND", "bifrost quotes"),
        ("order submit buy nan AAPL", "FIELD_INVALID", ""),
        ("order submit buy 1 AAPL --limit 1.001", "PRICE_OFF_TICK", ""),
        ("order cancel 00000000-0000-4000-8000-000000000000", "ORDER_NOT_FOUND", "bifrost order list"),
        ("order cancel ffff", "USAGE", "bifrost order list"),
        ("order list --account nobody", "USAGE", "--account"),
        ("bars NOPE", "INSTRUMENT_NOT_FOUND", "bifrost quotes"),
        ("quotes NOPE", "INSTRUMENT_NOT_FOUND", "bifrost quotes"),
    ],
)
async def test_errors_say_what_to_do_next(terminal: Terminal, line: str, reason: str, next_step: str) -> None:
    answer = await terminal.run(line)
    assert answer.code == 1
    assert answer.err.startswith(reason + "  ")
    assert next_step in answer.err
    error = (await terminal.run(f"{line} --json")).document["error"]
    assert error["reason"] == reason
    assert next_step in error["message"] + error.get("next_step", "")


async def test_an_order_is_cancelled_by_the_start_of_its_id(terminal: Terminal) -> None:
    first, second = await rest(terminal), await rest(terminal)
    shown = (await terminal.run("order list --open")).out
    short = next(word for word in shown.split() if second.startswith(word) and len(word) >= 13)
    assert not first.startswith(short)
    ambiguous = await terminal.run("order cancel", first[:2])
    assert ambiguous.code == 1
    assert first in ambiguous.err
    assert "say more of it" in ambiguous.err
    assert {first, second} <= set(await open_orders(terminal))
    cancelled = await terminal.run("order cancel --json", short)
    assert [order["order_id"] for order in cancelled.document["orders"]] == [second]
    assert first in await open_orders(terminal)
    by_all = await terminal.run("order cancel", first)
    assert "cancelled" in by_all.out
    again = await terminal.run("order cancel", first)
    assert "cancelled" in again.out
    filled = (await terminal.run("order submit buy 7 GOOG --tif ioc --json")).document["order"]["order_id"]

    async def ended() -> bool:
        return filled not in await open_orders(terminal)

    await until(ended, timeout_s=60)
    assert (await terminal.run("order cancel", filled)).err.startswith("ORDER_ENDED")


async def test_all_that_works_is_cancelled(terminal: Terminal) -> None:
    ids = {await rest(terminal), await rest(terminal, "IBM")}
    answer = await terminal.run("order cancel all --json")
    assert answer.code == 0, answer
    assert ids <= {order["order_id"] for order in answer.document["orders"]}

    async def none_left() -> bool:
        return await open_orders(terminal) == []

    await until(none_left, timeout_s=60)


async def test_stops_and_limits_are_listed_as_they_were_typed(terminal: Terminal) -> None:
    await terminal.run("order submit buy 3 MSFT --stop 90 --tif gtc")
    await terminal.run("order submit buy 4 MSFT --stop 90 --limit 91 --tif gtc")
    lines = (await terminal.run("order list -n 2")).out
    assert "buy 3 MSFT stop 90.00 gtc" in lines
    assert "buy 4 MSFT stop 90.00 limit 91.00 gtc" in lines
    await terminal.run("order cancel all")


@pytest.mark.parametrize("width", [80, 100])
async def test_tables_fit_the_terminal(
    terminal: Terminal, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "_width", width)
    await rest(terminal)
    for command in ("order list", "positions", "status", "bars AAPL -n 30", "quotes --count 5"):
        text = (await terminal.run(command)).out
        assert max(len(line) for line in text.splitlines()) <= width, command
        assert "…" not in text, command
    await terminal.run("order cancel all")


async def test_bars_are_a_table_and_a_chart_or_objects(terminal: Terminal) -> None:
    answer = await terminal.run("bars aapl --start 2012-06-01 --end 2012-07-01")
    assert "AAPL 1d, raw" in answer.out
    assert answer.out.count("2012-06-") == 21
    assert "┤" in answer.out
    bars = (await terminal.run("bars AAPL -n 2 --adjustment full --json")).documents
    assert [bar["date"] for bar in bars] == ["2013-02-28", "2013-03-01"]
    assert bars[1]["close"] < 430.47
    before = await terminal.run("bars FB --end 2001-01-01")
    assert (before.code, before.err.split()[0]) == (1, "RANGE_BEFORE_LISTING")


async def test_indicators_are_columns_beside_the_bars(terminal: Terminal) -> None:
    asked = "bars AAPL -n 3 -i sma:timeperiod=2 -i macd --indicator rsi@week"
    bars = (await terminal.run(f"{asked} --json")).documents
    assert [bar["date"] for bar in bars] == ["2013-02-27", "2013-02-28", "2013-03-01"]
    assert bars[2]["sma:timeperiod=2"] == pytest.approx((bars[1]["close"] + bars[2]["close"]) / 2)
    assert bars[2]["macd macdhist"] == pytest.approx(bars[2]["macd macd"] - bars[2]["macd macdsignal"])
    assert bars[0]["rsi@week"] == bars[2]["rsi@week"]
    assert f"{bars[2]['sma:timeperiod=2']:,.2f}" in (await terminal.run(asked)).out
    first = (await terminal.run("bars FB --start 2012-05-18 -n 5000 -i sma:timeperiod=3 --json")).documents
    assert [bar["sma:timeperiod=3"] is None for bar in first[:4]] == [True, True, False, False]
    refused = await terminal.run("bars AAPL -i smaa")
    assert refused.err.startswith("INDICATOR_UNKNOWN")
    assert "an indicator is written" in (await terminal.run("bars AAPL -i sma(20)")).err


async def test_indicators_are_listed_and_explained(terminal: Terminal) -> None:
    assert "ADAPTIVE_SUPERTREND" in (await terminal.run("indicators")).out
    text = (await terminal.run("indicators nadaraya_watson")).out
    for shown in ("bandwidth", "RATIONAL_QUADRATIC, GAUSSIAN", "It can repaint", "window"):
        assert shown in text
    (entry,) = (await terminal.run("indicators sma --json")).documents
    assert entry["parameters"][0]["integer"]["default_value"] == 30
    assert "there is no indicator NOPE" in (await terminal.run("indicators nope")).err


async def test_quotes_come_as_lines_or_as_objects(terminal: Terminal) -> None:
    quotes = (await terminal.run("quotes aapl --count 2 --json")).documents
    assert {quote["symbol"] for quote in quotes} == {"AAPL"}
    assert all(quote["bid"] < quote["ask"] for quote in quotes)
    lines = (await terminal.run("quotes AAPL MSFT --count 4")).out.splitlines()
    assert len(lines) >= 4
    for line in lines:
        symbol, state, bid_size, bid, ask, ask_size, last, time, source = line.split("\t")
        assert (symbol in {"AAPL", "MSFT"}, source) == (True, "venue")
        assert state in {"live", "halted"} or state.startswith("old")
        assert float(bid) < float(ask)
        assert all(float(number) >= 0 for number in (bid_size, ask_size, last))
        assert dt.datetime.fromisoformat(time).tzinfo is not None


async def test_who_reads_a_pipe_may_leave(terminal: Terminal) -> None:
    bifrost, home = Path(sys.executable).with_name("bifrost"), terminal.mesh.launcher.home.root
    for more in ("", "--json"):
        line = f"{bifrost} quotes --home {home} {more} | head -n 1; echo ${{PIPESTATUS[0]}}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        said, complained = await asyncio.wait_for(process.communicate(), 120)
        assert said.decode().splitlines()[1:] == ["141"]
        assert complained == b""


async def test_any_method_can_be_called(terminal: Terminal) -> None:
    answer = await terminal.run("call InstrumentService/ListInstruments", '{"page_size": 2}')
    assert len(answer.document["instruments"]) == 2
    from_stdin = await terminal.run("call InstrumentService/ListInstruments -", stdin='{"page_size": 1}')
    assert len(from_stdin.document["instruments"]) == 1
    refused = await terminal.run("call OrderService/ListOrders --json")
    assert refused.document["error"]["reason"] == "FIELD_INVALID"


async def test_a_stream_is_called_until_its_end(terminal: Terminal) -> None:
    created = await terminal.run(
        "call IngestionService/CreateIngestion",
        json.dumps({"request_id": "by-the-command", "source": "sample"}),
    )
    ingestion = created.document["ingestion"]["ingestion_id"]
    watched = await terminal.run(
        "call IngestionService/WatchIngestion", json.dumps({"ingestion_id": ingestion})
    )
    assert any("ingestion" in message for message in watched.documents)


async def test_logging_in_as_oneself(terminal: Terminal) -> None:
    try:
        wrong = await terminal.run("login alice", stdin="not it at all\n")
        assert wrong.code == 1
        assert wrong.err.startswith("CREDENTIALS_INVALID") or "UNAUTHENTICATED" in wrong.err
        assert "Logged in as alice" in (await terminal.run("login alice", stdin=PASSWORD + "\n")).out
        mine = (await terminal.run("positions --json")).document
        assert mine["balance"]["account_id"] == terminal.mesh.account.account_id
    finally:
        document = (await terminal.run("login --json")).document
    assert document["user_name"] == "admin"
    assert document["access_token"].count(".") == 2


async def test_an_administrator_with_another_password_is_asked_for_it(terminal: Terminal) -> None:
    file = terminal.mesh.launcher.home.admin_password_file
    right = file.read_text()
    try:
        file.write_text("no longer this")
        assert "Logged in as admin" in (await terminal.run("login", stdin=right + "\n")).out
    finally:
        file.write_text(right)


async def test_somebody_without_an_account_is_told(terminal: Terminal) -> None:
    try:
        await terminal.run("login mallory", stdin=PASSWORD + "\n")
        answer = await terminal.run("positions")
        assert "you have no account yet" in answer.err
    finally:
        await terminal.run("login")


async def test_the_shell_is_offered_symbols_and_open_orders(terminal: Terminal) -> None:
    order_id = await rest(terminal)
    offers = {"bifrost quotes A": "AAPL", f"bifrost order cancel {order_id[:4]}": order_id}
    for line, offer in offers.items():
        assert offer in await terminal.complete(line), line
    await terminal.run("order cancel all")


async def test_status_tells_of_health_and_of_restarts(terminal: Terminal) -> None:
    launcher = terminal.mesh.launcher
    before = launcher.processes["data"].restarts
    launcher.processes["data"].kill()
    down = await terminal.run("status --json")
    assert down.code == 1
    entry = next(row for row in down.document["processes"] if row["process"] == "data")
    assert entry["health"] != "SERVING"
    await launcher.wait_serving("data")
    answer = await terminal.run("status --json")
    assert answer.code == 0
    rows = {row["process"]: row for row in answer.document["processes"]}
    assert set(rows) == {*launcher.inventory.services, "envoy", "postgres", "valkey"}
    assert all(row["health"] == "SERVING" and row["memory_mb"] > 0 for row in rows.values())
    assert (rows["data"]["restarts"], rows["data"]["last_exit"]) == (before + 1, "signal 9")
    assert "partitions" in answer.document["bar_storage"]
    table = (await terminal.run("status")).out
    assert f"bars: {answer.document['bar_storage']}" in table
    assert re.search(r"^postgres +SERVING +\d+ +\d+ +\d+ +0", table, re.MULTILINE)


async def test_edge_render_is_what_envoy_runs_with(terminal: Terminal) -> None:
    launcher = terminal.mesh.launcher
    rendered = (await terminal.run("edge render")).document
    running = json.loads((launcher.home.run / "envoy.json").read_text())
    assert rendered["admin"] == running["admin"]
    assert rendered["static_resources"]["clusters"] == running["static_resources"]["clusters"]


def objects(text: str) -> list[str]:
    """Lines that are JSON objects, written anew."""
    return [json.dumps(json.loads(line)) for line in text.splitlines() if line.startswith("{")]


async def test_order_watch_and_the_log_go_through_a_crash_of_execution(
    terminal: Terminal, capsys: Said
) -> None:
    launcher, home = terminal.mesh.launcher, terminal.mesh.launcher.home.root
    lines: list[str] = []
    notes: list[str] = []

    def said() -> str:
        read = capsys.readouterr()
        lines.append(read.out)
        notes.append(read.err)
        return "".join(lines)

    following = asyncio.create_task(
        logs.logs.__wrapped__("execution", home=home, lines=0, follow=True)  # type: ignore[attr-defined]
    )
    watching = asyncio.create_task(orders.watch.__wrapped__(home=home))  # type: ignore[attr-defined]
    as_json = asyncio.create_task(orders.watch.__wrapped__(home=home, as_json=True))  # type: ignore[attr-defined]
    try:
        await until(lambda: "watching paper" in said(), timeout_s=60)
        launcher.processes["execution"].kill()
        await launcher.wait_serving("execution")
        await until(lambda: " serving  service=execution" in said(), timeout_s=60)

        await terminal.submit(next(QUANTITIES))
        await until(
            lambda: re.search(r"  filled +buy \d+ MSFT market ioc .* fee ", said()) is not None, timeout_s=60
        )
        filled = '"type": "ORDER_EVENT_TYPE_FILLED"'
        await until(lambda: any(filled in line for line in objects(said())), timeout_s=60)
    finally:
        for task in (following, watching, as_json):
            task.cancel()
        await asyncio.gather(following, watching, as_json, return_exceptions=True)
    # Two watched; who is told that it goes on was told that it was cut.
    told = "".join(notes)
    assert told.count("The stream is cut") == told.count("The stream goes on") >= 2


async def test_live_views_say_when_what_they_show_is_old(terminal: Terminal, capsys: Said) -> None:
    launcher, home = terminal.mesh.launcher, terminal.mesh.launcher.home.root
    views = [
        asyncio.create_task(positions.positions.__wrapped__(watch=True, home=home)),  # type: ignore[attr-defined]
        asyncio.create_task(positions.positions.__wrapped__(watch=True, home=home, as_json=True)),  # type: ignore[attr-defined]
        asyncio.create_task(quotes.quotes.__wrapped__(symbols=["AAPL"], home=home, as_json=True)),  # type: ignore[attr-defined]
    ]
    lines: list[str] = []
    notes: list[str] = []

    def said() -> str:
        read = capsys.readouterr()
        lines.append(read.out)
        notes.append(read.err)
        return "".join(lines)

    terminals = [in_terminal(terminal, command) for command in ("quotes AAPL MSFT", "positions --watch")]
    try:
        await asyncio.gather(
            asyncio.to_thread(terminals[0].expect, r"AAPL .* live"),
            asyncio.to_thread(terminals[1].expect, "balance in USD"),
        )
        await until(lambda: '"snapshot"' in said() and '"symbol": "AAPL"' in said(), timeout_s=60)
        launcher.processes["portfolio"].kill()
        launcher.processes["data"].kill()
        await asyncio.gather(*(asyncio.to_thread(shown.expect, "The stream is cut") for shown in terminals))
        await asyncio.gather(launcher.wait_serving("portfolio"), launcher.wait_serving("data"))
        await asyncio.gather(*(asyncio.to_thread(goes_on, shown) for shown in terminals))
        lines.clear()
        await until(lambda: '"balance"' in said() and '"symbol": "AAPL"' in said(), timeout_s=60)
    finally:
        for view in views:
            view.cancel()
        await asyncio.gather(*views, return_exceptions=True)
    assert "\nbalance\tUSD\t" in said()
    # The three that are no terminals.
    told = "".join(notes)
    assert told.count("The stream is cut") >= 3
    assert told.count("The stream goes on") >= 3
    await asyncio.gather(*(asyncio.to_thread(ctrl_c_ends, shown) for shown in terminals))


def in_terminal(terminal: Terminal, command: str) -> pexpect.spawn:
    """A command in a pseudo-terminal of its own."""
    return pexpect.spawn(
        str(Path(sys.executable).with_name("bifrost")),
        [*command.split(), "--home", str(terminal.mesh.launcher.home.root)],
        dimensions=(30, 100),
        encoding="utf-8",
        codec_errors="replace",  # the terminal echoes ^C in the middle of a character
        timeout=60,
    )


def goes_on(shown: pexpect.spawn) -> None:
    """Wait until the view is drawn without its warning: every drawing begins with the title."""
    while True:
        shown.expect(r"(quotes \(generated|balance in USD)")
        shown.expect(r"(quotes \(generated|balance in USD)")
        if "The stream is cut" not in shown.before:
            return


def ctrl_c_ends(shown: pexpect.spawn) -> None:
    """Ctrl-C ends the view quietly, with the exit code of an interrupt and the cursor given back."""
    shown.sendintr()
    shown.expect(pexpect.EOF)
    last = shown.before
    shown.close()
    assert shown.exitstatus == 130, last
    assert "Traceback" not in last
    assert last.rfind("\x1b[?25h") > last.rfind("\x1b[?25l")
