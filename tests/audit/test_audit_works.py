"""Works at sites: a valid plan passes, each way to spoil it fails exactly its check, and what is not there is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from audit_cases import market_of, month, offer, place, portfolio, site

from optimizer.audit import Claims, audit, recalculate
from optimizer.domain import Decisions, GridAdvance, Portfolio, validated
from optimizer.errors import InvalidInputError


def stated_portfolio(**changes: Any) -> Portfolio:
    """A site with 10 MW, 20 MW from April and 30 MW from June; signing every two months."""
    advance = {"maximum_months": 3, "usd_per_month": 1000.0, "fixed_usd": 500.0, "notice_months": 1}
    grid = [
        {"from_month": "2026-01", "grid_mw": 10.0},
        {"from_month": "2027-04", "grid_mw": 20.0, "advance": advance},
        {"from_month": "2027-06", "grid_mw": 30.0, "advance": advance},
    ]
    horizon = {
        "start_month": "2027-01",
        "segments": [{"months_per_period": 1, "period_count": 8}],
        "sign_every_months": 2,
    }
    return portfolio(**{"sites": [site(grid=grid)], "horizon": horizon, **changes})


def stated_decisions() -> dict[str, Any]:
    """The step of April comes in February, that of June in April."""
    return {
        "grid_advances": [
            {"site": "A", "step_month": "2027-04", "advance_months": 2},
            {"site": "A", "step_month": "2027-06", "advance_months": 2},
        ]
    }


def failures(decisions: dict[str, Any], case: Portfolio | None = None) -> list[tuple[str, float, str]]:
    case = case or stated_portfolio()
    _, report = audit(case, market_of(case), validated(Decisions, decisions, "decisions"), Claims())
    return [(item.name, item.largest_deviation, item.where) for item in report.failures]


def test_limits_and_prices_follow_from_the_decisions():
    case = stated_portfolio()
    found = recalculate(case, market_of(case), validated(Decisions, stated_decisions(), "decisions"))
    assert [row.grid_mw for row in found.capacity] == [10, 20, 20, 30, 30, 30, 30, 30]
    # Decided a month before: in January and March.
    assert [row.interconnect_capex_usd for row in found.cash_flow] == [-2500, 0, -2500, 0, 0, 0, 0, 0]
    assert found.capex_usd.tolist() == [2500, 0, 2500, 0, 0, 0, 0, 0]
    assert found.npv.corporate_usd == -5000
    assert failures(stated_decisions()) == []


def test_nothing_comes_after_the_lease():
    case = stated_portfolio()
    ended = validated(
        Portfolio,
        {**case.model_dump(), "sites": [{**case.sites[0].model_dump(), "lease_end_month": "2027-04"}]},
        "portfolio",
    )
    found = recalculate(ended, market_of(ended), validated(Decisions, stated_decisions(), "decisions"))
    assert [row.grid_mw for row in found.capacity] == [10, 20, 20, 0, 0, 0, 0, 0]


WHEN, ORDER = "grid steps brought forward when they can be", "grid steps come in order"
APRIL, JUNE = "step of 2027-04 at A", "step of 2027-06 at A"


@pytest.mark.parametrize(
    ("position", "months", "expected"),
    [
        (0, 1, [(WHEN, 1, APRIL)]),  # decided in February, off the grid
        (0, 3, [(WHEN, 1, APRIL)]),  # decided in December
        (1, 4, [(WHEN, 1, JUNE)]),  # a month more than there is; as early as the step before it, which is in order
        (1, 0, [(WHEN, 1, JUNE)]),
        (1, 6, [(WHEN, 3, JUNE), (ORDER, 2, JUNE)]),
    ],
)
def test_another_advance_fails_its_checks(position, months, expected):
    decisions = copy.deepcopy(stated_decisions())
    decisions["grid_advances"][position]["advance_months"] = months
    assert failures(decisions) == expected


def test_a_step_that_overtakes_the_one_before_it_fails_its_check():
    decisions = stated_decisions()
    decisions["grid_advances"] = [{"site": "A", "step_month": "2027-06", "advance_months": 4}]
    assert (ORDER, 2, JUNE) in failures(decisions)


HALLS = {"maximum_mw": 6.0, "capex_usd_per_mw": 1e5, "lead_months": 1, "earliest_month": "2027-03"}
ORDERED, ADDED = "halls ordered when they can be", "halls added within their MW"
USED = "sites of halls usable from the order until they are ready"


def halls_portfolio(**changes: Any) -> Portfolio:
    """Up to 6 MW of halls at A, on the grid of two months, ready a month after the order."""
    return stated_portfolio(sites=[site(hall_expansion=HALLS, **changes)])


def hall_orders(*orders: tuple[str, float]) -> dict[str, Any]:
    return {"hall_orders": [{"site": "A", "month": when, "hall_mw": mw} for when, mw in orders]}


def test_halls_and_their_price_follow_from_the_orders():
    case = halls_portfolio()
    decisions = hall_orders(("2027-03", 4.0), ("2027-05", 2.0))
    found = recalculate(case, market_of(case), validated(Decisions, decisions, "decisions"))
    assert found.use.hall_mw[0].tolist() == [50, 50, 50, 54, 54, 56, 56, 56]
    assert [row.hall_capex_usd for row in found.cash_flow] == [0, 0, -4e5, 0, -2e5, 0, 0, 0]
    assert found.capex_usd.sum() == 6e5
    assert found.npv.mining_usd == -6e5
    assert failures(decisions, case) == []


@pytest.mark.parametrize(
    ("orders", "changes", "expected"),
    [
        ([("2027-01", 1.0)], {}, [(ORDERED, 2, "A, ordered 2027-01")]),
        ([("2027-04", 1.0)], {}, [(ORDERED, 1, "A, ordered 2027-04")]),
        ([("2027-09", 1.0)], {}, [(ORDERED, 2, "A, ordered 2027-09")]),
        ([("2027-03", 4.0), ("2027-05", 3.0)], {}, [(ADDED, 1, "A")]),
        ([("2027-03", -1.0)], {}, [(ADDED, 1, "A, ordered 2027-03")]),
        ([("2027-03", 1.0)], {"lease_end_month": "2027-04"}, [(USED, 1, "A, ordered 2027-03")]),
        (
            [("2027-03", 1.0)],
            {"opening": {"earliest_month": "2027-01", "capex_usd": 0.0}},
            [(USED, 2, "A, ordered 2027-03")],
        ),
    ],
)
def test_another_order_of_halls_fails_its_check(orders, changes, expected):
    assert failures(hall_orders(*orders), halls_portfolio(**changes)) == expected


def test_halls_that_are_not_offered_or_stated_twice_are_collected():
    case = halls_portfolio()
    bare = stated_portfolio()
    twice = validated(Decisions, hall_orders(("2027-03", 1.0), ("2027-03", 2.0)), "decisions")
    for stated, paths in ((case, ["hall_orders[1]"]), (bare, ["hall_orders[0].site", "hall_orders[1].site"])):
        with pytest.raises(InvalidInputError) as caught:
            recalculate(stated, market_of(stated), twice)
        assert [item.path for item in caught.value.problems][: len(paths)] == paths


BUILT = [
    {"name": "H1", "critical_mw": 10.0, "capex_usd": 3e6, "build_months": 3, "earliest_month": "2027-03"},
    {"name": "H2", "critical_mw": 5.0, "capex_usd": 1e6, "build_months": 0, "earliest_month": "2027-01"},
]
BEGUN, STANDS = "buildings begun when they can be", "sites of buildings usable until they are finished"
SPACE = "contracts that need a building within the space of the finished ones"


def buildings_portfolio(**changes: Any) -> Portfolio:
    """Two buildings at A, and a contract of 12 MW from June to July that needs space."""
    lease = offer(critical_mw=12.0, term_months=2, sites=[place(build_months=1, needs_building=True)])
    return stated_portfolio(sites=[site(buildings=BUILT, **changes)], offers=[lease])


def building_orders(*orders: tuple[str, str], sign_month: str | None = "2027-05") -> dict[str, Any]:
    contract = {"offer": "O", "site": "A", "sign_month": sign_month, "critical_mw": 12.0}
    return {
        "contracts": [contract] if sign_month else [],
        "building_orders": [{"site": "A", "building": name, "month": when} for name, when in orders],
    }


def test_space_and_its_price_follow_from_the_buildings():
    case = buildings_portfolio()
    decisions = building_orders(("H1", "2027-03"), ("H2", "2027-05"))
    found = recalculate(case, market_of(case), validated(Decisions, decisions, "decisions"))
    assert found.use.space_mw[0].tolist() == [0, 0, 0, 0, 5, 15, 15, 15]
    assert found.use.in_buildings_mw[0].tolist() == [0, 0, 0, 0, 0, 12, 12, 0]
    assert [row.building_capex_usd for row in found.cash_flow] == [0, 0, -1e6, -1e6, -2e6, 0, 0, 0]
    assert found.capex_usd[2:6].tolist() == [1e6, 1e6, 14e6, 0]
    assert failures(decisions, case) == []


def test_what_is_let_again_needs_its_space_too():
    again = {"vacancy_months": 3, "refit_usd_per_critical_mw": 0.0, "term_months": 12}
    where = place(build_months=1, needs_building=True, re_lease=again)
    lease = offer(critical_mw=12.0, term_months=1, sites=[where])
    case = stated_portfolio(sites=[site(buildings=BUILT)], offers=[lease])
    decisions = building_orders(("H1", "2027-03"), ("H2", "2027-05"))
    decisions["contracts"][0]["re_leased_mw"] = 4.0
    found = recalculate(case, market_of(case), validated(Decisions, decisions, "decisions"))
    assert found.use.in_buildings_mw[0].tolist() == [0, 0, 0, 0, 0, 12, 4, 4]


@pytest.mark.parametrize(
    ("orders", "changes", "expected"),
    [
        ([("H1", "2027-03")], {}, [(SPACE, 2, "A 2027-06")]),
        ([("H1", "2027-05"), ("H2", "2027-01")], {}, [(SPACE, 7, "A 2027-06")]),
        ([("H1", "2027-01"), ("H2", "2027-01")], {}, [(BEGUN, 2, "H1 at A")]),
        ([("H1", "2027-03"), ("H2", "2027-02")], {}, [(BEGUN, 1, "H2 at A")]),
    ],
)
def test_another_building_fails_its_check(orders, changes, expected):
    assert failures(building_orders(*orders), buildings_portfolio(**changes)) == expected


def test_a_building_begun_too_late_or_where_the_site_is_closed_fails_its_check():
    late = building_orders(("H1", "2027-07"), sign_month=None)
    assert failures(late, buildings_portfolio()) == [(BEGUN, 2, "H1 at A")]
    begun = building_orders(("H1", "2027-03"), sign_month=None)
    assert failures(begun, buildings_portfolio(lease_end_month="2027-06")) == [(STANDS, 1, "H1 at A")]
    closed = {"opening": {"earliest_month": "2027-01", "capex_usd": 0.0}}
    assert failures(begun, buildings_portfolio(**closed)) == [(STANDS, 4, "H1 at A")]


def test_buildings_that_do_not_exist_or_are_built_twice_are_collected():
    case = buildings_portfolio()
    orders = building_orders(("H3", "2027-03"), ("H1", "2027-03"), ("H1", "2027-05"), sign_month=None)
    with pytest.raises(InvalidInputError) as caught:
        recalculate(case, market_of(case), validated(Decisions, orders, "decisions"))
    assert [item.path for item in caught.value.problems] == ["building_orders[0].building", "building_orders[2]"]


def test_steps_that_do_not_exist_are_collected_with_their_paths():
    case = stated_portfolio()
    decisions = Decisions(
        grid_advances=(
            GridAdvance(site="B", step_month=month("2027-04"), advance_months=1),
            GridAdvance(site="A", step_month=month("2026-01"), advance_months=1),
            GridAdvance(site="A", step_month=month("2027-04"), advance_months=1),
            GridAdvance(site="A", step_month=month("2027-04"), advance_months=2),
        )
    )
    with pytest.raises(InvalidInputError) as caught:
        recalculate(case, market_of(case), decisions)
    assert [item.path for item in caught.value.problems] == [
        "grid_advances[0].site",
        "grid_advances[1].step_month",
        "grid_advances[3]",
    ]
