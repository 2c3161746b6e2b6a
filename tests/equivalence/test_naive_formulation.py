"""The naive formulation: the same optimum as the model's, and a looser relaxation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import EXACT, asic, assembled, close, fleet, offer, opening, place, portfolio, scalable, site
from works_portfolios import works_portfolio

from optimizer.bench.instances import instance
from optimizer.bench.naive import NAIVE_FORMULATION, ROWS
from optimizer.domain import SolveOptions
from optimizer.model.formulation import FORMULATION
from optimizer.solve import solve_program

SEEDS = 24


def best(case, formulation) -> float | None:
    return solve_program(assembled(case, formulation).compile(), EXACT).termination.objective_usd


def relaxed(case, formulation) -> float:
    matrix = assembled(case, formulation).compile()
    loose = replace(matrix, integer=np.zeros_like(matrix.integer))
    return solve_program(loose, EXACT).termination.objective_usd


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_optimum_is_the_models(seed):
    case = random_portfolio(500 + seed, machines=seed % 2 == 0)
    ours, naive = best(case, FORMULATION), best(case, NAIVE_FORMULATION)
    assert naive == ours if ours is None else close(naive, ours, 20.0)


@pytest.mark.parametrize("seed", range(8))
def test_the_optimum_is_the_models_with_works_at_sites(seed):
    case = works_portfolio(900 + seed)
    ours, naive = best(case, FORMULATION), best(case, NAIVE_FORMULATION)
    assert naive == ours if ours is None else close(naive, ours, 20.0)


HARD = {
    "halls down while it is built": portfolio(
        8,
        segments=[(1, 2), (3, 2)],
        sites=[site(hall_mw=10.0)],
        asic_models=[asic()],
        fleets=[fleet(2000)],
        offers=[
            offer(
                price_usd_per_kw_month=120.0,
                sign_until_month="2027-04",
                phases=[{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 1}],
                sites=[
                    place(
                        build_months=2,
                        halls_displaced_mw_per_critical_mw=0.1,
                        halls_down_mw_per_critical_mw=0.4,
                    )
                ],
            )
        ],
    ),
    "phases and a ramp": portfolio(
        8,
        sites=[site(hall_mw=12.0, grid=[{"from_month": "2027-01", "grid_mw": 6.0}, {"from_month": "2027-05", "grid_mw": 12.0}])],
        offers=[
            offer(
                name,
                sign_until_month="2027-04",
                term_months=4,
                phases=[{"share_frac": 0.4, "offset_months": 0}, {"share_frac": 0.6, "offset_months": 1}],
                sites=[place(build_months=2, halls_displaced_mw_per_critical_mw=0.5, earliest_energize_month="2027-04")],
            )
            for name in ("O1", "O2")
        ],
        policy={"parallel_builds": [{"maximum_count": 1}]},
    ),
    "one builder, two sites, one to open": portfolio(
        10,
        sites=[site("A"), site("B", opening=opening(2e5, 2, "2027-02"))],
        offers=[
            offer(name, sign_until_month="2027-06", price_usd_per_kw_month=price, sites=[place("A", build_months=3), place("B", build_months=2)])
            for name, price in (("O1", 200.0), ("O2", 240.0), ("O3", 260.0))
        ],
        policy={"parallel_builds": [{"region": "US-TX", "maximum_count": 1}]},
    ),
    "quarters": portfolio(
        12,
        segments=[(1, 3), (3, 3)],
        sites=[site(grid_mw=12.0)],
        offers=[offer(name, sign_until_month="2027-09", term_months=3, price_usd_per_kw_month=price) for name, price in (("O1", 90.0), ("O2", 95.0))],
    ),
    "scaled": portfolio(
        6,
        sites=[site(grid_mw=12.0)],
        offers=[scalable("O1", sign_until_month="2027-03"), scalable("O2", sign_until_month="2027-03", price_usd_per_kw_month=110.0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_the_optimum_is_the_models_where_a_status_binds(name):
    ours = best(HARD[name], FORMULATION)
    assert ours > 0.0
    assert close(best(HARD[name], NAIVE_FORMULATION), ours)


@pytest.mark.parametrize("name", HARD)
def test_its_relaxation_is_no_tighter(name):
    assert relaxed(HARD[name], NAIVE_FORMULATION) >= relaxed(HARD[name], FORMULATION) - 1.0


def test_an_instance_has_the_same_optimum():
    case = instance(2, 4, 36, 1)
    options = SolveOptions(gap_frac=1e-6, time_limit_s=60.0)
    worth = [
        solve_program(assembled(case, form).compile(), options).termination for form in (FORMULATION, NAIVE_FORMULATION)
    ]
    assert {item.reason for item in worth} == {"optimal"}
    assert worth[1].objective_usd == pytest.approx(worth[0].objective_usd, rel=2e-6)


SHOWN_BY = {
    "signed_when_contract_begins": 9,
    "contract_lasts": 3,
    "live_after_building": 9,
    "halls_taken_for_good": 9,
    "under_construction_until_live": 9,
    "construction_at_open_site": 11,
    "megawatts_of_status": 3,
    "works_until_live": "halls down while it is built",
    "use_in_period": 3,
    "parallel_builds_within_limit": 9,
}
"""Of each block of rows a case, or the seed of one, that would be worth more without it."""


def test_only_one_block_follows_from_the_others():
    assert set(ROWS) - set(SHOWN_BY) == {"one_contract_an_offer"}


@pytest.mark.parametrize("rows", SHOWN_BY)
def test_no_rows_are_idle(rows):
    seed = SHOWN_BY[rows]
    case = HARD[seed] if isinstance(seed, str) else random_portfolio(500 + seed, machines=seed % 2 == 0)
    program = assembled(case, NAIVE_FORMULATION)
    worth = solve_program(program.compile(), EXACT).termination.objective_usd
    del program.rows[rows]
    assert solve_program(program.compile(), EXACT).termination.objective_usd > worth + 20.0
