"""Give extensions their types in generated `*_pb2.pyi`.

protoc writes `policy: _descriptor.FieldDescriptor`, which says neither what is extended nor by what; the
stubs of protobuf want both to type `options.Extensions[policy_pb2.policy]`.
"""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

OPTIONS_PACKAGE = "google.protobuf"
UNTYPED = "_descriptor.FieldDescriptor"
IMPORT = "from google.protobuf.internal import extension_dict as _extension_dict\n"


def type_extensions(stub: str, file: FileDescriptorProto) -> str:
    """Return `stub`, the .pyi text of `file`, with its option extensions typed."""
    typed = stub
    for extension in file.extension:
        extended, value = _local_name(extension.extendee, file), _local_name(extension.type_name, file)
        if extended is None or value is None or extension.label == FieldDescriptorProto.LABEL_REPEATED:
            continue
        precise = f"_extension_dict._ExtensionFieldDescriptor[{extended}, {value}]"
        typed = typed.replace(f"\n{extension.name}: {UNTYPED}\n", f"\n{extension.name}: {precise}\n")
    return typed if typed == stub else IMPORT + typed


def _local_name(type_name: str, file: FileDescriptorProto) -> str | None:
    """Name a message as the stub sees it: its own, or one of descriptor.proto, which holds all options."""
    package, _, name = type_name.removeprefix(".").rpartition(".")
    if package == file.package:
        return name
    return f"_descriptor_pb2.{name}" if package == OPTIONS_PACKAGE else None
