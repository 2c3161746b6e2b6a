"""Textbook cases of CVaR, solved by cuts for the tail at the point at hand, as plans are.

Rockafellar and Uryasev (2000), "Optimization of conditional value-at-risk", Journal of Risk 2(3), section 4: three
assets with normal returns. Birge and Louveaux (2011), "Introduction to Stochastic Programming", section 1.1: the farmer.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import norm, qmc
from support import EXACT, matrix

from optimizer.risk import cvar_usd
from optimizer.solve import LiveModel, Search

MEAN = np.array([0.0101110, 0.0043532, 0.0137058])
COVARIANCE = np.array([
    [0.00324625, 0.00022983, 0.00420395],
    [0.00022983, 0.00049937, 0.00019247],
    [0.00420395, 0.00019247, 0.00764097],
])  # fmt: skip
LEAST_RETURN = 0.011
WEIGHTS = [0.452013, 0.115573, 0.432414]
"""Of the best portfolio, whatever the tail: with normal returns it is that of least variance."""
MOST_CUTS = 80
FARM = {"land": 500.0, "wheat": 200.0, "corn": 240.0}
YIELDS = np.array([[3.0, 3.6, 24.0], [2.5, 3.0, 20.0], [2.0, 2.4, 16.0]])
"""Tons an acre of wheat, corn and beets in a good, a mean and a bad year, equally likely."""


def tail_weights(outcomes, mass):
    """What each outcome counts in CVaR."""
    weights, left = np.zeros(len(outcomes)), mass * len(outcomes)
    for place in np.argsort(outcomes, kind="stable"):
        weights[place] = min(left, 1.0)
        left -= weights[place]
    return weights / weights.sum()


def best_by_cuts(cost, outcome_rows, constraints, mass, weight):
    """Maximise ``cost x + weight CVaR(outcome_rows x)`` by cuts on a column for CVaR, the last; values and cuts."""
    rows, upper = constraints
    count = outcome_rows.shape[1]
    program = matrix([*cost, weight], [[*row, 0.0] for row in rows], upper, most=1e6, integer=False)
    program.column_lower[-1] = -1e6
    model = LiveModel(program)
    for cuts in range(MOST_CUTS):
        model.run(EXACT, Search())
        values = model.values
        outcomes = outcome_rows @ values[:count]
        _, cvar = cvar_usd(outcomes, mass)
        if values[-1] <= cvar + 1e-6 * max(1.0, abs(cvar)):
            return values[:count], cuts
        slope = tail_weights(outcomes, mass) @ outcome_rows
        assert slope @ values[:count] == pytest.approx(cvar)
        model.add_row(np.arange(count + 1), np.append(-slope, 1.0), -np.inf, 0.0)
    raise AssertionError("the cuts do not end")


@pytest.mark.parametrize(("confidence", "cvar"), [(0.90, 0.096975), (0.95, 0.115908), (0.99, 0.152977)])
def test_three_assets(confidence, cvar):
    uniform = qmc.Sobol(3, seed=1).random(2**14)
    returns = MEAN + norm.ppf(uniform) @ np.linalg.cholesky(COVARIANCE).T
    rows = [np.ones(3), -np.ones(3), -MEAN]
    found, _ = best_by_cuts(np.zeros(3), returns, (rows, [1.0, -1.0, -LEAST_RETURN]), 1.0 - confidence, 1.0)
    var, loss = (-item for item in cvar_usd(returns @ found, 1.0 - confidence))
    assert loss == pytest.approx(cvar, rel=0.01)
    assert found == pytest.approx(WEIGHTS, abs=0.02)
    # The published numbers by the formulas of the normal distribution, of the published weights.
    deviation = np.sqrt(WEIGHTS @ COVARIANCE @ np.array(WEIGHTS))
    tail = norm.pdf(norm.ppf(confidence)) / (1.0 - confidence)
    assert tail * deviation - MEAN @ WEIGHTS == pytest.approx(cvar, abs=1e-5)
    assert var < loss


def farm():
    """Cost and outcome rows over acres and, for each year, purchases, sales and dear and cheap sales of beets."""
    acres = [-150.0, -230.0, -260.0]
    trade = [
        -238.0,
        -210.0,
        170.0,
        150.0,
        36.0,
        10.0,
    ]  # buy wheat and corn, sell wheat, corn, beets up to quota, beyond
    outcomes = np.zeros((3, 21))
    rows, upper = [[1.0, 1.0, 1.0, *[0.0] * 18]], [FARM["land"]]
    for year, crop in enumerate(YIELDS):
        first = 3 + 6 * year
        outcomes[year, :3], outcomes[year, first : first + 6] = acres, trade
        wheat, corn, beets, quota = np.zeros((4, 21))
        wheat[[0, first, first + 2]] = -crop[0], -1.0, 1.0
        corn[[1, first + 1, first + 3]] = -crop[1], -1.0, 1.0
        beets[[2, first + 4, first + 5]] = -crop[2], 1.0, 1.0
        quota[first + 4] = 1.0
        rows += [wheat, corn, beets, quota]
        upper += [-FARM["wheat"], -FARM["corn"], 0.0, 6000.0]
    return outcomes, rows, upper


def test_the_farmer_without_a_tail():
    outcomes, rows, upper = farm()
    found, cuts = best_by_cuts(outcomes.mean(axis=0), outcomes, (rows, upper), 1.0, 0.0)
    assert found[:3] == pytest.approx([170.0, 80.0, 250.0], abs=1e-4)
    assert (outcomes @ found).mean() == pytest.approx(108_390.0, abs=0.5)
    assert cuts <= 1


@pytest.mark.parametrize("mass", [1 / 3, 0.5, 0.9])
@pytest.mark.parametrize("weight", [0.5, 5.0])
def test_the_farmer_with_a_tail_as_in_the_extensive_form(mass, weight):
    outcomes, rows, upper = farm()
    found, _ = best_by_cuts(outcomes.mean(axis=0), outcomes, (rows, upper), mass, weight)
    worth = (outcomes @ found).mean() + weight * cvar_usd(outcomes @ found, mass)[1]
    # Rows of Rockafellar and Uryasev: eta free, z_w >= eta - outcome_w, CVaR = eta - sum z / (a W).
    extended = [[*row, 0.0, 0.0, 0.0, 0.0] for row in rows]
    extended += [[*-outcomes[year], 1.0, *-np.eye(3)[year]] for year in range(3)]
    cost = [*-outcomes.mean(axis=0), -weight, *[weight / (3 * mass)] * 3]
    bounds = [(0, None)] * 21 + [(None, None)] + [(0, None)] * 3
    extensive = linprog(cost, A_ub=extended, b_ub=[*upper, 0.0, 0.0, 0.0], bounds=bounds)
    assert worth == pytest.approx(-extensive.fun, rel=1e-7)
