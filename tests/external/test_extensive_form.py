"""CVaR by cuts against an extensive form stated apart: in Pyomo, from the costs of one scenario at a time, by SCIP.

Rows come from the program without CVaR, what a scenario is worth from a program that has that scenario alone; nothing of
:mod:`optimizer.model.tail` is used.
"""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest
from support import EXACT, asic, assembled, fleet, offer, place, portfolio, site

from optimizer.app import plan
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

SCENARIOS = 12
TAIL = 0.25


def case(**risk: float) -> Portfolio:
    """Two sites, three leases of tenants that may fail, machines that may stop; bitcoin and power vary."""
    hazards = {"O1": 0.6, "O2": 0.02, "O3": 0.3}
    rents = {"O1": 55.0, "O2": 29.0, "O3": 40.0}
    terms = {"capex_usd_per_critical_mw": 2e4, "halls_displaced_mw_per_critical_mw": 1.0}
    places = [place("A", **terms), place("B", **terms)]
    return portfolio(
        8,
        sites=[site("A", grid_mw=20.0, hall_mw=20.0), site("B", grid_mw=12.0, hall_mw=12.0)],
        asic_models=[asic()],
        fleets=[fleet(3000, "A"), fleet(2000, "B")],
        offers=[
            offer(name, term_months=6, price_usd_per_kw_month=rents[name], sites=places,
                  credit={"default_hazard_per_year_frac": hazard, "vacancy_months": 12})
            for name, hazard in hazards.items()
        ],
        market={
            "uncertainty": [
                {"factor": "btc_price", "volatility_per_year_frac": 0.9},
                {"factor": "power_price", "volatility_per_year_frac": 0.4},
            ]
        },
        risk={"scenario_count": SCENARIOS, "tail_probability": TAIL, **risk},
    )  # fmt: skip


def extensive_usd(stated: Portfolio, weight: float, floor_musd: float | None, file: object) -> float:
    """The optimum of Rockafellar and Uryasev's program: mean, weighted CVaR and its floor, by SCIP."""
    from pyscipopt import Model

    matrix = assembled(stated).compile()
    alone = []
    for w in range(SCENARIOS):
        program = assemble(PlanningProblem.of(stated, Futures.of(stated, w, 1)), FORMULATION).compile()
        assert program.shape[1] == matrix.shape[1]
        alone.append((program.constant, program.cost))
    model, columns, scenarios = pyo.ConcreteModel(), range(matrix.shape[1]), range(SCENARIOS)

    def bounds(_: object, j: int) -> tuple[float | None, ...]:
        return tuple(None if np.isinf(x) else float(x) for x in (matrix.column_lower[j], matrix.column_upper[j]))

    model.x = pyo.Var(columns, bounds=bounds, within=lambda _, j: pyo.Integers if matrix.integer[j] else pyo.Reals)
    model.var, model.below = pyo.Var(), pyo.Var(scenarios, within=pyo.NonNegativeReals)
    model.rows = pyo.ConstraintList()
    for i, (first, last) in enumerate(zip(matrix.start, matrix.start[1:], strict=False)):
        if last > first:
            body = sum(
                float(v) * model.x[int(j)]
                for j, v in zip(matrix.index[first:last], matrix.value[first:last], strict=True)
            )
            lower, upper = (None if np.isinf(x[i]) else float(x[i]) for x in (matrix.row_lower, matrix.row_upper))
            model.rows.add(pyo.inequality(lower, body, upper) if lower != upper else body == lower)

    def worth(constant: float, cost: np.ndarray) -> object:
        return float(constant) + sum(float(cost[j]) * model.x[j] for j in np.flatnonzero(cost).tolist())

    for w in scenarios:
        model.rows.add(model.below[w] >= model.var - worth(*alone[w]))
    cvar = model.var - sum(model.below[w] for w in scenarios) / (TAIL * SCENARIOS)
    if floor_musd is not None:
        model.rows.add(cvar >= floor_musd)
    mean = sum(worth(*alone[w]) for w in scenarios) / SCENARIOS
    model.objective = pyo.Objective(expr=mean + weight * cvar, sense=pyo.maximize)
    model.write(str(file))
    scip = Model()
    scip.hideOutput()
    scip.readProblem(str(file))
    scip.optimize()
    assert scip.getStatus() == "optimal"
    return float(scip.getObjVal()) * 1e6


@pytest.mark.parametrize(("weight", "floor_usd"), [(0.0, None), (0.5, None), (3.0, None), (0.2, 5.1e6)])
def test_cuts_find_its_optimum(weight, floor_usd, tmp_path):
    found = plan(case(cvar_weight_frac=weight, minimum_cvar_usd=floor_usd), EXACT)
    expected = extensive_usd(case(), weight, None if floor_usd is None else floor_usd / 1e6, tmp_path / "program.lp")
    assert found.termination.objective_usd == pytest.approx(expected, abs=20.0)
    assert found.audit.passed


def test_the_case_is_worth_trying():
    plans = [plan(case(cvar_weight_frac=weight), EXACT) for weight in (0.0, 0.5, 3.0)]
    signed = {tuple((item.offer, item.site, item.sign_month) for item in found.contracts) for found in plans}
    assert len(signed) >= 2
    assert plans[2].cvar.cut_count >= 1
