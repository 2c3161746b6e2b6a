"""Question and answer about a site's fleet over MW; the arithmetic is in :mod:`optimizer.app.merit_order`."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Month, Name, Real, Value, raise_problems
from optimizer.domain.curves import HASHPRICE
from optimizer.domain.findings import Finding
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import did_you_mean


class MeritOrderSpec(Value):
    """What a month is worth by the MW that a site leaves to its fleet of the start."""

    portfolio: Portfolio
    """The portfolio whose site, fleets and market are meant."""
    site: Name
    """Name of the site."""
    month: Month | None = None
    """Month of the horizon; the first one if absent."""
    hashprice_usd_per_ph_day: Annotated[float, HASHPRICE] | None = None
    """Hashprice in USD per PH/s and day; that of the base paths in the month if absent."""

    @model_validator(mode="after")
    def _in_the_portfolio(self) -> MeritOrderSpec:
        sites, horizon = [site.name for site in self.portfolio.sites], self.portfolio.horizon
        with_fleet = {fleet.site for fleet in self.portfolio.fleets if fleet.count}
        found: list[Finding] = []
        if self.site not in sites:
            hint = did_you_mean(self.site, sites).removeprefix("; ") or f"sites are {', '.join(sites)}"
            found.append((("site",), f"no site is named {self.site!r}", hint, self.site))
        elif self.site not in with_fleet:
            hint = f"they do at {', '.join(sorted(with_fleet))}" if with_fleet else "add fleets to the portfolio"
            found.append((("site",), f"no machines stand at {self.site}", hint, self.site))
        if self.month is not None and not 0 <= horizon.index_of(self.month) < horizon.month_count:
            span = f"{horizon.start_month:%Y-%m}..{horizon.months[-1]:%Y-%m}"
            told = f"{self.month:%Y-%m} is outside the horizon {span}"
            found.append((("month",), told, "name a month of the horizon", self.month))
        raise_problems("MeritOrderSpec", found)
        return self


class MeritOrderStep(Value):
    """Machines of one kind raised to one operating mode: the lowest from standing still, the next from the one below.

    Worth and MW are those of the rise.
    """

    asic_model: str
    """Name of the ASIC model."""
    condition_frac: Real
    """Share of nameplate hashrate that the machines still reach."""
    mode: str
    """Label of the mode, or its power."""
    machine_count: int
    """Machines that take the step."""
    grid_mw: Real
    """MW at the meter that the step takes."""
    cumulative_grid_mw: Real
    """MW at the meter of this step and all before it."""
    usd_per_mw_month: Real
    """Value of a MW within the step in the month, USD; not above 0 where it does not pay."""
    cumulative_usd_per_month: Real
    """Value of the month up to here, USD; steps that do not pay add nothing."""


class MeritOrder(Value):
    """Value of a site's month over MW, the best machines first: concave and piecewise linear.

    Value is revenue after the pool's fee, less power with adders in the hours that run, plus load income, less
    operating cost by MW.
    """

    month: Month
    """Month."""
    hashprice_usd_per_ph_day: Real
    """Hashprice, stated or of the base paths."""
    mean_power_usd_per_mwh: Real
    """Mean price of a MWh over all hours of the month, with adders, level and escalation."""
    load_income_usd_per_mw_month: Real
    """Demand response and transmission credits in the values."""
    opex_usd_per_mw_month: Real
    """Operating cost without energy in the values."""
    paying_grid_mw: Real
    """MW at the meter beyond which another one is worth nothing."""
    fleet_grid_mw: Real
    """MW at the meter of the whole fleet."""
    limit_grid_mw: Real
    """MW at the meter that connection and halls leave to mining in the month."""
    steps: tuple[MeritOrderStep, ...]
    """Steps in falling value of a MW."""
