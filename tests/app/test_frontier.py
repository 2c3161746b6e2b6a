"""The frontier: every point is the best plan under its weight, proven by a search or by its neighbours."""

from __future__ import annotations

import pytest
from support import EXACT, asic, best, close, fleet, offer, place, portfolio, signed, site

from optimizer.app import frontier
from optimizer.app.frontier import _Known, _Searched
from optimizer.domain import validated
from optimizer.domain.frontier import FrontierSpec
from optimizer.errors import InvalidInputError

HOURS = 24 * (31 + 28)
MEAN = 200.0 * HOURS
SIGNED = "Sign 5.0 MW of O1 at A in 2027-01"


def case(**risk):
    """Five MW: a lease worth 0.9, or mining worth 0, 1, 1 or 2, its tail 0.5."""
    lease = offer(critical_mw=5.0, price_usd_per_kw_month=0.9 * MEAN / 2 / 5000.0, sites=[
        place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)
    ])  # fmt: skip
    paths = [{"factor": "btc_price", "scenarios": [{"values": [value]} for value in (0.5, 1.0, 1.0, 1.5)]}]
    return portfolio(
        2,
        sites=[site(grid_mw=5.0, hall_mw=5.0)],
        asic_models=[asic()],
        fleets=[fleet()],
        offers=[lease],
        market={"scenario_table": {"paths": paths}, "network_price_elasticity": 0.0},
        risk={"scenario_count": 4, "tail_probability": 0.5, **risk},
    )


def found_of(stated, point_count, **listeners):
    return frontier(FrontierSpec(portfolio=stated, point_count=point_count, options=EXACT), **listeners)


def weighted(weight):
    return best(case(cvar_weight_frac=weight))


def test_every_point_is_the_best_plan_under_its_weight():
    found = found_of(case(), 9)
    assert found.points[0].cvar_weight_frac == 0.0
    assert found.points[-1].cvar_weight_frac == pytest.approx(100.0)
    for point in found.points:
        answer = weighted(point.cvar_weight_frac)
        assert close(point.objective_usd, answer.termination.objective_usd)
        assert {item.offer for item in point.decisions.contracts} == set(signed(answer))
        assert point.gap_frac <= 1e-6
        assert point.audit_passed
    # Mining below a weight of 0.25, the lease above it; the end is proven by its neighbours.
    assert [len(point.decisions.contracts) for point in found.points] == [0, 0, *[1] * 7]
    assert found.points[2].differs == (SIGNED,)
    assert {point.differs for place, point in enumerate(found.points) if place != 2} == {()}
    assert sum(not point.searched for point in found.points) >= 3
    assert found.limit == "none"


def test_ends_are_the_best_mean_and_the_best_cvar():
    found = found_of(case(), 2)
    assert [close(point.npv_usd, share * MEAN) for point, share in zip(found.points, (1.0, 0.9), strict=True)]
    assert close(found.points[0].cvar_usd, 0.5 * MEAN)
    assert close(found.points[1].cvar_usd, 0.9 * MEAN)


def test_a_floor_holds_for_all_points_and_one_too_high_leaves_none():
    found = found_of(case(minimum_cvar_usd=0.6 * MEAN), 3)
    assert all(point.cvar_usd >= 0.6 * MEAN - 1.0 for point in found.points)
    nothing = found_of(case(minimum_cvar_usd=0.95 * MEAN), 3)
    assert nothing.points == ()
    assert "below the floor" in nothing.detail


def test_a_stopped_search_says_so():
    found = found_of(case(), 3, should_stop=lambda: True)
    assert found.limit == "interrupted" or found.points == ()


def test_the_chord_of_two_bounds_bounds_what_lies_between():
    # Plans worth 10 and 4 in the mean, 2 and 5 in the tail: the best of them is convex in the share of the tail.
    known = _Searched([_Known(None, 10.0, 2.0), _Known(None, 4.0, 5.0)], {0.0: 10.0, 1.0: 5.0})
    for theta in (0.1, 0.5, 0.75, 0.9):
        assert known.bound(theta) >= known.best(theta).at(theta)
    assert known.bound(0.5) == pytest.approx(7.5)
    assert known.gap(0.5) == pytest.approx((7.5 - 6.0) / 6.0)
    known.bounds[0.5] = 6.0
    assert known.bound(0.25) == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"point_count": 1}, "point_count: 1 points is outside"),
        ({"point_count": 51}, "point_count: 51 points is outside"),
        ({"options": {"solver": "scip"}}, "a frontier is searched by HiGHS"),
        ({"options": {"paranoid": True}}, "a frontier is searched by HiGHS"),
        ({"portfolio": {"market": {"own_hashrate_feedback": True}}}, "the market answers to each plan"),
    ],
)
def test_what_it_cannot_do_is_refused(stated, told):
    data = case().model_dump(exclude_unset=True)
    data["market"] |= stated.pop("portfolio", {}).get("market", {})
    with pytest.raises(InvalidInputError, match=told):
        validated(FrontierSpec, {"portfolio": data, **stated}, "spec")
