"""Write docs/errors.md from the ErrorReason enums: `python -m deploy.build.error_table`.

`--check` only compares.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2

from deploy.build.contracts import ROOT, ProtocError, build_image

TABLE = ROOT / "docs" / "errors.md"
SHARED = "type"
_PREFIX = "ERROR_REASON_"
_HEAD = """# Errors

Every error is a `google.rpc.Status` with `google.rpc.ErrorInfo`: its `domain` says who refused, its `reason`
why; metadata carries the values. `BadRequest` names every bad field, `RetryInfo` says when to try again,
`PreconditionFailure` which state forbids. REST answers the same status as JSON under the HTTP status of its
code. What the edge refuses by itself has the domain `bifrost.edge`.

JSON that does not fit the contract (broken JSON, an unknown enum value, a number for a text, a field that
says otherwise than the path) is refused by the edge with `FIELD_INVALID`. Envoy tells the field in words:
the message names it, there is no `BadRequest`. Fields the contract does not know are ignored. A field of the
path that the body repeats must have the path's value; under its camelCase name the path's holds.

Made from the contracts by `python -m deploy.build.error_table`.
"""
_ENUM_TYPE, _ENUM_VALUE = 5, 2  # numbers of FileDescriptorProto.enum_type and EnumDescriptorProto.value


class Reason(NamedTuple):
    """One value of an ErrorReason enum, as its comment tells it."""

    name: str
    code: str
    meaning: str
    example: str


def read_reasons(image: descriptor_pb2.FileDescriptorSet) -> dict[str, list[Reason]]:
    """The reasons by domain, the shared ones first; ValueError names a reason whose comment names no code."""
    domains = {}
    for file in image.file:
        for index, enum in enumerate(file.enum_type):
            if file.package.startswith("bifrost.") and enum.name == "ErrorReason":
                domains[file.package.split(".")[1]] = list(_reasons(file, index))
    return dict(sorted(domains.items(), key=lambda entry: (entry[0] != SHARED, entry[0])))


def _reasons(file: descriptor_pb2.FileDescriptorProto, index: int) -> Iterator[Reason]:
    comments = {
        tuple(location.path): location.leading_comments for location in file.source_code_info.location
    }
    for number, value in enumerate(file.enum_type[index].value):
        if value.number:
            comment = comments.get((_ENUM_TYPE, index, _ENUM_VALUE, number), "")
            yield parse_comment(value.name.removeprefix(_PREFIX), comment)


def parse_comment(name: str, comment: str) -> Reason:
    """A reason from its comment: "What it means. Code NOT_FOUND. Example: what brings it about."."""
    text = " ".join(comment.split())
    text, _, example = text.partition(" Example: ")
    # What only a job's status says has no code.
    found = re.search(r" ?(?:Code ([A-Z_]+)( \([^)]*\))?|Of (jobs))\.", text)
    if found is None:
        raise ValueError(f"the comment of {name} names no code")
    meaning = (text[: found.start()] + text[found.end() :]).strip()
    return Reason(name, found[3] or found[1] + (found[2] or ""), meaning, example)


def render(domains: dict[str, list[Reason]]) -> str:
    """The whole document."""
    parts = [_HEAD]
    for domain, reasons in domains.items():
        title = "Any domain" if domain == SHARED else f"bifrost.{domain}"
        parts.append(f"\n## {title}\n\n| reason | code | meaning | example |\n|---|---|---|---|\n")
        parts += [_row(reason) for reason in reasons]
    return "".join(parts)


def _row(reason: Reason) -> str:
    cells = [f"`{reason.name}`", reason.code, reason.meaning, reason.example]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def fresh_table() -> str:
    """The document as the contracts now have it."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "api.binpb"
        build_image(ROOT / "proto", image)
        return render(read_reasons(descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())))


def main() -> int:
    """Write, or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the table is stale")
    check: bool = parser.parse_args().check
    try:
        table = fresh_table()
    except (ProtocError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not check:
        TABLE.write_text(table, encoding="utf-8")
        return 0
    if TABLE.exists() and TABLE.read_text(encoding="utf-8") == table:
        return 0
    sys.stderr.write("docs/errors.md does not match the contracts: run python -m deploy.build.error_table\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
