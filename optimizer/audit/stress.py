"""Cash and NPV of a plan in every stress: the same decisions, the market and the rules of the stress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from optimizer.audit.paths import FloatArray, MarketPaths
from optimizer.domain import ConstructionOutcome, Decisions, Portfolio, Site, Stress
from optimizer.domain.outcome import StressOutcome

if TYPE_CHECKING:
    from optimizer.audit.recalculate import Recalculation


def in_stresses(
    portfolio: Portfolio,
    futures: MarketPaths,
    decisions: Decisions,
    recalculated: Callable[[Portfolio, MarketPaths, Decisions], Recalculation],
) -> tuple[FloatArray, FloatArray]:
    """Cash at the end of each month in each stress, ``[K, T]``, and NPV, ``[K]``; before tax, which is expected."""
    stresses = portfolio.finance.stresses
    cash, npv = np.zeros((len(stresses), portfolio.horizon.month_count)), np.zeros(len(stresses))
    for k, stress in enumerate(stresses):
        found = recalculated(_under_rules(portfolio, stress), futures.under(stress), decisions)
        cash[k], npv[k] = found.cash_usd, found.npv_usd
    return cash, npv


def stress_outcomes(recalculation: Recalculation) -> tuple[StressOutcome, ...]:
    """The least cash at the end of a month, and the NPV, in each stress."""
    portfolio = recalculation.book.portfolio
    least = recalculation.stress_cash_usd.argmin(axis=1)
    return tuple(
        StressOutcome(
            stress=stress.name,
            minimum_liquidity_usd=stress.minimum_liquidity_usd,
            least_cash_usd=float(recalculation.stress_cash_usd[k, least[k]]),
            least_cash_month=portfolio.horizon.month_at(int(least[k])),
            npv_usd=float(recalculation.stress_npv_usd[k]),
        )
        for k, stress in enumerate(portfolio.finance.stresses)
    )


def _under_rules(portfolio: Portfolio, stress: Stress) -> Portfolio:
    """The portfolio under the grid's rules and with the building of a stress, without tax and further stresses."""
    finance = portfolio.finance.model_copy(update={"stresses": (), "tax": None})
    return portfolio.model_copy(
        update={"finance": finance, "sites": tuple(_cut(site, stress) for site in portfolio.sites)}
    )


def _cut(site: Site, stress: Stress) -> Site:
    changed: dict[str, object] = {"construction_outcomes": _building(site, stress)}
    for name in ("demand_response", "transmission_credit"):
        end: dt.date | None = getattr(stress, f"{name}_end_month")
        terms = getattr(site, name)
        if terms is not None and end is not None and (terms.until_month is None or end < terms.until_month):
            changed[name] = terms.model_copy(update={"until_month": end})
    return site.model_copy(update=changed)


def _building(site: Site, stress: Stress) -> tuple[ConstructionOutcome, ...]:
    """How building there turns out for certain: as stated for the site, else for all sites, else as planned."""
    for name in (site.name, None):
        for item in stress.construction:
            if item.site == name:
                late, dearer, slip = item.delay_months, item.capex_overrun_frac, item.interconnect_slip_months
                if not late and not dearer and not slip:
                    return ()
                found = ConstructionOutcome(
                    probability_frac=1.0,
                    delay_months=late,
                    capex_overrun_frac=dearer,
                    interconnect_slip_months=slip,
                )
                return (found,)
    return ()
