"""Bifrost Trader from Python: bars, indicators and quotes as frames and iterators.

from bifrost_sdk import Client

with Client("http://127.0.0.1:8080", token=token) as client:
    client.bars("AAPL", start="2012-01-01", adjustment="full").to_polars()
"""

from bifrost_sdk.aio import AsyncClient
from bifrost_sdk.client import Client
from bifrost_sdk.errors import (
    AbortedError,
    BarsNotFoundError,
    BifrostError,
    DeadlineError,
    FailedPreconditionError,
    InstrumentNotFoundError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    SymbolAmbiguousError,
    UnauthenticatedError,
    UnavailableError,
)
from bifrost_sdk.frames import Frame
from bifrost_sdk.quotes import Quote
from bifrost_sdk.reading import Indicator
from bifrost_sdk.retry import Retry
from bifrost_sdk.session import Login

__all__ = [
    "AbortedError",
    "AsyncClient",
    "BarsNotFoundError",
    "BifrostError",
    "Client",
    "DeadlineError",
    "FailedPreconditionError",
    "Frame",
    "Indicator",
    "InstrumentNotFoundError",
    "InvalidArgumentError",
    "Login",
    "NotFoundError",
    "PermissionDeniedError",
    "Quote",
    "ResourceExhaustedError",
    "Retry",
    "SymbolAmbiguousError",
    "UnauthenticatedError",
    "UnavailableError",
]
