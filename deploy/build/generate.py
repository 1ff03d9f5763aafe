"""Generate `gen/` from `proto/`: `python -m deploy.build.generate`; `--check` only says whether it is fresh.

gen/python holds the messages, their types and the gRPC code; gen/envoy/api.binpb the descriptors that the
edge transcodes by.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

from deploy.build import extension_stubs, grpc_stubs
from deploy.build.contracts import ROOT, VALIDATE, ProtocError, proto_files, protoc

# The folders of gen/ that this program owns: what is in them and was not generated is removed.
OWNED = ("python", "envoy")
# The edge answers errors as JSON by these; no contract imports them.
EDGE_EXTRA = ("google/rpc/status.proto", "google/rpc/error_details.proto")


def generate(proto_dir: Path, out: Path) -> None:
    """Write the whole of `gen/` into the folder `out`, which must be empty or absent."""
    python, envoy = out / "python", out / "envoy"
    python.mkdir(parents=True)
    envoy.mkdir()
    files = proto_files(proto_dir)
    protoc(proto_dir, [f"--python_out={python}", f"--pyi_out={python}"], [*files, VALIDATE])
    api = envoy / "api.binpb"
    protoc(proto_dir, ["--include_imports", f"--descriptor_set_out={api}"], [*files, *EDGE_EXTRA])
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(api.read_bytes())
    _type_extensions(python, descriptors)
    _generate_grpc(proto_dir, python, descriptors)


def _type_extensions(python: Path, descriptors: descriptor_pb2.FileDescriptorSet) -> None:
    for file in descriptors.file:
        stub = python / f"{file.name.removesuffix('.proto')}_pb2.pyi"
        if file.extension and stub.exists():
            stub.write_text(
                extension_stubs.type_extensions(stub.read_text(encoding="utf-8"), file), encoding="utf-8"
            )


def _generate_grpc(proto_dir: Path, python: Path, descriptors: descriptor_pb2.FileDescriptorSet) -> None:
    # A pass of its own: asked for files without services, the plugin writes empty modules.
    with_services = [file for file in descriptors.file if file.service]
    if not with_services:
        return
    protoc(proto_dir, [f"--grpc_python_out={python}"], [file.name for file in with_services])
    types = grpc_stubs.files_of_types(descriptors)
    for file in with_services:
        stub = python / f"{file.name.removesuffix('.proto')}_pb2_grpc.pyi"
        stub.write_text(grpc_stubs.render(file, types), encoding="utf-8")


def stale_files(fresh: Path, committed: Path) -> list[str]:
    """Name the files that differ, are missing or are left over in `committed`, relative to it."""
    wanted, present = _contents(fresh), _contents(committed)
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def update(fresh: Path, committed: Path) -> None:
    """Make the owned folders of `committed` equal to `fresh`; what did not change is not touched."""
    for name in stale_files(fresh, committed):
        source, target = fresh / name, committed / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        else:
            target.unlink()


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for owned in OWNED
        for path in (folder / owned).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> int:
    """Generate, or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when gen/ is stale")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "gen"
        try:
            generate(ROOT / "proto", fresh)
        except ProtocError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        if not check:
            update(fresh, ROOT / "gen")
            return 0
        stale = stale_files(fresh, ROOT / "gen")
    if stale:
        sys.stderr.write("gen/ does not match proto/: run make gen\n")
        sys.stderr.writelines(f"  gen/{name}\n" for name in stale)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
