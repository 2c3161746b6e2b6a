"""Variations of a portfolio: the same answers as planned by themselves, each with a bound and an audit of its own."""

from __future__ import annotations

import doctest
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest
from support import EXACT, asic, close, fleet, gpu_option, offer, opening, portfolio, site

from optimizer.app import WhatIfs, plan
from optimizer.app.changes import changed
from optimizer.app.what_if import LEAST_S, Kept
from optimizer.domain import Limit, SolveOptions, TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.solve import Leaf
from optimizer.solve.bases import basis_text

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "what-ifs.md"


def test_the_page_shows_what_happens():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 5
    assert results.failed == 0


def case(**parts):
    terms = {
        "sites": [site("A", grid_mw=40.0), site("B", grid_mw=20.0, opening=opening(2e5))],
        "asic_models": [asic()],
        "fleets": [fleet(4000)],
        "offers": [
            offer("O1", sign_until_month="2027-03"), offer("O2", price_usd_per_kw_month=60.0, term_months=3),
            offer("O3", price_usd_per_kw_month=80.0, sites=[{"site": "B", "capex_usd_per_critical_mw": 1e5, "build_months": 1}]),
        ],
        "gpu_options": [gpu_option(capex_usd_per_gpu=1000.0, maximum_block_count=3)],
        "finance": {"opening_cash_usd": 3e6, "minimum_liquidity_usd": 1e6},
    }  # fmt: skip
    return portfolio(5, discount_per_year_frac=0.1, **{**terms, **parts})


@pytest.fixture(scope="module")
def what_ifs():
    return WhatIfs(case(), EXACT, time_share_frac=1e3)


VARIATIONS = [
    ({"market.btc_usd": 0.6}, {}),
    ({"market.btc_usd": 1.7, "offers[O1].price_usd_per_kw_month": 0.5}, {}),
    ({"offers[*].sites[*].capex_usd_per_critical_mw": 8.0}, {}),
    ({"gpu_options[G].capex_usd_per_gpu": 0.2, "sites[B].opening.capex_usd": 9.0}, {}),
    ({}, {"finance.opening_cash_usd": 1.3e6}),
    ({"gpu_options[0].rental_usd_per_gpu_hour": 3.0}, {"finance.minimum_liquidity_usd": 0.0}),
    ({}, {"offers[O2].price_usd_per_kw_month": 200.0, "horizon.start_month": "2027-01"}),
]


@pytest.mark.parametrize(("scale", "change"), VARIATIONS, ids=str)
def test_it_is_what_planning_anew_finds(what_ifs, scale, change):
    found, anew = what_ifs.plan(scale=scale, change=change), plan(changed(case(), scale, change), EXACT)
    assert found.audit.failures == ()
    assert found.termination.reason == anew.termination.reason == "optimal"
    assert close(found.termination.objective_usd, anew.termination.objective_usd, usd=5.0)
    assert found.termination.bound_usd >= anew.termination.objective_usd - 5.0
    assert found.business_as_usual.npv_usd == pytest.approx(anew.business_as_usual.npv_usd, abs=5.0)
    assert found.manifest.portfolio_sha256 == anew.manifest.portfolio_sha256
    assert found.distribution.mean_usd == pytest.approx(found.npv.total_usd, abs=1.0)


def test_the_variations_are_worth_trying(what_ifs):
    contracts, worths = set(), set()
    for scale, change in VARIATIONS:
        found = what_ifs.plan(scale=scale, change=change)
        contracts.add(tuple(sorted((item.offer, item.site) for item in found.contracts)))
        worths.add(round(found.termination.objective_usd))
    assert len(worths) == len(VARIATIONS)
    assert len(contracts) >= 3


def test_the_base_is_the_plan(what_ifs):
    anew = plan(case(), EXACT)
    assert what_ifs.base.decisions == anew.decisions
    assert what_ifs.base.termination == anew.termination
    again = what_ifs.plan()
    assert close(again.termination.objective_usd, anew.termination.objective_usd)


def test_other_structures_are_planned_too(what_ifs):
    fewer = case(offers=[offer("O1", sign_until_month="2027-03")], sites=[site("A", grid_mw=40.0)])
    assert close(what_ifs.plan(fewer).termination.objective_usd, plan(fewer, EXACT).termination.objective_usd)
    assert close(what_ifs.plan().termination.objective_usd, what_ifs.base.termination.objective_usd)


def test_what_cannot_be_is_infeasible_and_the_next_is_not(what_ifs):
    bound = case(
        policy={"mandatory": [{"offer": "O1"}]}, sites=[site("A", grid_mw=4.0), site("B", opening=opening(2e5))]
    )
    assert what_ifs.plan(bound).termination.reason == "infeasible"
    assert close(what_ifs.plan().termination.objective_usd, what_ifs.base.termination.objective_usd)
    # A base without a plan: the variation is planned anew.
    other = WhatIfs(bound, EXACT)
    assert other.base.termination.reason == "infeasible"
    assert other.plan(case()).termination.reason == "optimal"


def test_own_constraints_hold_in_every_variation():
    def no_openings(own):
        own.block.none = pyo.Constraint(expr=own.total("open_site") + own.total("gpu_blocks") <= 1)

    asked = WhatIfs(case(), EXACT, own_constraints=[no_openings], time_share_frac=1e3)
    scale = {"gpu_options[G].capex_usd_per_gpu": 0.2}
    found = asked.plan(scale=scale)
    anew = plan(changed(case(), scale, {}), EXACT, own_constraints=[no_openings])
    assert close(found.termination.objective_usd, anew.termination.objective_usd)
    assert found.audit.not_audited == ("no_openings",)


def test_hashprice_that_answers_to_the_plan():
    own = portfolio(3, asic_models=[asic()], fleets=[fleet(200_000)], market={"own_hashrate_feedback": True},
                    sites=[site(grid_mw=1500.0, hall_mw=1500.0, power={"flat_usd_per_mwh": 70.0})])  # fmt: skip
    scale = {"sites[A].power.flat_usd_per_mwh": 0.5}
    found, anew = WhatIfs(own, EXACT).plan(scale=scale), plan(changed(own, scale, {}), EXACT)
    assert found.audit.failures == ()
    assert found.own_hashrate.npv_effect_usd == pytest.approx(anew.own_hashrate.npv_effect_usd, rel=1e-2)


def test_a_share_of_the_time_and_a_stop():
    stop = []
    asked = WhatIfs(case(), SolveOptions(gap_frac=0.0), should_stop=lambda: bool(stop), time_share_frac=0.0)
    assert asked.options.time_limit_s == LEAST_S
    assert WhatIfs(case(), SolveOptions(time_limit_s=0.5), time_share_frac=1e3).options.time_limit_s == 0.5
    stop.append(1)
    # The whole decisions of the base are a plan at once, of which nothing is proven.
    found = asked.plan(scale={"market.btc_usd": 1.2})
    assert (found.termination.reason, found.termination.limit) == (TerminationReason.FEASIBLE, Limit.INTERRUPTED)
    assert (found.termination.bound_usd, found.termination.gap_frac) == (None, None)
    assert found.audit.failures == ()
    assert {item.offer for item in found.contracts} == {item.offer for item in asked.base.contracts}


def test_other_solvers_are_refused():
    for terms in ({"solver": "scip"}, {"paranoid": True}):
        with pytest.raises(InvalidInputError, match="what-ifs are solved by HiGHS, once each"):
            WhatIfs(case(), SolveOptions(**terms))


# ---------------------------------------------------------------------------------------------------------------- changes


def test_a_path_over_time_is_scaled_whole():
    steps = {"points": [{"from_month": "2027-01", "value": 2.0}, {"from_month": "2027-02", "value": 3.0}]}
    grows = {"value": 1e5, "growth_per_year_frac": 0.1}
    stated = case(gpu_options=[gpu_option(rental_usd_per_gpu_hour=steps)], market={"btc_usd": grows})
    found = changed(stated, {"gpu_options[G].rental_usd_per_gpu_hour": 2.0, "market.btc_usd": 0.5}, {})
    assert [point.value for point in found.gpu_options[0].rental_usd_per_gpu_hour.points] == [4.0, 6.0]
    assert (found.market.btc_usd.value, found.market.btc_usd.growth_per_year_frac) == (5e4, 0.1)
    assert found.sites == stated.sites
    assert changed(stated, {}, {}) == stated


def test_what_was_a_default_stays_one():
    found = changed(case(), {"market.btc_usd": 2.0}, {})
    assert "escalator_per_year_frac" not in found.offers[0].model_fields_set
    assert found.market.model_fields_set == case().market.model_fields_set


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("market.btc", "has no 'btc'; did you mean 'btc_usd'?"),
        ("offers[O9].price_usd_per_kw_month", "no item is named 'O9'"),
        ("offers.price_usd_per_kw_month", "has no 'price_usd_per_kw_month'; paths end at a number"),
        ("market[0].btc_usd", r"has no items at \[0\]; put brackets after a list"),
        ("name", "is 'case', not a number"),
        ("offers[O1", "is no path"),
        ("offers[O1].critical_mw", "-10 MW is outside"),
    ],
)
def test_a_wrong_change_is_refused_by_its_path(path, told):
    with pytest.raises(InvalidInputError, match=told):
        changed(case(), {path: -1.0}, {})


def test_what_another_process_is_sent_is_the_same_there_to_the_bit():
    narrowed = Leaf({3: 1.0}, {np.int64(4): 0.1 + 0.2}, {2: 1.0 / 3.0}, bound_musd=-np.inf)
    kept = WhatIfs(portfolio(offers=[offer()]), EXACT).kept
    kept = replace(kept, cover=(*kept.cover, narrowed))
    read = Kept.read(kept.dumped())
    for name, array in vars(kept.matrix).items():
        there = getattr(read.matrix, name)
        assert np.array_equal(array, there), name
        assert np.asarray(array).dtype == np.asarray(there).dtype, name
    assert [vars(leaf) for leaf in read.cover] == [vars(leaf) for leaf in kept.cover]
    assert read.chosen == kept.chosen
    assert kept.chosen
    assert {name: basis_text(item) for name, item in read.bases.items()} == {
        name: basis_text(item) for name, item in kept.bases.items()
    }
    assert kept.bases.keys() == {"root", "start 0"}
    there = WhatIfs.resumed(portfolio(offers=[offer()]), EXACT, read)
    assert {name: basis_text(item) for name, item in there._tree.bases.items()} == {
        name: basis_text(item) for name, item in kept.bases.items()
    }
