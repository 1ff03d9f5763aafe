"""The few pieces of the protobuf wire format from which shared messages are put together by hand.

A serialised message is the concatenation of its fields: bytes made once for all readers can be prefixed, and
their first field extended, without being serialised again. A message field is never written twice: protobuf
would merge the two, but the edge's transcoder to JSON refuses them.
"""

from google.protobuf.message import Message

_LENGTH_DELIMITED = 2


def varint(value: int) -> bytes:
    """Base-128 encoding of a non-negative integer."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field_bytes(number: int, content: bytes) -> bytes:
    """A field holding a message, string, bytes or packed numbers: tag, length, content."""
    return field_head(number, len(content)) + content


def field_head(number: int, length: int) -> bytes:
    """What comes before the content of such a field: tag and length."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(length)


def uint_field(number: int, value: int) -> bytes:
    """A varint field; nothing for zero, as proto3 has it."""
    return varint(number << 3) + varint(value) if value else b""


def extend_first(message: bytes, more: bytes) -> bytes:
    """``message`` with ``more`` at the end of its first field: a message, whose number is below 16."""
    if not more:
        return message
    length, shift, start = 0, 0, 1
    while True:
        byte = message[start]
        length |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            break
    end = start + length
    return b"".join((message[:1], varint(length + len(more)), message[start:end], more, message[end:]))


def field_number(message: type[Message], name: str) -> int:
    """Number of a field of a message type; KeyError names the field when there is none."""
    number: int = message.DESCRIPTOR.fields_by_name[name].number
    return number


def nested_number(message: type[Message], outer: str, inner: str) -> int:
    """Number of the field ``inner`` of the message that the field ``outer`` holds."""
    held = message.DESCRIPTOR.fields_by_name[outer].message_type
    if held is None:
        raise KeyError(f"{message.DESCRIPTOR.full_name}.{outer} holds no message")
    number: int = held.fields_by_name[inner].number
    return number
