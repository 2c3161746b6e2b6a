"""What one more is worth, worked out by hand."""

from __future__ import annotations

import pytest
from support import EXACT, asic, best, close, fleet, hours, offer, place, portfolio, site

from optimizer.app import one_more
from optimizer.app.scarce import all_asked
from optimizer.domain import Decisions, Placement
from optimizer.domain.one_more import OneMoreSpec
from optimizer.errors import InvalidInputError

USD_PER_MWH = 40.0
"""What a machine earns, energy paid, on what it draws."""


def asked(case, **terms):
    plan = best(case)
    data = {"portfolio": case, "decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "options": EXACT}
    return OneMoreSpec.model_validate({**data, **terms})


def mining(**changes):
    """Machines that could draw 5 MW."""
    return portfolio(**{"sites": [site(grid_mw=4.0)], "asic_models": [asic()], "fleets": [fleet()], **changes})


def test_a_mw_of_grid_earns_what_runs_on_it_and_no_more_than_what_is_there_to_run():
    spec = asked(mining(), of=["grid"])
    (item,) = one_more(spec).values
    earned = USD_PER_MWH * hours(0, 1, 2, 3)
    assert (item.what, item.site, item.year, item.unit) == ("grid at A in 2027", "A", 2027, "MW")
    for value in (item.price_usd, item.kept_usd, item.least_usd, item.most_usd, item.found_usd):
        assert close(value, earned)
    assert item.holds_until == 1.0
    assert "which holds for 1 more" in item.told
    assert "planned anew (proven)" in item.told
    (two,) = one_more(spec.model_copy(update={"step": 2.0})).values
    assert close(two.price_usd, earned)
    assert close(two.kept_usd, earned)
    assert close(two.most_usd, earned)
    assert two.holds_until == 0.2


def test_a_year_has_only_its_own_months():
    case = mining(months=14, sites=[site(grid_mw=4.0)])
    first, second = one_more(asked(case, of=["grid"])).values
    assert close(first.price_usd, USD_PER_MWH * hours(*range(12)))
    assert close(second.price_usd, USD_PER_MWH * hours(12, 13))
    (alone,) = one_more(asked(case, of=["grid"], years=[2028])).values
    assert alone.year == 2028


def test_what_is_not_scarce_is_worth_nothing_however_much_more():
    (item,) = one_more(asked(mining(sites=[site(grid_mw=9.0)]), of=["grid"])).values
    assert (item.price_usd, item.kept_usd, item.holds_until) == (0.0, 0.0, None)
    assert close(item.most_usd, 0.0)
    assert "worth nothing with the decisions at hand, however much more" in item.told


def test_a_machine_and_a_mw_of_halls():
    case = mining(sites=[site(hall_mw=6.0)])
    machine, halls = (one_more(asked(case, of=[kind])).values[0] for kind in ("machines", "halls"))
    assert close(machine.price_usd, USD_PER_MWH * 0.005 * hours(0, 1, 2, 3), usd=0.01)
    assert machine.holds_until == 100.0  # another hundred; there are halls for two hundred
    assert halls.holds_until is None
    (full,) = one_more(asked(mining(sites=[site(hall_mw=5.0)]), of=["machines"])).values
    assert close(full.price_usd, 0.0)
    (short,) = one_more(asked(mining(sites=[site(hall_mw=4.0)]), of=["halls"])).values
    assert close(short.price_usd, USD_PER_MWH * hours(0, 1, 2, 3))


def test_a_month_earlier_earns_that_month():
    steps = [{"from_month": "2027-01", "grid_mw": 1.0}, {"from_month": "2027-03", "grid_mw": 4.0}]
    case = mining(sites=[site(grid=steps)])
    (one,) = one_more(asked(case, of=["earlier_grid"])).values
    assert one.what == "the grid step of A in 2027-03, earlier"
    assert close(one.price_usd, 3.0 * USD_PER_MWH * hours(1))
    assert close(one.most_usd, 3.0 * USD_PER_MWH * hours(1))
    assert one.holds_until == 1.0
    (two,) = one_more(asked(case, of=["earlier_grid"], step=2.0)).values
    assert close(two.kept_usd, 3.0 * USD_PER_MWH * hours(0, 1))


def test_a_step_that_the_plan_can_bring_forward_is_its_own_question():
    terms = {"maximum_months": 1, "usd_per_month": 1e6}
    steps = [{"from_month": "2027-01", "grid_mw": 1.0}, {"from_month": "2027-03", "grid_mw": 4.0, "advance": terms}]
    spec = asked(mining(sites=[site(grid=steps)]))
    assert {more.of.value for more in all_asked(spec)} == {"halls", "machines"}


@pytest.mark.parametrize(
    ("kind", "finance", "what"),
    [
        (
            "budget",
            {"capex_budgets": [{"name": "2027", "from_month": "2027-01", "until_month": "2027-12",
                                "maximum_capex_usd": 0.5e6}]},
            "capex budget 2027",
        ),
        ("liquidity", {"opening_cash_usd": 2.5e6, "minimum_liquidity_usd": 2e6}, "cash that need not be kept"),
        (
            "debt",
            {"opening_cash_usd": 0.5e6, "project_debt": {"loan_to_cost_frac": 1.0, "interest_per_year_frac": 0.0,
             "origination_fee_frac": 0.0, "amortization_months": 2, "maximum_debt_usd": 0.3e6}},
            "project debt",
        ),
    ],
)  # fmt: skip
def test_half_a_million_more_and_a_contract_is_signed(kind, finance, what):
    """Ten MW cost a million to build and earn a million in each of two months."""
    spec = asked(portfolio(offers=[offer()], finance=finance), of=[kind], step=0.5)
    (item,) = one_more(spec).values
    assert item.what == what
    assert close(item.kept_usd, 0.0)
    assert close(item.least_usd, 1e6)
    assert close(item.most_usd, 1e6)
    assert close(item.found_usd, 1e6)


def test_prices_only_plans_nothing_anew():
    (item,) = one_more(asked(mining(), of=["grid"], prices_only=True)).values
    assert close(item.price_usd, USD_PER_MWH * hours(0, 1, 2, 3))
    assert (item.least_usd, item.most_usd, item.found_usd) == (None, None, None)
    assert "anew" not in item.told


def test_a_wide_bound_leaves_it_open_and_says_so():
    finance = {"opening_cash_usd": 2.5e6, "minimum_liquidity_usd": 2e6}
    case = mining(sites=[site()], fleets=[fleet(2000)], offers=[offer()], finance=finance)
    plan = best(case)
    wide = {"time_limit_s": 60.0, "gap_frac": 1.0}
    spec = OneMoreSpec(portfolio=case, decisions=plan.decisions, of=("liquidity",), step=0.1, options=wide)
    (item,) = one_more(spec).values
    assert item.least_usd == 0.0
    assert item.most_usd > 1.0
    assert "between 0 and" in item.told
    assert "the best plan found with it earns 0 more" in item.told


def test_no_time_is_told_as_such():
    answer = one_more(asked(mining(), of=["grid"]), should_stop=lambda: True)
    assert answer.limit == "interrupted"
    (item,) = answer.values
    assert close(item.price_usd, USD_PER_MWH * hours(0, 1, 2, 3))
    assert item.kept_usd is None
    assert "is not known" in item.told


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"sites": ["B"]}, "no site of the portfolio is 'B'"),
        ({"years": [2030]}, "no year of the portfolio is 2030"),
        ({"step": 0.5}, "0.5 more of earlier_grid is no whole number"),
        ({"options": {"solver": "scip"}}, "searched by HiGHS"),
    ],
)
def test_bad_questions_say_what_is_there(terms, told):
    with pytest.raises(ValueError, match=told):
        asked(mining(), **terms)


def test_a_plan_that_breaks_limits_is_refused():
    case = portfolio(offers=[offer(sites=[place()])], policy={"mandatory": [Placement(offer="O1")]})
    with pytest.raises(InvalidInputError, match="keeps every limit"):
        one_more(OneMoreSpec(portfolio=case, decisions=Decisions(), options=EXACT))
