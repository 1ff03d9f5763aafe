"""Compile the contracts under `proto/` with the locked protoc: `python -m deploy.build.contracts IMAGE`.

No network is used. Third-party definitions come out of installed packages: google/api and google/rpc from
googleapis-common-protos, the well-known types from grpcio-tools, buf/validate from the descriptor inside
protovalidate. None is copied into the tree.
"""

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from protovalidate._gen.buf.validate import validate_pb  # the package offers its descriptor nowhere else

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
WELL_KNOWN = SITE_PACKAGES / "grpc_tools" / "_proto"
VALIDATE = "buf/validate/validate.proto"


class ProtocError(Exception):
    """protoc refused the contracts; the message is its own."""


def proto_files(proto_dir: Path) -> list[str]:
    """Name every contract file below `proto_dir`, sorted, relative to it."""
    return sorted(path.relative_to(proto_dir).as_posix() for path in proto_dir.rglob("*.proto"))


def protoc(proto_dir: Path, arguments: Sequence[str], files: Sequence[str]) -> None:
    """Run protoc over `files`, found in `proto_dir` or in the installed packages."""
    with tempfile.TemporaryDirectory() as scratch:
        validate = Path(scratch) / "validate.binpb"
        validate.write_bytes(_validate_set().SerializeToString(deterministic=True))
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={validate}"]
        command += [f"-I{proto_dir}", f"-I{WELL_KNOWN}", f"-I{SITE_PACKAGES}", *arguments, *files]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ProtocError(result.stderr.strip())


def build_image(proto_dir: Path, image: Path) -> None:
    """Write the descriptors of all contracts with comments and positions: what buf lints and compares."""
    image.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--include_imports", "--include_source_info", f"--descriptor_set_out={image}"]
    protoc(proto_dir, arguments, proto_files(proto_dir))


def _validate_set() -> descriptor_pb2.FileDescriptorSet:
    """Put buf/validate's descriptor and what it imports into one set."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        files.file.append(descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb))
    files.file.append(descriptor_pb2.FileDescriptorProto.FromString(validate_pb.desc().proto.to_binary()))
    return files


def main() -> int:
    """Write the image named on the command line; return the exit status."""
    try:
        build_image(ROOT / "proto", Path(sys.argv[1]))
    except ProtocError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
