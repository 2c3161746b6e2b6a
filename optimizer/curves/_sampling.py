"""What all draws of scenarios share: which scenarios, whose streams, and how threads share them out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Int64Array
from optimizer.errors import InvalidInputError

NEVER: Final = 2**31 - 1
"""Month of what does not happen: a tenant that does not default, an overlay that does not begin."""
SLICE: Final = 1024
"""Scenarios that a thread takes at a time; a multiple of the slice of the kernels."""
MONTH_COUNT: Final = check.Range(1, 12_000, "months")

_SEED: Final = check.Range(0, 2**64 - 1, "as a 64-bit seed")
_WORD: Final = check.Range(0, 2**32 - 1, "as a 32-bit index")


def checked_seed(seed: int) -> int:
    """``seed`` as the key of the random words."""
    return check.integer("seed", seed, _SEED)


def scenario_range(first_scenario: int, scenario_count: int) -> tuple[int, int]:
    """First index and count, with every index below 2**32."""
    first = check.integer("first_scenario", first_scenario, _WORD)
    last = check.Range(1, _WORD.high - first + 1, "scenarios, with indices below 2**32")
    return first, check.integer("scenario_count", scenario_count, last)


def stream_ids(streams: ArrayLike, owners: tuple[int], owner: str) -> Int64Array:
    """Distinct 32-bit ids, one for each ``owner``."""
    ids = check.integers("streams", streams, _WORD, owners)
    distinct, uses = np.unique(ids, return_counts=True)
    if (uses > 1).any():
        told = f"{int(distinct[uses > 1][0])} is given to two {owner}s"
        raise InvalidInputError.single("streams", told, "pass distinct ids")
    return ids


def name_streams(names: Sequence[str]) -> list[int]:
    """A random stream for each name that does not depend on the other names, unless their checksums collide."""
    used: set[int] = set()
    streams = []
    for name in names:
        stream = zlib.crc32(name.encode())
        while stream in used:
            stream = (stream + 1) % 2**32
        used.add(stream)
        streams.append(stream)
    return streams
