"""A sweep: at every point the plan that planning anew finds, to and fro over two assumptions."""

from __future__ import annotations

import math
import time
from itertools import chain

import pytest
from support import EXACT, best, close, offer, portfolio, site

from optimizer.app.changes import changed
from optimizer.app.scale_out import Workers
from optimizer.app.sweep import _no_worse, sweep
from optimizer.domain import validated
from optimizer.domain.sweep import SweepPoint, SweepSpec
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
        (0.4, 0.9), (0.4, pytest.approx(1.1)), (0.4, 1.3), (0.6, 0.9), (0.6, pytest.approx(1.1)), (0.6, 1.3),
    ]  # fmt: skip
    for factors, point in zip(chain.from_iterable(spec.chains), found.points, strict=True):
        anew = best(changed(spec.portfolio, factors, {}))
        assert close(point.objective_usd, anew.termination.objective_usd)
        assert point.signed == tuple(sorted(item.offer for item in anew.contracts))
        assert point.gap_frac <= 1e-6
        assert point.audit_passed
    assert {"O1" in point.signed for point in found.points} == {True, False}
    assert not found.stopped


def test_what_is_proven_of_an_offer_holds_when_it_is_forced_the_other_way():
    """Three offers of which two fit: the worth without a proven one, and with one that is proven out, is less."""
    case = portfolio(
        4,
        sites=[site("A")],
        offers=[offer("O1"), offer("O2", price_usd_per_kw_month=150.0), offer("O3", price_usd_per_kw_month=20.0)],
    )
    found, proven = sweep(spec_of(("offers[*].price_usd_per_kw_month", 0.5, 1.5, 4), stated=case)), 0
    for point in found.points:
        stated = changed(case, {item.path: item.factor for item in point.factors}, {})
        assert {*point.proven_signed} <= {*point.signed}
        assert not {*point.proven_unsigned} & {*point.signed}
        for name in point.proven_signed:
            policy = {"forbidden": [{"offer": name}]}
            assert forced(stated, policy) < point.objective_usd - 1.0
            proven += 1
        for name in point.proven_unsigned:
            assert forced(stated, {"mandatory": [{"offer": name}]}) < point.objective_usd - 1.0
            proven += 1
    assert proven >= 6


def forced(stated, policy):
    """What the best plan is worth under a policy; minus infinity without one."""
    found = best(changed(stated, {}, {"policy": policy})).termination
    return -math.inf if found.objective_usd is None else found.objective_usd


def test_the_rent_at_which_a_contract_pays_is_bisected():
    """O1 earns 2 million USD of rent and costs one: it comes in at half of the rent, and that is proven on both sides."""
    found = sweep(spec_of((RENT, 0.2, 1.0, 3), switching_tolerance=0.01))
    (switch,) = found.switching_points
    assert (switch.path, switch.offer, switch.signed_above) == (RENT, "O1", True)
    assert switch.low_factor <= 0.5 <= switch.high_factor <= switch.low_factor + 0.01
    assert switch.proven_low_factor <= switch.low_factor < switch.high_factor <= switch.proven_high_factor
    assert "(proven)" in switch.told
    assert [point.factors[0].factor for point in found.points] == pytest.approx([0.2, 0.6, 1.0])
    assert len(found.between) == 6
    by_factor = {point.factors[0].factor: point for point in (*found.points, *found.between)}
    assert "O1" not in by_factor[switch.proven_low_factor].signed
    assert "O1" in by_factor[switch.proven_high_factor].signed


def test_a_contract_that_stays_has_no_switching_point():
    found = sweep(spec_of((RENT, 0.8, 1.0, 2), switching_tolerance=0.01))
    assert (found.switching_points, found.between) == ((), ())


def test_a_tornado_has_what_moves_the_worth_most_first():
    found = sweep(spec_of((CAPEX, 0.9, 1.1, 2), (RENT, 0.8, 1.2, 2), one_at_a_time=True))
    assert [bar.path for bar in found.tornado] == [RENT, CAPEX]
    rent, capex = (bar.difference for bar in found.tornado)
    assert rent.found_usd > -capex.found_usd > 0.0
    for bar in found.tornado:
        assert close(bar.difference.found_usd, bar.npv_at_most_usd - bar.npv_at_least_usd)
        assert bar.difference.certainty == "proven"
    together = sweep(spec_of((CAPEX, 0.9, 1.1, 2), (RENT, 0.9, 1.1, 2)))
    assert together.tornado == ()


def test_processes_change_nothing_but_the_time():
    spec = spec_of((RENT, 0.4, 1.0, 3), (CAPEX, 0.9, 1.1, 2), one_at_a_time=True, switching_tolerance=0.05)
    heard, heard_here = [], []
    here = sweep(spec, on_point=heard_here.append)
    found = sweep(spec, workers=Workers(2), on_point=heard.append)
    assert timeless(found) == timeless(here)
    points = sorted(untimed(point).model_dump_json() for point in (*here.points, *here.between))
    assert points == sorted(untimed(point).model_dump_json() for point in heard_here)
    assert points == sorted(untimed(point).model_dump_json() for point in heard)


def untimed(point):
    return point.model_copy(update={"search_s": 0.0})


def timeless(found):
    kept = {name: tuple(map(untimed, getattr(found, name))) for name in ("points", "between")}
    return found.model_copy(update=kept)


def test_three_that_vary_together_are_in_all_combinations():
    spec = spec_of((RENT, 0.5, 1.5, 2), (CAPEX, 0.5, 1.5, 2), ("market.btc_usd", 0.5, 1.5, 3))
    assert spec.point_count == 12
    assert len({tuple(place.items()) for line in spec.chains for place in line}) == 12
    assert [len(line) for line in spec.chains] == [3] * 4


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
    assert [place.factors[0].factor for place in found.unreached] == [0.5, 1.0, 1.5]


def test_what_a_stop_leaves_out_is_what_is_furthest_from_what_is_stated():
    reached = []
    found = sweep(spec_of((RENT, 0.5, 1.5, 5)), should_stop=lambda: len(reached) >= 2, on_point=reached.append)
    assert [point.factors[0].factor for point in reached] == [1.0, 1.25]
    assert list(found.points) == reached
    assert [place.factors[0].factor for place in found.unreached] == [0.5, 0.75, 1.5]
    assert found.tornado == ()


def test_no_point_is_begun_after_the_time_of_the_sweep(monkeypatch):
    monkeypatch.setattr(time, "time", iter(range(0, 1_000_000, 3600)).__next__)
    found = sweep(spec_of((RENT, 0.5, 1.5, 3), sweep_time_limit_s=60.0))
    assert (found.points, len(found.unreached)) == ((), 3)


@pytest.mark.parametrize(
    ("assumptions", "terms", "told"),
    [
        ([], {}, "at least 1 item"),
        ([(RENT, 1.0, 0.5, 2)], {}, "the last factor is not above the first"),
        ([(RENT, 0.5, 1.0, 1)], {}, "point_count: 1 points is outside"),
        ([(RENT, 0.5, 1.0, 2)] * 2, {}, "a path is stated twice"),
        ([(RENT, 0.5, 1.0, 2), (CAPEX, 0.5, 1.0, 2)], {"switching_tolerance": 0.01}, "change along lines"),
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


@pytest.mark.parametrize(
    ("objective_usd", "bound_usd", "then"),
    [
        (None, None, (100.0, 104.0)),
        (90.0, 103.0, (100.0, 103.0)),
        (101.0, 110.0, (101.0, 104.0)),
        (90.0, None, (100.0, 104.0)),
    ],
)
def test_the_point_as_stated_is_never_worse_than_the_plan_as_stated(objective_usd, bound_usd, then):
    """The better of the two plans with the lower of the two bounds, and what the first search cost."""
    base = SweepPoint(factors=(), reason="optimal", objective_usd=100.0, bound_usd=104.0, signed=("a",), search_s=9.0)
    point = SweepPoint(
        factors=({"path": "market.btc_usd", "factor": 1.0},),
        reason="feasible" if objective_usd else "no-plan-found",
        objective_usd=objective_usd,
        bound_usd=bound_usd,
        signed=("b",),
        search_s=2.0,
    )
    found = _no_worse(point, base)
    assert (found.objective_usd, found.bound_usd) == then
    assert found.gap_frac == pytest.approx((then[1] - then[0]) / then[0])
    assert found.signed == (("b",) if then[0] == 101.0 else ("a",))
    assert (found.factors, found.search_s) == (point.factors, 2.0)
