"""A sweep: at every point the plan that planning anew finds, to and fro over two assumptions."""

from __future__ import annotations

import pytest
from support import EXACT, best, close, offer, portfolio, site

from optimizer.app.changes import changed
from optimizer.app.sweep import sweep
from optimizer.domain import validated
from optimizer.domain.sweep import SweepSpec
from optimizer.errors import InvalidInputError

RENT, CAPEX = "offers[O1].price_usd_per_kw_month", "offers[*].sites[*].capex_usd_per_critical_mw"


def spec_of(*assumptions, stated=None, **terms):
    case = stated or portfolio(4, sites=[site("A")], offers=[offer("O1"), offer("O2", price_usd_per_kw_month=60.0)])
    data = [
        dict(zip(("path", "least_factor", "most_factor", "point_count"), item, strict=True)) for item in assumptions
    ]
    return validated(SweepSpec, {"portfolio": case, "assumptions": data, "options": EXACT, **terms}, "sweep")


def test_every_point_is_what_planning_anew_finds():
    """O1 earns 2 million USD of rent and costs one: it is signed above half of the rent."""
    spec = spec_of((RENT, 0.4, 0.6, 2), (CAPEX, 0.9, 1.3, 3))
    found = sweep(spec)
    assert [tuple(item.factor for item in point.factors) for point in found.points] == [
        (0.4, 0.9), (0.4, pytest.approx(1.1)), (0.4, 1.3), (0.6, 1.3), (0.6, pytest.approx(1.1)), (0.6, 0.9),
    ]  # fmt: skip
    for factors, point in zip(spec.points, found.points, strict=True):
        anew = best(changed(spec.portfolio, factors, {}))
        assert close(point.objective_usd, anew.termination.objective_usd)
        assert point.signed == tuple(sorted(item.offer for item in anew.contracts))
        assert point.gap_frac <= 1e-6
        assert point.audit_passed
    assert {"O1" in point.signed for point in found.points} == {True, False}
    assert not found.stopped


def test_one_at_a_time_leaves_the_others_as_stated():
    found = sweep(spec_of((RENT, 0.5, 1.5, 2), (CAPEX, 0.5, 1.5, 2), one_at_a_time=True))
    assert [[item.path for item in point.factors] for point in found.points] == [[RENT]] * 2 + [[CAPEX]] * 2
    assert found.points[0].npv_usd < found.base_npv_usd < found.points[1].npv_usd
    assert found.points[2].npv_usd > found.base_npv_usd > found.points[3].npv_usd
    assert found.base_signed == ("O1", "O2")


def test_a_point_without_a_plan_is_a_result():
    stated = portfolio(4, sites=[site("A")], offers=[offer("O1")], finance={"minimum_liquidity_usd": 1e6})
    found = sweep(spec_of(("finance.opening_cash_usd", 0.0, 1.0, 2), stated=stated))
    assert [point.reason for point in found.points] == ["infeasible", "optimal"]
    assert found.points[0].npv_usd is None


def test_a_stopped_sweep_says_so():
    found = sweep(spec_of((RENT, 0.5, 1.5, 3)), should_stop=lambda: True)
    assert (found.points, found.stopped) == ((), True)


@pytest.mark.parametrize(
    ("assumptions", "terms", "told"),
    [
        ([], {}, "at least 1 item"),
        ([(RENT, 1.0, 0.5, 2)], {}, "the last factor is not above the first"),
        ([(RENT, 0.5, 1.0, 1)], {}, "point_count: 1 points is outside"),
        ([(RENT, 0.5, 1.0, 2)] * 2, {}, "a path is stated twice"),
        ([(RENT, 0.5, 1.0, 2), (CAPEX, 0.5, 1.0, 2), ("market.btc_usd", 0.5, 1.0, 2)], {}, "do not vary together"),
        ([(RENT, 0.5, 1.0, 100), (CAPEX, 0.5, 1.0, 100)], {}, "10,000 points are more than 1,000"),
        ([(RENT, 0.5, 1.0, 2)], {"options": {"solver": "scip"}}, "searched by HiGHS"),
    ],
)
def test_what_it_cannot_do_is_refused(assumptions, terms, told):
    with pytest.raises(InvalidInputError, match=told):
        spec_of(*assumptions, **terms)


def test_a_path_that_there_is_not_is_refused():
    with pytest.raises(InvalidInputError, match="has no 'bitcoin'"):
        sweep(spec_of(("market.bitcoin", 0.5, 1.0, 2)))
