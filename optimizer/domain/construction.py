"""What may become of the building of contracts at a site: late, dearer, or both."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Months, Quantity, Value, problem

Overrun = Annotated[float, Quantity("fraction", 0.0, 5.0, "a fraction: 20 % more is 0.2")]
LikelyFrac = Annotated[float, Quantity("fraction", 1e-6, 1.0, "a fraction: 25 % is 0.25; drop what cannot happen")]
MOST_PROBABILITY = 1.0 + 1e-9
"""Probabilities that sum to more are wrong."""


class ConstructionOutcome(Value):
    """One way in which the building of all contracts at a site may turn out."""

    probability_frac: LikelyFrac
    """Probability of it; what the outcomes of a site leave of 1 is that all is built as planned."""
    delay_months: Months = 0
    """Months by which every phase energizes late."""
    capex_overrun_frac: Overrun = 0.0
    """What the owner pays on top, as a share of the owner's capex."""
    interconnect_slip_months: Months = 0
    """Months by which the interconnect is late: nothing energizes before an ``earliest_energize_month`` and so many."""

    @model_validator(mode="after")
    def _differs(self) -> ConstructionOutcome:
        if not self.delay_months and not self.capex_overrun_frac and not self.interconnect_slip_months:
            raise problem(
                "construction",
                "an outcome of construction is neither late nor dearer",
                "state delay_months, capex_overrun_frac or interconnect_slip_months, or drop it: what is left of the "
                "probability is as planned",
            )
        return self
