"""Seeded draws from which portfolios are made, the same on every platform."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

_Item = TypeVar("_Item")


class Draw:
    """Draws of one item, from its own stream of Philox bits."""

    def __init__(self, seed: int, item: str) -> None:
        self._bits = np.random.Philox(key=np.array([seed, zlib.crc32(item.encode())], dtype=np.uint64))

    def uniform(self) -> float:
        """A multiple of 2**-53 in [0, 1)."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.uniform() < probability

    def below(self, count: int) -> int:
        """A whole number in [0, count)."""
        return int(self.uniform() * count)

    def between(self, bounds: tuple[float, float], step: float) -> float:
        """A multiple of ``step`` above the lower bound, up to the upper one; a whole number as an int."""
        low, high = bounds
        value = round(low + step * self.below(round((high - low) / step) + 1), 6)
        return int(value) if value == int(value) else value

    def pick(self, items: Sequence[_Item]) -> _Item:
        """One of them."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[_Item]) -> list[_Item]:
        """All of them in a random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in items]
