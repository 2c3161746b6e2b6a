"""When a plan that is there already answers a question: the same one, by the same versions, of the same tenant.

A plan that its time limit ended, or that was stopped, says what one search found and no more: it answers once, unless
it proves the gap that was asked for all the same.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Final

from optimizer.api.v1.plan_pb2 import PlanResult
from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination
from optimizer.wire.convert import from_bytes, parse

_DECIDING: Final = ("capacity-optimizer", "highspy", "numpy")
"""Packages of which another version may answer otherwise."""


def question_sha256(portfolio: bytes, options: bytes) -> str:
    """The digest of a serialised portfolio, of options, and of what would compute the plan."""
    versions = " ".join(f"{name} {version(name)}" for name in _DECIDING).encode()
    parts = (hashlib.sha256(part).digest() for part in (portfolio, options, versions))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def is_conclusive(result: bytes, options: bytes) -> bool:
    """Whether a serialised plan says what the next search would: no limit ended it before its gap was proven."""
    termination = parse(Termination, PlanResult.FromString(result).termination, "termination")
    if termination.limit is Limit.NONE:
        return True
    return termination.gap_frac is not None and termination.gap_frac <= from_bytes(SolveOptions, options).gap_frac
