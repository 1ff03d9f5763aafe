"""bifrost call: any method of any contract, JSON in, JSON out."""

from __future__ import annotations

import difflib
import sys
from typing import Annotated

import typer
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from services.cli import completion
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    as_dict,
    command,
    print_json,
)
from services.runtime.contracts import load_contracts
from services.runtime.inventory import load_inventory


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(call)


@command
async def call(
    method: Annotated[
        str,
        typer.Argument(
            help="SERVICE/METHOD, e.g. OrderService/ListOrders.", autocompletion=completion.methods
        ),
    ],
    body: Annotated[str, typer.Argument(help="Request as JSON; - reads standard input.")] = "{}",
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,  # noqa: ARG001  the answer is JSON in any case
) -> None:
    """Call a method at the edge. Streams print one JSON object a line until Ctrl-C."""
    descriptor = find_method(method)
    request_class = message_factory.GetMessageClass(descriptor.input_type)
    try:
        request = json_format.Parse(sys.stdin.read() if body == "-" else body, request_class())
    except json_format.ParseError as error:
        raise UsageError(f"the request is not a {descriptor.input_type.name}: {error}") from error
    response_class = message_factory.GetMessageClass(descriptor.output_type)
    path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
    async with Target.find(home, edge).connect() as client:
        if descriptor.server_streaming:
            stream = client.channel.unary_stream(
                path, request_class.SerializeToString, response_class.FromString
            )
            async for message in stream(request):
                print_json(as_dict(message))
        else:
            unary = client.channel.unary_unary(
                path, request_class.SerializeToString, response_class.FromString
            )
            print_json(as_dict(await unary(request, timeout=30)))


def find_method(name: str) -> MethodDescriptor:
    """A method by "OrderService/GetOrder", with or without its package, "." or "/" before the method.

    Raises UsageError with the nearest names when there is none.
    """
    load_contracts()
    wanted = name.lstrip("/").replace("/", ".")
    methods = {}
    for contract in load_inventory().contracts:
        for method in descriptor_pool.Default().FindServiceByName(contract).methods:
            methods[method.full_name] = method
    found = [method for full, method in methods.items() if full == wanted or full.endswith("." + wanted)]
    if len(found) == 1:
        return found[0]
    short = ["/".join(full.split(".")[-2:]) for full in methods]
    near = difflib.get_close_matches(name, short, n=3, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UsageError(f"no method {name}{hint}")
