"""Reading lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


# Any: every list method has its own request and response.
async def pages(
    method: Callable[..., Awaitable[Any]], request: Any, *, timeout_s: float = 30.0
) -> AsyncIterator[Any]:
    """The pages of a list from the one `request` asks for to the last; each call may take `timeout_s`."""
    while True:
        page = await method(request, timeout=timeout_s)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
