"""What every solver shares: how a running solve is heard and stopped, and what it comes back with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.proof import Termination

Floats = NDArray[np.float64]


@dataclass
class Search:
    """How a running solve reports and is stopped. One search covers all runs of a job: once stopped, it stays so."""

    on_incumbent: Callable[[float | None, float | None, int], None] | None = None
    """Called from the solver's thread with incumbent and bound in USD, and nodes; at most a few times a second."""
    on_plan: Callable[[Floats], None] | None = None
    """Called, also from the solver's thread, with the values of each better plan of the whole program."""
    should_stop: Callable[[], bool] = field(default=lambda: False)
    """Asked often; True ends the search with the best plan so far."""
    interrupted: bool = False
    """Whether Ctrl-C was pressed while the solver ran."""

    def tell_plan(self, values: Floats | None) -> None:
        """Tell who listens of a better plan, if there is one."""
        if values is not None and self.on_plan is not None:
            self.on_plan(values)

    @property
    def stopped(self) -> bool:
        """Whether to end with what there is."""
        return self.interrupted or self.should_stop()


@dataclass(frozen=True, eq=False)
class Solution:
    """What the solver found."""

    termination: Termination
    """How the search ended, money in USD."""
    values: Floats | None
    """The solution vector; None if there is none."""
    prices: Floats | None = None
    """Worth of a unit more on the right of each row, in million USD, where all whole decisions were fixed."""
