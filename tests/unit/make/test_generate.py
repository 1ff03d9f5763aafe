import subprocess
import sys
from pathlib import Path

import pytest

from deploy.build.contracts import ROOT, ProtocError
from deploy.build.generate import generate, stale_files, update

SHOP = """
syntax = "proto3";
package shop.v1;
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/descriptor.proto";
message Item { string name = 1 [(buf.validate.field).string.min_len = 1]; }
message Receipt { int64 count = 1; }
message Mark { bool on = 1; }
extend google.protobuf.MethodOptions { Mark mark = 50999; }
service ShopService {
  rpc Buy(Item) returns (Receipt) { option (mark).on = true; option (google.api.http) = { get: "/v1/buy" }; }
  rpc Watch(Item) returns (stream Receipt);
  rpc Upload(stream Item) returns (Receipt);
  rpc Talk(stream Item) returns (stream Receipt);
}
"""

USER = """
from collections.abc import AsyncIterator

import grpc.aio
from google.protobuf.descriptor_pb2 import MethodOptions
from shop.v1 import shop_pb2, shop_pb2_grpc


class Shop(shop_pb2_grpc.ShopServiceServicer):
    async def Buy(
        self, request: shop_pb2.Item, context: grpc.aio.ServicerContext[shop_pb2.Item, shop_pb2.Receipt]
    ) -> shop_pb2.Receipt:
        return shop_pb2.Receipt(count=len(request.name))

    async def Watch(
        self, request: shop_pb2.Item, context: grpc.aio.ServicerContext[shop_pb2.Item, shop_pb2.Receipt]
    ) -> AsyncIterator[bytes]:
        yield shop_pb2.Receipt(count=1).SerializeToString()


async def use(channel: grpc.aio.Channel, server: grpc.aio.Server) -> int:
    shop_pb2_grpc.add_ShopServiceServicer_to_server(Shop(), server)
    stub = shop_pb2_grpc.ShopServiceStub(channel)
    receipt = await stub.Buy(shop_pb2.Item(name="x"), timeout=60)
    total = receipt.count
    async for each in stub.Watch(shop_pb2.Item(name="x")):
        total += each.count
    return total


def marked(options: MethodOptions) -> bool:
    return options.Extensions[shop_pb2.mark].on
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    contract = tmp_path / "proto" / "shop" / "v1" / "shop.proto"
    contract.parent.mkdir(parents=True)
    contract.write_text(SHOP, encoding="utf-8")
    return tmp_path / "proto"


# protoc's own stubs of messages are not strict, in the project's configuration neither; those of gRPC are.
MYPY_INI = """
[mypy]
strict = true
mypy_path = {python}
[mypy-buf.*,shop.v1.shop_pb2]
ignore_errors = true
"""


def mypy(python: Path, code: str) -> str:
    """Return what mypy --strict says about `code`, which imports from the folder `python`."""
    (python.parent / "user.py").write_text(code, encoding="utf-8")
    (python.parent / "mypy.ini").write_text(MYPY_INI.format(python=python), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file=mypy.ini", "user.py"]
    return subprocess.run(command, cwd=python.parent, capture_output=True, text=True, check=False).stdout


def test_code_on_generated_stubs_is_typed(shop: Path, tmp_path: Path) -> None:
    generate(shop, tmp_path / "gen")
    python = tmp_path / "gen" / "python"
    assert mypy(python, USER) == ""
    wrong = USER.replace('Buy(shop_pb2.Item(name="x")', "Buy(shop_pb2.Receipt()").replace("].on", "].off")
    complaints = mypy(python, wrong)
    assert '"Receipt"; expected "Item"' in complaints
    assert '"Mark" has no attribute "off"' in complaints


def test_generated_code_runs(shop: Path, tmp_path: Path) -> None:
    generate(shop, tmp_path / "gen")
    code = (
        "import grpc; from shop.v1 import shop_pb2, shop_pb2_grpc; import protovalidate\n"
        "assert shop_pb2.DESCRIPTOR.services_by_name['ShopService'].methods_by_name['Buy'].GetOptions()"
        ".Extensions[shop_pb2.mark].on\n"
        "print(len(protovalidate.collect_violations(shop_pb2.Item())))\n"
    )
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'gen/python')!r})\n{code}",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_generating_again_gives_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    generate(shop, tmp_path / "first")
    generate(shop, tmp_path / "second")
    assert stale_files(tmp_path / "first", tmp_path / "second") == []
    assert (tmp_path / "first" / "python" / "buf" / "validate" / "validate_pb2.py").exists()


def test_stale_missing_and_left_over_files_are_named_and_mended(shop: Path, tmp_path: Path) -> None:
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    generate(shop, fresh)
    update(fresh, committed)
    assert stale_files(fresh, committed) == []
    (committed / "python" / "shop" / "v1" / "shop_pb2.py").write_text("edited", encoding="utf-8")
    (committed / "python" / "shop" / "v1" / "shop_pb2.pyi").unlink()
    (committed / "envoy" / "old.binpb").write_bytes(b"")
    elsewhere = committed / "openapi" / "kept.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("", encoding="utf-8")
    changed = ["envoy/old.binpb", "python/shop/v1/shop_pb2.py", "python/shop/v1/shop_pb2.pyi"]
    assert stale_files(fresh, committed) == changed
    update(fresh, committed)
    assert stale_files(fresh, committed) == []
    assert elsewhere.exists()


def test_a_broken_contract_is_named(shop: Path, tmp_path: Path) -> None:
    (shop / "shop" / "v1" / "shop.proto").write_text('syntax = "proto3"; message {', encoding="utf-8")
    with pytest.raises(ProtocError, match=r"shop/v1/shop\.proto:1"):
        generate(shop, tmp_path / "gen")


def test_the_edge_knows_errors_and_every_contract() -> None:
    api = (ROOT / "gen" / "envoy" / "api.binpb").read_bytes()
    assert b"google/rpc/status.proto" in api
    assert b"google/rpc/error_details.proto" in api
