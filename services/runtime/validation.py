"""Field rules of the contract (buf.validate), checked by the compiled protovalidate engine."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import grpc
import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.runtime.errors import ApiError

if TYPE_CHECKING:
    from protovalidate import Violation

collect_violations: Final = protovalidate.collect_violations
CompilationError: Final = protovalidate.CompilationError

_NAMED_IN_MESSAGE = 5
# Every rule of a decimal has it: at most 18 digits before the point.
_DECIMAL_RULE: Final = "[0-9]{1,18}"


def check_rules(empty: Message) -> None:
    """Compile the rules of a message type; CompilationError when they are wrong."""
    collect_violations(empty)


@functools.cache
def is_decimal(field: FieldDescriptor) -> bool:
    """Whether the rules of a text field make it a decimal in wire form."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return any(_DECIMAL_RULE in rule for rule in (rules.string.pattern, *(c.expression for c in rules.cel)))


def field_error(violations: Sequence[Violation]) -> ApiError:
    """INVALID_ARGUMENT FIELD_INVALID with a BadRequest entry for every violation."""
    named = [(field_path(violation), _description(violation)) for violation in violations]
    shown = "; ".join(f"{field}: {text}" if field else text for field, text in named[:_NAMED_IN_MESSAGE])
    rest = len(named) - _NAMED_IN_MESSAGE
    message = f"{shown}; and {rest} more" if rest > 0 else shown
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", message, violations=named)


def check_text(message: Message) -> None:
    """Raise INVALID_ARGUMENT FIELD_INVALID naming every text with a NUL: PostgreSQL can keep none."""
    found = [(path, "must not hold the character NUL") for path in _texts_with_nul(message)]
    if found:
        text = "; ".join(f"{path} {why}" for path, why in found[:_NAMED_IN_MESSAGE])
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", text, violations=found)


def _texts_with_nul(message: Message, within: str = "") -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{within}{field.name}"
        one = isinstance(value, str | bytes | Message | int | float)
        for n, item in enumerate([value] if one else value):
            place = path if one else f"{path}[{n}]"
            if isinstance(item, Message):
                yield from _texts_with_nul(item, f"{place}.")
            elif isinstance(item, str) and "\0" in item:
                yield place


def _description(violation: Violation) -> str:
    # An enum's zero is what a missing field reads as; the engine would say "must not be in list [0]".
    if violation.proto.rule_id == "enum.not_in":
        return "is required"
    return violation.proto.message or "is invalid"


def field_path(violation: Violation) -> str:
    """The violated field as "orders[2].quantity"; empty for a rule of the whole message."""
    path = ""
    elements = violation.proto.field.elements if violation.proto.field else ()
    for element in elements:
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            key = element.subscript.value
            path += f'["{key}"]' if isinstance(key, str) else f"[{key}]"
    return path
