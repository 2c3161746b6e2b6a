"""Tenants that fail together: the mean of a plan stays, its tail does not, and what is stated wrongly is told."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support import best, offer, place, portfolio, site

from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.domain.base import validated
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

CREDIT = {"default_hazard_per_year_frac": 0.3, "vacancy_months": 9}
BACKED = CREDIT | {"backstop_share_frac": 0.5, "backstopper": "G", "backstop_hazard_per_year_frac": 0.2}
RENTAL = {"factor": "gpu_rental", "volatility_per_year_frac": 0.5}


def stated(factor=None, count=400, **market):
    """Two contracts, each at its own site, the second one with a backstop that can fail."""
    offers = [
        offer("O1", tenant="T1", credit=CREDIT, term_months=18, sites=[place("A")]),
        offer("O2", tenant="T2", credit=BACKED, term_months=18, sites=[place("B")]),
    ]
    if factor is not None:
        market["credit_factor"] = factor
    return portfolio(
        24,
        sites=[site("A"), site("B")],
        offers=offers,
        market={"re_lease_rent_usd_per_kw_month": 30.0, **market},
        risk={"scenario_count": count, "tail_probability": 0.1},
    )


@pytest.fixture(scope="module")
def alone_and_together():
    return {rho: best(stated({"asset_correlation_frac": rho})) for rho in (0.0, 0.8)}


def test_the_tail_is_worse_together_and_the_mean_is_not(alone_and_together):
    alone, together = alone_and_together[0.0].distribution, alone_and_together[0.8].distribution
    spread = alone.mean_usd - alone.cvar_usd
    assert spread > 1e6
    assert together.mean_usd == pytest.approx(alone.mean_usd, abs=0.1 * spread)
    assert together.cvar_usd < alone.cvar_usd - 0.2 * spread


def test_npv_by_scenario_averages_to_the_objective_and_is_made_of_the_months_of_default(alone_and_together):
    case, answer = stated({"asset_correlation_frac": 0.8}), alone_and_together[0.8]
    futures = Futures.of(case)
    assert answer.audit.passed
    npv = scenario_npv_usd(case, futures, answer.decisions, answer.npv.total_usd)
    assert npv.mean() == pytest.approx(answer.npv.total_usd, abs=1.0)
    months = np.stack([futures.default_month(name) for name in ("T1", "T2", "G")])
    for w, v in product(range(60), repeat=2):  # who fails in the same months earns the same
        if (np.minimum(months[:, w], 24) == np.minimum(months[:, v], 24)).all():
            assert npv[w] == pytest.approx(npv[v], abs=1.0)


def test_the_contracts_drive_the_tail(alone_and_together):
    told = {driver.told for driver in alone_and_together[0.8].tail_drivers}
    assert told == {"O1 at A", "O2 at B"}


def test_no_factor_and_none_in_common_are_one_plan(alone_and_together):
    plain = best(stated())
    assert plain.decisions == alone_and_together[0.0].decisions
    assert plain.distribution == alone_and_together[0.0].distribution


def test_hazards_are_those_of_the_offers_also_of_a_copy():
    case = stated()
    assert case.default_hazards == {"T1": 0.3, "T2": 0.3, "G": 0.2}
    first = case.offers[0]
    safer = first.model_copy(update={"credit": first.credit.model_copy(update={"default_hazard_per_year_frac": 0.01})})
    assert case.model_copy(update={"offers": (safer, case.offers[1])}).default_hazards["T1"] == 0.01


@pytest.mark.parametrize(
    ("credit", "factor", "told"),
    [
        ({"backstop_hazard_per_year_frac": 0.1}, None, r"offers\[0\].credit.*a backstop that pays nothing"),
        ({**BACKED, "backstop_hazard_per_year_frac": 0.1}, None, r"'G' has a hazard of 0.2 here and 0.1 before"),
        ({**BACKED, "backstopper": "T2"}, None, r"'T2' has a hazard of 0.3 here and 0.2 before.*defaults once"),
        (CREDIT, {"asset_correlation_frac": 1.2}, r"asset_correlation_frac: 1.2 fraction is outside"),
        (CREDIT, {"asset_correlation_frac": 0.2, "market_factor": "gpu_rental"}, "state both, or neither"),
        (CREDIT, {"asset_correlation_frac": 0.2, "market_correlation_frac": 0.5}, "state both, or neither"),
        (
            CREDIT,
            {"asset_correlation_frac": 0.2, "market_factor": "btc_price", "market_correlation_frac": 0.5},
            "credit goes with btc_price, which has no process of its own; add its volatility",
        ),
    ],
)
def test_what_is_stated_wrongly_is_told(credit, factor, told):
    data = stated(uncertainty=[RENTAL]).model_dump(mode="json")
    data["offers"][0]["credit"] = credit
    data["market"]["credit_factor"] = factor
    with pytest.raises(InvalidInputError, match=told):
        validated(Portfolio, data, "portfolio")
