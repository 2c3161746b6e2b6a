"""Names of columns and rows that MPS and LP files can carry, as ``sign.Lease_A.Ward_County.2027_04``.

A name is the block's and the words of its key, joined by dots. What the formats do not allow becomes an underscore, so
two different keys can meet in one name: the later one is numbered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable

from optimizer.model.program import Program, RowBlock, VariableBlock

LONGEST = 255
"""Letters of a name that every reader of MPS and LP takes."""
ODD = re.compile(r"[^A-Za-z0-9_]+")
ROOM_FOR_NUMBER = 8


def column_names(program: Program) -> list[str]:
    """Unique name of each column, in the order of the columns."""
    return _unique(program.variables.values())


def row_names(program: Program) -> list[str]:
    """Unique name of each row, in the order of the rows."""
    return _unique(program.rows.values())


def _unique(blocks: Iterable[VariableBlock | RowBlock]) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for block in blocks:
        for key in block.keys:
            plain = _name(block.name, key)
            name, count = plain, 1
            while name in taken:
                count += 1
                name = f"{plain}__{count}"
            taken.add(name)
            names.append(name)
    return names


def _name(block: str, key: Hashable) -> str:
    words = key if isinstance(key, tuple) else (key,)
    return ".".join([block, *map(_word, words)])[: LONGEST - ROOM_FOR_NUMBER]


def _word(part: Hashable) -> str:
    """A part of a key in letters, digits and underscores: ``Ward County`` as ``Ward_County``, ``é`` as ``e``."""
    plain = unicodedata.normalize("NFKD", str(part)).encode("ascii", "ignore").decode()
    return ODD.sub("_", plain)
