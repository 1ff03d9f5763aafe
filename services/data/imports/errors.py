"""Errors of a file, each naming the line, and the column where it is one."""

from __future__ import annotations

from typing import Final

from services.runtime.errors import ApiError, invalid_argument

_FIELD: Final = "chunk"
_SHOWN_CHARS: Final = 40


def encoding_error(line: int) -> ApiError:
    """The line is not UTF-8."""
    message = f"line {line} is not UTF-8 text; save the file as CSV in UTF-8"
    return invalid_argument("FILE_ENCODING_INVALID", message, field=_FIELD, line=str(line))


def row_error(line: int, why: str) -> ApiError:
    """The line as a whole is wrong."""
    return invalid_argument("FILE_ROW_INVALID", f"line {line} {why}", field=_FIELD, line=str(line))


def cell_error(line: int, column: str, value: str, what: str) -> ApiError:
    """The cell is no ``what``."""
    shown = value[:_SHOWN_CHARS]
    why = f"is a formula, not {what}" if value[:1] == "=" else f"is not {what}"
    message = f"line {line}, column {column}: {shown!r} {why}"
    return invalid_argument(
        "FILE_CELL_INVALID", message, field=_FIELD, line=str(line), column=column, value=shown
    )


def time_error(line: int, column: str, value: str, why: str) -> ApiError:
    """It is not certain what moment is meant."""
    shown = value[:_SHOWN_CHARS]
    message = f"line {line}, column {column}: {shown!r} {why}"
    return invalid_argument(
        "FILE_TIME_AMBIGUOUS", message, field=_FIELD, line=str(line), column=column, value=shown
    )


def column_error(column: str, why: str, found: list[str]) -> ApiError:
    """A column is missing or there twice."""
    names = ",".join(name[:_SHOWN_CHARS] for name in found[:20])
    message = f"{why}; the first line has: {names}"
    return invalid_argument("FILE_COLUMN_MISSING", message, field=_FIELD, column=column, found=names)


def type_error(column: str, kind: str, wanted: str) -> ApiError:
    """The column holds values of another kind."""
    message = f"column {column} is {kind[:_SHOWN_CHARS]}, not {wanted}"
    return invalid_argument(
        "FILE_COLUMN_TYPE_INVALID", message, field=_FIELD, column=column, type=kind[:_SHOWN_CHARS]
    )


def file_error(message: str, **metadata: str) -> ApiError:
    """The file as a whole, or a part of it, is not what it should be."""
    return invalid_argument("FILE_UNREADABLE", message, field=_FIELD, **metadata)
