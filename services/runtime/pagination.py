"""Page tokens: opaque, and valid only for the request they came from."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from google.protobuf.message import Message

from services.runtime.errors import ApiError, invalid_argument

_DIGEST_BYTES = 12
_NOT_BOUND = ("page_token", "page_size")
_LONGEST_TOKEN: Final = 1000
_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")

Column = Callable[[str], bool]
"""Says of a text whether it can be a position in its column."""


def page_size(requested: int, *, default: int = 100, maximum: int = 1000) -> int:
    """The size to use: ``default`` for 0, never over ``maximum``; a negative one is refused.

    Raises:
        ApiError: INVALID_ARGUMENT, reason FIELD_INVALID.
    """
    if requested < 0:
        raise invalid_argument("FIELD_INVALID", f"page_size is {requested}, not negative", field="page_size")
    return min(requested or default, maximum)


def encode_page_token(request: Message, position: Mapping[str, str]) -> str:
    """A token that continues ``request`` after ``position`` (column -> last value sent, as text)."""
    body = json.dumps(dict(position), separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_digest(request, body) + body).rstrip(b"=").decode()


def text(value: str) -> bool:
    """A column of text: what PostgreSQL can keep."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def number(value: str) -> bool:
    """A column of 64-bit integers, written as `str` writes them."""
    return _NUMBER.fullmatch(value) is not None and -(2**63) <= int(value) < 2**63


def decode_page_token(request: Message, token: str, **columns: Column) -> dict[str, str] | None:
    """The position in ``token``, one text for each of ``columns``; None for the empty token: the first page.

    The digest keeps tokens from being used with another filter or order by mistake. It is no secret: a
    position is checked like any other input and selects nothing that the request itself may not select.

    Raises:
        ApiError: INVALID_ARGUMENT, reason PAGE_TOKEN_INVALID: not a token of ours, or of another request, or
            its position does not fit ``columns`` (``text``, ``number``).
    """
    if not token:
        return None
    if len(token) > _LONGEST_TOKEN:
        raise _invalid()
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if digest != _digest(request, body):
            raise _invalid()
        position: object = json.loads(body)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid() from error
    if not isinstance(position, dict) or position.keys() != columns.keys():
        raise _invalid()
    for name, fits in columns.items():
        if not isinstance(position[name], str) or not fits(position[name]):
            raise _invalid()
    return position


def _digest(request: Message, body: bytes) -> bytes:
    bound = type(request)()
    bound.CopyFrom(request)
    for name in _NOT_BOUND:
        bound.ClearField(name)
    content = (request.DESCRIPTOR.full_name.encode(), bound.SerializeToString(deterministic=True), body)
    return hashlib.sha256(b"\0".join(content)).digest()[:_DIGEST_BYTES]


def _invalid() -> ApiError:
    message = "page_token is not from a response to this request; start again without one"
    return invalid_argument("PAGE_TOKEN_INVALID", message, field="page_token")
