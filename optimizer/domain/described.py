"""What the docstrings of attributes say, read from the source when it is asked for.

Pydantic would read them when a class is made (``use_attribute_docstrings``), which takes as long as everything else in
an import of the domain; only schemas and workbooks show them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache
from itertools import pairwise

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@cache
def attribute_docs(kind: type[BaseModel]) -> Mapping[str, str]:
    """The docstrings of the fields of a class and of its bases, by field; nothing where there is no source."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            docs |= _classes_of(base.__module__).get(base.__qualname__, {})
    return {name: text for name, text in docs.items() if name in kind.model_fields}


def described_fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a class, each with the docstring of its attribute as description."""
    docs, fields = attribute_docs(kind), {name: copy(info) for name, info in kind.model_fields.items()}
    for name, info in fields.items():
        info.description = docs.get(name, info.description)
    return fields


@cache
def _classes_of(module: str) -> Mapping[str, Mapping[str, str]]:
    """Docstrings of attributes by class, as ``__qualname__`` writes it, of a whole module."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return dict(_classes_in(ast.parse(source), ""))


def _classes_in(node: ast.AST, prefix: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, dict(_docs_in(child))
            yield from _classes_in(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield from _classes_in(child, f"{prefix}{child.name}.<locals>.")


def _docs_in(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
