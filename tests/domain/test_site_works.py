"""Terms of works at sites: what is refused, with its path."""

from __future__ import annotations

from typing import Any

import pytest
from support import offer, place, portfolio, site

from optimizer.app.filled_in import filled_in
from optimizer.errors import InvalidInputError


def problems(**terms: Any) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        portfolio(sites=[site(**terms)])
    return [str(item) for item in caught.value.problems]


def grid(*limits: float, **advance: Any) -> list[dict[str, Any]]:
    """A step a month; the last can be brought forward."""
    steps = [{"from_month": f"2027-{i + 1:02}", "grid_mw": mw} for i, mw in enumerate(limits)]
    steps[-1]["advance"] = {"maximum_months": 2, "usd_per_month": 1e5, **advance}
    return steps


@pytest.mark.parametrize("limits", [(10.0, 5.0), (10.0, 10.0), (0.0,)])
def test_only_a_step_that_adds_power_can_be_brought_forward(limits):
    (told,) = problems(grid=grid(*limits))
    assert told.startswith("sites[0]: the step of 2027-")
    assert "can be brought forward; only a step that adds MW is worth a price" in told


def test_months_earlier_and_prices_are_plausible():
    (told,) = problems(grid=grid(1.0, 2.0, maximum_months=0))
    assert told.startswith("sites[0].grid[1].advance.maximum_months: 0 months is outside 1..120 months")
    (told,) = problems(grid=grid(1.0, 2.0, usd_per_month=-1.0))
    assert told.startswith("sites[0].grid[1].advance.usd_per_month")


def test_an_expansion_of_nothing_is_refused():
    (told,) = problems(hall_expansion={"maximum_mw": 0.0, "capex_usd_per_mw": 1.0, "earliest_month": "2027-01"})
    assert told.startswith("sites[0].hall_expansion.maximum_mw: 0 MW is outside")
    assert told.endswith("drop the expansion if none is possible")


def test_buildings_have_names_of_their_own_and_are_there_for_those_that_need_one():
    item = {"name": "H", "critical_mw": 1.0, "capex_usd": 1.0, "build_months": 1, "earliest_month": "2027-01"}
    (told,) = problems(buildings=[item, item])
    assert told == "sites[0]: two buildings of A have one name; give every one its own name"
    with pytest.raises(InvalidInputError) as caught:
        portfolio(offers=[offer(sites=[place(needs_building=True)])])
    assert [str(item) for item in caught.value.problems] == [
        "offers[0].sites[0].needs_building: O1 needs a building at A, which can have none; "
        "add buildings to the site, or drop needs_building"
    ]


def test_ends_of_leases_that_contradict_the_contract_are_refused():
    def told(**terms: Any) -> list[str]:
        with pytest.raises(InvalidInputError) as caught:
            portfolio(offers=[offer(**terms)])
        return [str(item) for item in caught.value.problems]

    back = {"usd_per_hall_mw": 1.0, "months": 1}
    again = {"vacancy_months": 1, "refit_usd_per_critical_mw": 1.0, "term_months": 12}
    assert told(sites=[place(reconversion=back)]) == [
        "offers[0].sites[0]: a reconversion where no halls are displaced; drop it, or state the halls"
    ]
    renewal = {"option_count": 1, "term_months": 12, "probability_frac": 0.5}
    (clash,) = told(renewal=renewal, sites=[place(re_lease=again)])
    assert clash.startswith("offers[0]: offer O1 has renewals that are counted on, and terms for the end of the lease;")
    unlikely = {**renewal, "probability_frac": 0.0}
    assert portfolio(offers=[offer(renewal=unlikely, sites=[place(re_lease=again)])]).offers[0].renewal is not None


def test_what_steps_add():
    stated = portfolio(sites=[site(grid=[*grid(4.0, 10.0, 7.5)[:2], {"from_month": "2027-03", "grid_mw": 7.5}])])
    assert stated.sites[0].added_grid_mw == (4.0, 6.0, -2.5)


def test_defaults_are_told_where_there_are_terms_and_only_there():
    def told(case):
        return {item.path for item in filled_in(case) if "advance" in item.path}

    assert told(portfolio(sites=[site()])) == set()
    assert told(portfolio(sites=[site(grid=grid(4.0, 10.0))])) == {
        "sites[0].grid[1].advance.fixed_usd",
        "sites[0].grid[1].advance.notice_months",
    }
