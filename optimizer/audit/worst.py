"""How a check is made: of all deviations the worst against its tolerance is reported. All tolerances are here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from optimizer.audit.paths import FloatArray
from optimizer.domain import AuditCheck

Unit = Literal["USD", "MW", "machines", "1", "months", "EH/s", "t"]

MONEY_TOLERANCE_FRAC: Final = 1e-6
"""One dollar a million of the sum that is compared."""
MONEY_FLOOR_USD: Final = 1e6
"""Sums below count as this much."""
MW_TOLERANCE: Final = 1e-6
HASHRATE_TOLERANCE_EH_S: Final = 1e-6
CARBON_TOLERANCE_FRAC: Final = 1e-6
"""Share of the carbon of a year."""
MACHINES_TOLERANCE_FRAC: Final = 1e-6
"""Share of all machines that are ever owned."""
MACHINES_FLOOR: Final = 1e-3
EXACT: Final = 0.0
"""Counts and months allow no deviation."""


def money_tolerance_usd(*sums_usd: float) -> float:
    """Tolerance for money, by the largest of the sums that matter."""
    return MONEY_TOLERANCE_FRAC * max(MONEY_FLOOR_USD, *(abs(usd) for usd in sums_usd))


def machines_tolerance(machine_count: float) -> float:
    """Tolerance for machines, by the machines that are ever owned."""
    return max(MACHINES_FLOOR, MACHINES_TOLERANCE_FRAC * machine_count)


@dataclass(slots=True)
class Worst:
    """The worst deviation seen, measured in tolerances."""

    name: str
    unit: Unit
    _seen: bool = False
    _deviation: float = 0.0
    _tolerance: float = 0.0
    _where: str = ""

    def add(self, deviation: float, tolerance: float, where: str) -> None:
        """One deviation; negative means that there is room left."""
        deviation = float(deviation) if deviation > 0.0 else 0.0
        worse = deviation * self._tolerance > self._deviation * tolerance or (
            tolerance == self._tolerance and deviation > self._deviation
        )
        if worse or not self._seen:
            self._seen, self._deviation, self._tolerance = True, deviation, tolerance
            self._where = where if deviation > 0.0 else ""

    def add_array(self, deviation: FloatArray, tolerance: float, where: Callable[..., str]) -> None:
        """Many deviations; ``where`` names the position of one by its indices."""
        if deviation.size:
            at = np.unravel_index(int(np.argmax(deviation)), deviation.shape)
            self.add(float(deviation[at]), tolerance, where(*(int(index) for index in at)))

    def checks(self) -> Iterator[AuditCheck]:
        """The check; nothing if there was nothing to check."""
        if self._seen:
            yield AuditCheck(
                name=self.name,
                unit=self.unit,
                largest_deviation=self._deviation,
                tolerance=self._tolerance,
                where=self._where,
            )
