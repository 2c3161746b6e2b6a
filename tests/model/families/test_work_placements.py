"""Works at sites that must be, and those that may not be any more."""

from __future__ import annotations

from typing import Any

import pytest
from support import asic, assembled, best, binding, close, fleet, hours, portfolio, reason, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import BuildingOrder, GridAdvance, HallOrder, Portfolio
from optimizer.errors import InvalidInputError

STEP = {"site": "A", "step_month": "2027-05", "advance_months": 2}
HALLS = {"site": "A", "month": "2027-02", "hall_mw": 2.0}
BUILDING = {"site": "A", "building": "H", "month": "2027-02"}
HOUR_USD = 40.0
"""What a MW of machines earns in an hour."""


def case(price: float = 1e6, **policy: Any) -> Portfolio:
    """10 MW of machines in halls for 5, a grid that holds 5 until May; works cost so much each, halls by MW."""
    grid = [
        {"from_month": "2026-01", "grid_mw": 5.0},
        {
            "from_month": "2027-05",
            "grid_mw": 10.0,
            "advance": {"maximum_months": 3, "usd_per_month": 0.0, "fixed_usd": price, "notice_months": 1},
        },
    ]
    halls = {"maximum_mw": 5.0, "capex_usd_per_mw": price, "earliest_month": "2027-01"}
    building = {"name": "H", "critical_mw": 1.0, "capex_usd": price, "build_months": 1, "earliest_month": "2027-01"}
    where = site(grid=grid, hall_mw=5.0, hall_expansion=halls, buildings=[building])
    return portfolio(6, sites=[where], asic_models=[asic()], fleets=[fleet(2000)], policy=policy)


RUNNING = 5.0 * HOUR_USD * hours(*range(6))


@pytest.mark.parametrize(
    ("demand", "gained"),
    [
        ({"mandatory_grid_advances": [STEP]}, -1e6),
        ({"mandatory_hall_orders": [HALLS]}, -2e6 + 2.0 * HOUR_USD * hours(4, 5)),
        ({"mandatory_building_orders": [BUILDING]}, -1e6),
        (
            {"mandatory_grid_advances": [STEP], "mandatory_hall_orders": [HALLS]},
            -3e6 + 2.0 * HOUR_USD * hours(2, 3, 4, 5),
        ),
    ],
    ids=["step", "halls", "building", "step and halls"],
)
def test_what_must_be_is_done_although_it_does_not_pay(demand, gained):
    assert close(worth(case()), RUNNING)
    assert close(worth(case(**demand)), RUNNING + gained)
    assert "mandatory_work_done" in binding(case(**demand))


@pytest.mark.parametrize(
    "demand",
    [
        {"mandatory_grid_advances": [{**STEP, "advance_months": 4}]},
        {"mandatory_hall_orders": [{**HALLS, "hall_mw": 6.0}]},
        {"mandatory_building_orders": [{**BUILDING, "month": "2027-06"}]},
    ],
)
def test_what_the_terms_do_not_allow_cannot_be_met(demand):
    assert reason(case(**demand)) == "infeasible"


def months_of(answer):
    decided = answer.decisions
    return (
        [item.advance_months for item in decided.grid_advances],
        [f"{item.month:%m}" for item in decided.hall_orders],
    )


def test_before_the_freeze_ends_nothing_is_decided():
    # Free works: the step comes three months early, decided in January, unless it is frozen.
    assert months_of(best(case(0.01)))[0] == [3]
    later = best(case(0.01, freeze_works_until_month="2027-03"))
    # Decided in March at the earliest, for April.
    assert months_of(later)[0] == [1]
    assert min(months_of(later)[1]) >= "03"
    assert "frozen_work_not_done" in binding(case(0.01, freeze_works_until_month="2027-03"))
    assert months_of(best(case(0.01, freeze_works_until_month="2027-07"))) == ([], [])


def test_what_is_mandatory_is_not_frozen():
    frozen = {"freeze_works_until_month": "2027-07"}
    demand = {
        "mandatory_grid_advances": [STEP],
        "mandatory_hall_orders": [HALLS],
        "mandatory_building_orders": [BUILDING],
    }
    answer = best(case(0.01, **demand, **frozen))
    assert [item.advance_months for item in answer.decisions.grid_advances] == [2]
    # The halls are those demanded, not one MW more.
    assert [item.hall_mw for item in answer.decisions.hall_orders] == pytest.approx([2.0])
    assert len(answer.decisions.building_orders) == 1
    free = best(case(0.01, mandatory_hall_orders=[HALLS]))
    assert sum(item.hall_mw for item in free.decisions.hall_orders) == pytest.approx(5.0)


@pytest.mark.parametrize(("until", "most"), [("2027-02", [0.0, 0.0, 0.0]), ("2027-03", [1.0, 2.0, 1.0])])
def test_what_is_mandatory_later_lets_nothing_be_decided_earlier(until, most):
    demand = {
        "mandatory_grid_advances": [STEP],
        "mandatory_hall_orders": [HALLS],
        "mandatory_building_orders": [BUILDING],
    }
    program = assembled(case(**demand, freeze_works_until_month=until))
    assert program.rows["frozen_work_not_done"].upper.tolist() == most


def test_a_portfolio_without_rules_has_no_rows():
    program = assembled(case())
    assert not program.rows["mandatory_work_done"].keys
    assert not program.rows["frozen_work_not_done"].keys


KINDS = {"grid_advances": GridAdvance, "hall_orders": HallOrder, "building_orders": BuildingOrder}
DONE, HALLS_DONE = "mandatory works at sites done", "mandatory halls ordered"
FROZEN, HALLS_FROZEN = "no work at a site decided before the freeze ends", "no halls ordered before the freeze ends"


@pytest.mark.parametrize(
    ("policy", "works", "failed"),
    [
        ({"mandatory_grid_advances": [STEP]}, {"grid_advances": [{**STEP, "advance_months": 1}]}, DONE),
        ({"mandatory_building_orders": [BUILDING]}, {"building_orders": [{**BUILDING, "month": "2027-03"}]}, DONE),
        ({"mandatory_hall_orders": [HALLS]}, {"hall_orders": [{**HALLS, "hall_mw": 1.9}]}, HALLS_DONE),
        ({"freeze_works_until_month": "2027-03"}, {"grid_advances": [STEP]}, FROZEN),
        ({"freeze_works_until_month": "2027-04"}, {"building_orders": [BUILDING]}, FROZEN),
        (
            {"freeze_works_until_month": "2027-04", "mandatory_hall_orders": [HALLS]},
            {"hall_orders": [{**HALLS, "hall_mw": 2.1}]},
            HALLS_FROZEN,
        ),
    ],
)
def test_the_audit_finds_what_is_missing_and_what_may_not_be(policy, works, failed):
    stated = {kind: tuple(KINDS[kind].model_validate(item) for item in items) for kind, items in works.items()}
    decisions, ruled = best(case()).decisions.model_copy(update=stated), case(**policy)
    _, report = audit(case(), Futures.of(case()), decisions, Claims())
    assert report.passed
    _, report = audit(ruled, Futures.of(ruled), decisions, Claims())
    assert [item.name for item in report.failures] == [failed]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"mandatory_grid_advances": [{**STEP, "step_month": "2027-06"}]}, "no step of 2027-06"),
        ({"mandatory_hall_orders": [{**HALLS, "site": "B"}]}, "no site with a hall_expansion is named 'B'"),
        ({"mandatory_building_orders": [{**BUILDING, "building": "K"}]}, "no building named 'K'"),
        ({"mandatory_hall_orders": [HALLS, HALLS]}, "a work is listed twice"),
        ({"mandatory_grid_advances": [STEP, {**STEP, "advance_months": 1}]}, "a work is listed twice"),
        ({"mandatory_hall_orders": [{**HALLS, "hall_mw": 0.0}]}, "halls of no MW"),
    ],
)
def test_rules_that_cannot_be_are_refused(policy, told):
    with pytest.raises(InvalidInputError) as refused:
        case(**policy)
    assert told in str(refused.value)
