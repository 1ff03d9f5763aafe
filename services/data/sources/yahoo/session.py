"""One HTTP session for all that yfinance asks: counted, with a deadline, and failing at the first bad answer.

yfinance asks again by itself after a status of 400 or more, with other cookies and a new crumb: up to 28
requests for one symbol that Yahoo refuses with 429. There is no switch for it (`config.network.retries` is
about connections alone), but a session of the caller's is part of its interface. This one raises, so that
yfinance gives up; `retrying` decides whether and when to ask again. A first 401 is left to yfinance: it then
gets a new crumb, which is what helps.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Final
from urllib.parse import urlsplit

from curl_cffi.const import CurlECode
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout

from services.data.domain.ingestion import SymbolError
from services.data.sources.source import Allowance, SourceError

# What is asked for by the beginning of its path, and what its answer is wrapped in.
_WRAPPED: Final = {
    "/v8/finance/chart/": "chart",
    "/v10/finance/quoteSummary/": "quoteSummary",
    "/v7/finance/quote": "quoteResponse",
    "/ws/fundamentals-timeseries/": "timeseries",
}
_MAY_BE_EMPTY: Final = {"timeseries"}
_EARNINGS_PAGE: Final = "/calendar/earnings"
_CUT_SHORT: Final = {CurlECode.PARTIAL_FILE, CurlECode.BAD_CONTENT_ENCODING, CurlECode.WEIRD_SERVER_REPLY}
_TOO_FAR_BACK: Final = ("not available for startTime", "must be within the last")
_NOTHING: Final = ("Data doesn't exist", "No data found", "No fundamentals data found")


class YahooSession(Session[Response]):
    """For fetches one after the other, each begun in its own thread by `begin`."""

    def __init__(self, *, timeout_s: float) -> None:
        super().__init__(impersonate="chrome")
        self._timeout_s = timeout_s
        self._fetch = threading.local()

    def begin(self, allowance: Allowance) -> None:
        """Requests of this thread count for this fetch from now on."""
        self._fetch.allowance = allowance
        self._fetch.refused = 0
        self._fetch.failure = None

    # Any: the arguments are curl_cffi's, handed on.
    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
        """Make a request.

        Raises:
            SourceError: the answer is not one of what was asked for; again, without a request, whatever
                yfinance asks for after that.
        """
        if self._fetch.failure is not None:
            raise self._fetch.failure
        self._fetch.allowance.take()
        kwargs["timeout"] = self._timeout_s
        path = urlsplit(url).path
        if path != _EARNINGS_PAGE and _wrapping(path) is None:
            return super().request(method, url, *args, **kwargs)
        try:
            response = super().request(method, url, *args, **kwargs)
        except RequestException as error:
            self._fetch.failure = _broken(error)
            raise self._fetch.failure from error
        if response.status_code in {401, 403} and not self._fetch.refused:
            self._fetch.refused += 1
            return response
        # Where Yahoo leads to its page of consent yfinance gives it.
        if urlsplit(str(response.url)).path == path:
            try:
                _check(path, response.status_code, response.text, response.headers.get("retry-after"))
            except SourceError as failure:
                self._fetch.failure = failure
                raise
        return response


def _wrapping(path: str) -> str | None:
    return next((name for begin, name in _WRAPPED.items() if path.startswith(begin)), None)


def _broken(error: RequestException) -> SourceError:
    if isinstance(error, Timeout):
        return SourceError(SymbolError.TIMED_OUT, "Yahoo did not answer in time")
    if error.code in _CUT_SHORT:
        return SourceError(SymbolError.ANSWER_MALFORMED, "Yahoo's answer was cut short")
    return SourceError(SymbolError.SOURCE_UNAVAILABLE, f"Yahoo cannot be reached: {type(error).__name__}")


def _check(path: str, status: int, body: str, retry_after: str | None) -> None:
    if status == 429:
        wait_s = float(retry_after) if retry_after and retry_after.isdecimal() else None
        raise SourceError(
            SymbolError.RATE_LIMITED, "Yahoo takes no more requests for now", retry_after_s=wait_s
        )
    if status in {401, 403}:
        raise SourceError(SymbolError.SOURCE_UNAUTHORISED, f"Yahoo refuses the request with status {status}")
    if status >= 500:
        raise SourceError(SymbolError.SOURCE_UNAVAILABLE, f"Yahoo answers with status {status}")
    wrapping = _wrapping(path)
    if wrapping is None:
        _check_page(status, body)
        return
    error = _answer_error(wrapping, status, body)
    if error is None:
        return
    description = str(error.get("description") or error.get("code") or f"status {status}")
    if any(part in description for part in _TOO_FAR_BACK):
        raise SourceError(SymbolError.RANGE_UNAVAILABLE, description)
    if status == 404 and "No fundamentals" not in description:
        raise SourceError(SymbolError.SYMBOL_UNKNOWN, description)
    if any(part in description for part in _NOTHING):
        raise SourceError(SymbolError.ANSWER_EMPTY, description)
    raise SourceError(SymbolError.ANSWER_MALFORMED, f"Yahoo answers: {description}")


def _answer_error(wrapping: str, status: int, body: str) -> dict[str, object] | None:
    """What an answer says is wrong; None when it has a result.

    Raises:
        SourceError: it is something else, or holds nothing.
    """
    try:
        answer = json.loads(body)
        # What is wrong with statements comes wrapped as "finance".
        wrapped = answer[wrapping] if wrapping in answer else answer["finance"]
        error, result = wrapped["error"], wrapped["result"]
    except (ValueError, KeyError, TypeError):
        message = f"Yahoo's answer with status {status} is no {wrapping}: {body[:40]!r}"
        raise SourceError(SymbolError.ANSWER_MALFORMED, message) from None
    if isinstance(error, dict):
        return error
    if not result and not (wrapping in _MAY_BE_EMPTY and result is not None):
        raise SourceError(SymbolError.ANSWER_EMPTY, "Yahoo's answer holds nothing")
    return None if status < 400 else {}


def _check_page(status: int, body: str) -> None:
    """Whether it is the whole page of an earnings calendar; it may hold no table.

    Raises:
        SourceError: ANSWER_MALFORMED.
    """
    page = body.lower()
    if status >= 400 or "</html>" not in page or "earnings" not in page:
        message = f"Yahoo's answer with status {status} is no earnings calendar: {body[:40]!r}"
        raise SourceError(SymbolError.ANSWER_MALFORMED, message)
