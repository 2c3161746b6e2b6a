"""What the protos say, with their comments: descriptors from a descriptor set that protoc wrote with its source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

# Numbers of fields in descriptor.proto, of which the paths of comments are made.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_NESTED_MESSAGE, _NESTED_ENUM, _FIELD = 3, 4, 2
_VALUE, _METHOD = 2, 2


@dataclass(frozen=True, slots=True)
class Described:
    """Descriptors, and comments by full name."""

    pool: DescriptorPool
    files: tuple[FileDescriptorProto, ...]
    comments: dict[str, str]

    def comment(self, thing: Any) -> str:
        """What the protos say of a message, a field, a value or a call: paragraphs; nothing of what they do not."""
        return self.comments.get(_named(thing), "")


def described(image: Path) -> Described:
    """What a descriptor set says."""
    files = tuple(FileDescriptorSet.FromString(image.read_bytes()).file)
    pool = DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return Described(pool, files, {name: text for file in files for name, text in _comments(file)})


def _named(thing: Any) -> str:
    """The full name of a thing; values of enums have that of their enum before it, which protobuf leaves out."""
    return f"{thing.type.full_name}.{thing.name}" if hasattr(thing, "number") and _is_value(thing) else thing.full_name


def _is_value(thing: Any) -> bool:
    return type(thing).__name__ == "EnumValueDescriptor"


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_paths(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name is not None and location.leading_comments:
            yield name, _paragraphs(location.leading_comments)


def _paths(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Full names by the paths under which a file has their comments."""
    for index, message in enumerate(file.message_type):
        yield from _message_paths(message, (_MESSAGE, index), file.package)
    for index, enum in enumerate(file.enum_type):
        yield from _enum_paths(enum, (_ENUM, index), file.package)
    for index, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_SERVICE, index), name
        for place, method in enumerate(service.method):
            yield (_SERVICE, index, _METHOD, place), f"{name}.{method.name}"


def _message_paths(message: Any, path: tuple[int, ...], holder: str) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{holder}.{message.name}"
    yield path, name
    for index, field in enumerate(message.field):
        yield (*path, _FIELD, index), f"{name}.{field.name}"
    for index, nested in enumerate(message.nested_type):
        yield from _message_paths(nested, (*path, _NESTED_MESSAGE, index), name)
    for index, enum in enumerate(message.enum_type):
        yield from _enum_paths(enum, (*path, _NESTED_ENUM, index), name)


def _enum_paths(enum: Any, path: tuple[int, ...], holder: str) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{holder}.{enum.name}"
    yield path, name
    for index, value in enumerate(enum.value):
        yield (*path, _VALUE, index), f"{name}.{value.name}"


def _paragraphs(comment: str) -> str:
    """A comment as paragraphs of one line each, without what is said to linters."""
    parts = re.split(r"\n\s*\n", "\n".join(line.strip() for line in comment.splitlines()))
    parts = ["\n".join(line for line in part.splitlines() if not line.startswith("buf:")) for part in parts]
    return "\n\n".join(" ".join(part.split()) for part in parts if part.strip())
