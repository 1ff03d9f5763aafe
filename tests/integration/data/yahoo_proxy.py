"""A proxy that ends TLS by a test's own authority and answers for Yahoo, faults included."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import trustme

HOSTS = (
    "fc.yahoo.com",
    "finance.yahoo.com",
    "query1.finance.yahoo.com",
    "query2.finance.yahoo.com",
    "guce.yahoo.com",
)
_FACTS = (
    "/v10/finance/quoteSummary/",
    "/v7/finance/quote",
    "/ws/fundamentals-timeseries/",
    "/calendar/earnings",
)
SPLITTING = "AAPL"
"""Its chart has a split and a dividend."""


_KINDS = {"quoteSummary": "quoteSummary", "quote": "quote", "fundamentals-timeseries": "timeseries"}


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: tuple[str, ...] = ()
    cut: bool = False
    """The body ends before its length."""
    reset: bool = False
    """The connection breaks in the middle of the body."""
    hold: bool = False
    """Nothing is answered until the proxy closes."""


@dataclass
class YahooProxy:
    """Serves in threads; `faults` says by symbol what its charts are answered with, and when."""

    folder: Path
    faults: dict[str, Callable[[bool], Answer | None]] = field(default_factory=dict)
    """Called with whether it is the question for the time zone."""
    charts: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Callable[[dict[str, list[str]]], bytes]] = field(default_factory=dict)
    """Instead of `charts`, by the query."""
    facts: dict[str, Callable[[str, dict[str, list[str]]], Answer]] = field(default_factory=dict)
    """By symbol: called with "quoteSummary", "quote", "timeseries" or "earnings", and the query."""
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by symbol, and by path for others."""
    queries: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        authority = trustme.CA()
        self.ca_file = self.folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self._tls)
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Let yfinance of this process go through it."""
        patch.setenv("HTTPS_PROXY", self.url)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            patch.setenv(name, str(self.ca_file))
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            patch.delenv(name, raising=False)

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                _head(connection)
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    while (head := _head(secure)) and self._answer(secure, head):
                        pass
        except OSError:
            return

    def _answer(self, secure: ssl.SSLSocket, head: str) -> bool:
        """Answer a request; False when the connection ends with it."""
        target = urlsplit(head.split(" ", 2)[1])
        answer = self._answer_to(unquote(target.path), parse_qs(target.query))
        if answer.hold:
            self._closing.wait(30)
            return False
        length = len(answer.body) + (100 if answer.cut or answer.reset else 0)
        lines = (f"HTTP/1.1 {answer.status} X", f"Content-Length: {length}", *answer.headers, "", "")
        secure.sendall("\r\n".join(lines).encode() + answer.body)
        if answer.cut:
            secure.settimeout(1)
            secure.unwrap()
        return not (answer.cut or answer.reset)

    def _answer_to(self, path: str, query: dict[str, list[str]]) -> Answer:
        prefix = "/v8/finance/chart/"
        if path.startswith(_FACTS):
            kind = next(part for part in path.split("/")[1:] if part in _KINDS or part == "earnings")
            symbol = (query.get("symbol") or query.get("symbols") or [""])[0]
            self.asked[f"{symbol} {_KINDS.get(kind, kind)}"] += 1
            return self.facts[symbol](_KINDS.get(kind, kind), query)
        if not path.startswith(prefix):
            self.asked[path] += 1
            if path.endswith("getcrumb"):
                return Answer(body=b"crumb123")
            return Answer(404 if path == "/" else 200, b"<html></html>")
        symbol = path.removeprefix(prefix)
        self.asked[symbol] += 1
        self.queries.append((symbol, query))
        fault = self.faults.get(symbol)
        answer = fault("range" in query) if fault else None
        if answer is not None:
            return answer
        if symbol not in self.charts:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Answer(404, json.dumps({"chart": {"result": None, "error": error}}).encode())
        made = self.answers.get(symbol)
        body = self.charts[symbol] if made is None or "range" in query else made(query)
        return Answer(body=body, headers=("Content-Type: application/json",))


def _head(connection: socket.socket) -> str:
    """The lines of a request up to the empty one; empty when none comes."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            return ""
        got += piece
    return got.decode()


Row = tuple[int, float | None, float | None, float | None, float | None, float | None, int | None]


def chart(
    symbol: str,
    rows: Sequence[Row],
    *,
    splits: Sequence[tuple[int, int, int]] = (),
    dividends: Sequence[tuple[int, float]] = (),
    **meta: object,
) -> bytes:
    """Yahoo's answer with rows of (time in s, open, high, low, close, adjusted close, volume)."""
    columns: list[tuple[object, ...]] = list(zip(*rows, strict=True)) or [()] * 7
    quote = {
        name: list(columns[place]) for name, place in (("open", 1), ("high", 2), ("low", 3), ("close", 4))
    }
    events: dict[str, object] = {}
    if splits:
        events["splits"] = {
            str(at): {"date": at, "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
            for at, new, old in splits
        }
    if dividends:
        events["dividends"] = {str(at): {"date": at, "amount": amount} for at, amount in dividends}
    described = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": "EQUITY",
        "firstTradeDate": 345479400,
        "gmtoffset": -14400,
        "timezone": "EDT",
        "exchangeTimezoneName": "America/New_York",
        "longName": f"{symbol} Inc.",
        "priceHint": 2,
        "validRanges": ["1d", "5d", "1mo", "max"],
        **meta,
    }
    if not rows:  # as Yahoo says that there are none
        empty = {"meta": described, "indicators": {"quote": [{}], "adjclose": [{}]}}
        return json.dumps({"chart": {"result": [empty], "error": None}}).encode()
    result = {
        "meta": described,
        "timestamp": list(columns[0]),
        "events": events,
        "indicators": {
            "quote": [{**quote, "volume": list(columns[6])}],
            "adjclose": [{"adjclose": list(columns[5])}],
        },
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()
