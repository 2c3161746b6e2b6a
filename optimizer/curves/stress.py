"""What a stress makes of a portfolio: a market without chance, and sites under other rules of the grid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import _sampling as sampling
from optimizer.domain.construction import ConstructionOutcome
from optimizer.domain.horizon import Horizon
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import DemandResponse, Site, TransmissionCredit
from optimizer.domain.stress import Stress
from optimizer.domain.uncertainty import Overlay


def stressed_portfolio(portfolio: Portfolio, stress: Stress) -> Portfolio:
    """The portfolio in a stress: its shocks come for certain, nothing else is uncertain, and it has no stresses."""
    shocks = tuple(
        Overlay(
            name=f"{stress.name} {index}",
            probability_frac=1.0,
            begin_from_month=shock.begin_month,
            begin_until_month=shock.begin_month,
            preset=shock.preset,
            effects=shock.effects,
        )
        for index, shock in enumerate(stress.shocks)
    )
    certain: dict[str, object] = {
        "uncertainty": (), "correlations": (), "bootstrap": None, "scenario_table": None, "overlays": shocks,
        "credit_factor": None, "country_risks": (),
    }  # fmt: skip
    return portfolio.model_copy(
        update={
            "market": portfolio.market.model_copy(update=certain),
            "sites": tuple(_under_rules(site, stress) for site in portfolio.sites),
            "finance": portfolio.finance.model_copy(update={"stresses": ()}),
        }
    )


def stated_defaults(
    stress: Stress, parties: Iterable[str], tenants: Container[str], horizon: Horizon
) -> dict[str, NDArray[np.int32]]:
    """Month of default of tenants, and of who else can fail, in the one path of a stress, ``[1]``."""
    stated = {item.tenant: horizon.index_of(item.default_month) for item in stress.defaults}
    others = stated.get(None, sampling.NEVER)
    months = {name: stated.get(name, others if name in tenants else sampling.NEVER) for name in parties}
    return {name: np.array([month], dtype=np.int32) for name, month in months.items()}


def _under_rules(site: Site, stress: Stress) -> Site:
    return site.model_copy(
        update={
            "construction_outcomes": _certain_outcome(site, stress),
            "demand_response": _ended(site.demand_response, stress.demand_response_end_month),
            "transmission_credit": _ended(site.transmission_credit, stress.transmission_credit_end_month),
        }
    )


def _certain_outcome(site: Site, stress: Stress) -> tuple[ConstructionOutcome, ...]:
    """How building at a site turns out in a stress; nothing, if as planned."""
    stated = {item.site: item for item in stress.construction}
    found = stated.get(site.name, stated.get(None))
    terms = found.model_dump(exclude={"site"}) if found is not None else {}
    return (ConstructionOutcome(probability_frac=1.0, **terms),) if any(terms.values()) else ()


def _ended(income: DemandResponse | TransmissionCredit | None, end: dt.date | None) -> object:
    """An income that ends when it would, or in ``end`` if that is earlier."""
    if income is None or end is None:
        return income
    until = end if income.until_month is None else min(income.until_month, end)
    return income.model_copy(update={"until_month": until})
