"""YAML and JSON text to plain data and back, without the traps of YAML 1.1."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml

from optimizer.errors import InvalidInputError

MAXIMUM_BYTES = 256 * 1024 * 1024
"""Files larger than this are refused unread."""


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: ``NO`` is Norway, ``1e6`` is a number, a key may not stand twice."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - yaml's own registry, filled below

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the base class, but a key that stands twice is an error."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|false|False)$", "tTfF"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9][0-9_]*$", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9]+(?:[eE][-+]?[0-9]+)?)$",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(loader.construct_scalar(node).replace("_", ""))


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node).replace("_", ""))


_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def read_data(path: Path, what: str) -> Any:
    """Plain data of a YAML or JSON file, by its extension.

    Raises:
        InvalidInputError: naming the file, and the line where it cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise InvalidInputError.single(str(path), f"has {size:,} bytes", f"{MAXIMUM_BYTES:,} at most", what)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        told = f"cannot be read: {reason}"
        raise InvalidInputError.single(str(path), told, "give a YAML or JSON file", what) from None
    return parse_text(text, path.suffix.lower(), str(path), what)


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        InvalidInputError: naming the file and why it cannot be written.
    """
    check_writable(path)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInputError.single(str(path), f"cannot be written: {error.strerror}", "", "output") from None


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before long work is done for it."""
    if not path.parent.is_dir():
        raise InvalidInputError.single(str(path), f"there is no folder {path.parent}", "make it first", "output")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidInputError.single(str(path), "cannot be written", "choose another file", "output")


def parse_text(text: str, suffix: str, where: str, what: str) -> Any:
    """Plain data of YAML (``.yaml``, ``.yml``) or JSON (``.json``) text."""
    try:
        if suffix == ".json":
            return json.loads(text)
        if suffix in (".yaml", ".yml"):
            return yaml.load(text, Loader=_Loader)  # a subclass of SafeLoader
    except json.JSONDecodeError as error:
        raise InvalidInputError.single(f"{where}:{error.lineno}", f"is not JSON: {error.msg}", "", what) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        told = getattr(error, "problem", None) or str(error)
        raise InvalidInputError.single(f"{where}{line}", f"is not YAML: {told}", "", what) from None
    except RecursionError:
        raise InvalidInputError.single(where, "is nested too deeply", "flatten it", what) from None
    raise InvalidInputError.single(where, f"has extension {suffix!r}", "use .yaml, .yml or .json", what)


class _Dumper(yaml.SafeDumper):
    """Block style, keys in the order of the schema, text that would read as something else in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write repeated values out."""
        return True


def yaml_text(data: Any) -> str:
    """Data as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
