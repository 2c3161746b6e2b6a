"""Answers about a plan, read from the JSON that the commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from optimizer.domain.alternatives import Alternatives
from optimizer.domain.base import Value, validated
from optimizer.domain.break_evens import BreakEvens
from optimizer.domain.explanation import Explanation
from optimizer.domain.one_more import OneMore
from optimizer.domain.sweep import Sweep
from optimizer.errors import InvalidInputError
from optimizer.io.text import read_data

KINDS: Final[Mapping[str, tuple[str, type[Value]]]] = MappingProxyType(
    {
        "break_evens": ("prices", BreakEvens),
        "explanations": ("explained", Explanation),
        "one_more": ("values", OneMore),
        "alternatives": ("best_objective_usd", Alternatives),
        "sweeps": ("base_npv_usd", Sweep),
    }
)
"""What there can be, each with a field that no other has."""


@dataclass(frozen=True)
class Answers:
    """What was asked about a plan, in the order of the files."""

    break_evens: tuple[BreakEvens, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    one_more: tuple[OneMore, ...] = ()
    alternatives: tuple[Alternatives, ...] = ()
    sweeps: tuple[Sweep, ...] = ()


def load_answers(paths: Sequence[str | Path]) -> Answers:
    """Read answers, each from a file.

    Raises:
        InvalidInputError: for a file that holds none, and for numbers that the domain refuses.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for path in map(Path, paths):
        data = read_data(path, path.name)
        name = _kind(data)
        if name is None:
            fix = "write one with --json of why, break-evens, one-more, alternatives or sweep"
            raise InvalidInputError.single(path.name, "holds no answer about a plan", fix, "answers")
        found[name] = (*found.get(name, ()), validated(KINDS[name][1], data, path.name))
    return Answers(**found)


def _kind(data: object) -> str | None:
    if not isinstance(data, dict):
        return None
    return next((name for name, (field, _) in KINDS.items() if field in data), None)
