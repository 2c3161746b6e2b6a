"""Published stochastic programs, solved by the cuts that the planner states: the tail of each solution is cut off.

Three assets: Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk, doi:10.21314/JOR.2000.038.
The farmer: Birge and Louveaux, Introduction to Stochastic Programming, section 1.1.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from optimizer.domain.options import SolveOptions
from optimizer.model.program import Program, Triplets
from optimizer.model.tail import TailCut, state_cuts
from optimizer.risk import cvar_usd, tail_of
from optimizer.solve import LiveModel, Search

MEAN_RETURN = np.array([0.0101110, 0.0043532, 0.0137058])
"""Of the S&P 500, long-term US government bonds and small capitalisation, a month."""
COVARIANCE = np.array(
    [
        [0.00324625, 0.00022983, 0.00420395],
        [0.00022983, 0.00049937, 0.00019247],
        [0.00420395, 0.00019247, 0.00764097],
    ]
)
LEAST_RETURN = 0.011
ACRES, FEED_T, QUOTA_T = 500.0, np.array([200.0, 240.0]), 6000.0
"""Wheat and corn that the cattle eat, and the beets that fetch the better price."""
PLANTING_USD_PER_ACRE = np.array([150.0, 230.0, 260.0])
YIELD_T_PER_ACRE = np.array([2.5, 3.0, 20.0])
WEATHER = np.array([0.8, 1.0, 1.2])


class Positions:
    """Scenarios that are their positions: all that choosing a tail asks of futures."""

    @staticmethod
    def only(positions):
        return positions


def tail_mean(varying, outcome, tail_probability):
    """Mean of the rows ``[W, N]`` of the scenarios in the lower tail of ``outcome``."""
    return sum(share * varying[part].mean(axis=0) for part, share in tail_of(Positions, outcome, tail_probability))


def solved(program, varying, tail_probability, weight):
    """The best of ``mean + weight * CVaR`` where ``varying @ x`` is the outcome in every scenario: ``x``."""
    columns = np.arange(varying.shape[1])
    shortfall = program.add_variables("cvar_shortfall_musd", ["company"], lower=-np.inf, upper=0.0).columns
    program.open_account("npv_musd", np.zeros(1))
    program.post("npv_musd", 0, columns, (1.0 + weight) * varying.mean(axis=0))
    program.post("npv_musd", 0, shortfall, weight)
    for count in range(200):
        model = LiveModel(program.compile())
        assert model.run(SolveOptions(threads=1), Search()).reason == "optimal"
        x, missing = model.values[columns], model.values[shortfall[0]]
        slope = np.append(tail_mean(varying, varying @ x, tail_probability) - varying.mean(axis=0), 0.0)
        cut = TailCut(0.0, slope)
        if missing <= cut.at(model.values) + 1e-7:
            return x
        state_cuts(program, f"tail_cut_{count}", [cut])
    raise AssertionError("the cuts do not end")


# -------------------------------------------------------------------------------------------------------- three assets


def returns(count=20_000):
    """Normal returns in per cent, whose sample has the published moments exactly; half of them mirrored."""
    drawn = np.random.default_rng(2000).normal(size=(count // 2, 3))
    drawn = np.concatenate([drawn, -drawn])
    drawn = np.linalg.solve(np.linalg.cholesky(np.cov(drawn.T, bias=True)), drawn.T).T
    return 100.0 * (MEAN_RETURN + drawn @ np.linalg.cholesky(COVARIANCE).T)


def portfolio_of_assets(tail_probability):
    sample, program = returns(), Program("assets")
    program.add_variables("weight_frac", ["stocks", "bonds", "small"])
    for name, coefficient, least, most in (
        ("all is invested", np.ones(3), 1.0, 1.0),
        ("least return", 100.0 * MEAN_RETURN, 100.0 * LEAST_RETURN, np.inf),
    ):
        terms = Triplets()
        terms.add(0, np.arange(3), coefficient)
        program.add_rows(name, ["portfolio"], terms, least, most)
    weights = solved(program, sample, tail_probability, 1e4)
    return weights, sample @ weights / 100.0


@pytest.mark.parametrize(
    ("tail", "var", "cvar"), [(0.10, 0.067847, 0.096975), (0.05, 0.090200, 0.115908), (0.01, 0.132128, 0.152977)]
)
def test_three_assets_of_rockafellar_and_uryasev(tail, var, cvar):
    weights, outcome = portfolio_of_assets(tail)
    found_var, found_cvar = cvar_usd(outcome, tail)
    assert -found_cvar == pytest.approx(cvar, rel=0.015)
    assert -found_var == pytest.approx(var, rel=0.03)
    assert weights == pytest.approx([0.452013, 0.115573, 0.432414], abs=0.06)
    assert weights @ MEAN_RETURN == pytest.approx(LEAST_RETURN, rel=1e-6)


# ---------------------------------------------------------------------------------------------------------- the farmer

SALES = [("wheat", 170.0), ("corn", 150.0), ("beets", 36.0), ("beets over the quota", 10.0)]
PURCHASES = [("wheat", 238.0), ("corn", 210.0)]


def farmer(weather=WEATHER):
    """The program of three years of equal probability, and what each column earns in each year ``[W, N]``."""
    program, count = Program("farmer"), len(weather)
    acres = program.add_variables("acre", ["wheat", "corn", "beets"]).columns
    sold = program.add_variables("sold_t", [(w, name) for w in range(count) for name, _ in SALES],
                                 upper=np.tile([np.inf, np.inf, QUOTA_T, np.inf], count)).columns  # fmt: skip
    bought = program.add_variables("bought_t", [(w, name) for w in range(count) for name, _ in PURCHASES]).columns
    sold, bought = sold.reshape(count, -1), bought.reshape(count, -1)
    earned = np.zeros((count, program.column_count))
    earned[:, acres] = -PLANTING_USD_PER_ACRE
    land = Triplets()
    land.add(0, acres, 1.0)
    program.add_rows("land", ["farm"], land, upper=ACRES)
    for w, factor in enumerate(weather):
        earned[w, sold[w]] = [price for _, price in SALES]
        earned[w, bought[w]] = [-price for _, price in PURCHASES]
        fed = Triplets()
        fed.add(np.arange(3), acres, factor * YIELD_T_PER_ACRE)
        fed.add([0, 1, 2, 2], sold[w], -1.0)
        fed.add([0, 1], bought[w], 1.0)
        program.add_rows(f"feed in year {w}", ["wheat", "corn", "beets"], fed, lower=[*FEED_T, 0.0])
    return program, earned


def profits(tail_probability, weight):
    program, earned = farmer()
    x = solved(program, earned, tail_probability, weight)
    return x[:3], earned @ x


def extensive(tail_probability, weight):
    """Optimum of ``mean + weight * CVaR`` with a row for every year, by another modeller: HiGHS through SciPy."""
    program, earned = farmer()
    program.open_account("npv_musd", np.zeros(1))
    matrix, (count, columns) = program.compile(), earned.shape
    rows = np.zeros(matrix.shape)
    rows[np.repeat(np.arange(len(rows)), np.diff(matrix.start)), matrix.index] = matrix.value
    upper = np.isfinite(matrix.row_upper)
    stated = np.concatenate([rows[upper], -rows[~upper], -earned])
    below = np.zeros((len(stated), 1 + count))  # VaR, and what each year stays below it
    below[-count:, 0], below[-count:, 1:] = 1.0, -np.eye(count)
    limits = np.concatenate([matrix.row_upper[upper], -matrix.row_lower[~upper], np.zeros(count)])
    cost = np.concatenate([earned.mean(axis=0), [weight], np.full(count, -weight / (tail_probability * count))])
    bounds = [(0.0, most) for most in matrix.column_upper] + [(None, None)] + [(0.0, None)] * count
    assert len(bounds) == columns + 1 + count
    return -linprog(-cost, A_ub=np.hstack([stated, below]), b_ub=limits, bounds=bounds).fun


def test_the_farmer_of_birge_and_louveaux():
    acres, profit = profits(tail_probability=1.0, weight=0.0)
    assert acres == pytest.approx([170.0, 80.0, 250.0])
    assert profit == pytest.approx([48_820.0, 109_350.0, 167_000.0])
    assert profit.mean() == pytest.approx(108_390.0)


def test_a_farmer_who_looks_at_the_worst_year_alone_plants_for_it():
    """The book's plan for certainty of a bad year, worth 59,950 in it; CVaR at a third is the worst year."""
    acres, profit = profits(tail_probability=1 / 3, weight=1e4)
    assert profit.min() == pytest.approx(59_950.0)
    assert acres == pytest.approx([100.0, 25.0, 375.0])


@pytest.mark.parametrize("tail", [0.2, 1 / 3, 0.5, 0.8])
@pytest.mark.parametrize("weight", [0.1, 0.5, 2.0, 20.0])
def test_a_farmer_with_an_eye_on_the_tail_has_the_optimum_of_the_extensive_form(tail, weight):
    _, profit = profits(tail, weight)
    assert profit.mean() + weight * cvar_usd(profit, tail)[1] == pytest.approx(extensive(tail, weight), rel=1e-7)


def test_the_tail_of_all_years_is_the_mean():
    assert profits(1.0, 3.0)[1].mean() == pytest.approx(108_390.0)


def test_a_farmer_who_plans_for_the_mean_year_earns_less():
    """The book's value of the stochastic solution, 1,150, and of perfect information, 7,016."""
    program, earned = farmer(weather=np.ones(1))
    mean_year = solved(program, earned, 1.0, 0.0)[:3]
    assert mean_year == pytest.approx([120.0, 80.0, 300.0])
    program, earned = farmer()
    for column, acre in enumerate(mean_year):
        terms = Triplets()
        terms.add(0, column, 1.0)
        program.add_rows(f"planted {column}", ["farm"], terms, acre, acre)
    assert (earned @ solved(program, earned, 1.0, 0.0)).mean() == pytest.approx(107_240.0)
    alone = [earned @ solved(program, earned, 1.0, 0.0) for program, earned in map(farmer, WEATHER[:, None])]
    assert np.mean(alone) - 108_390.0 == pytest.approx(7_016.0, abs=1.0)
