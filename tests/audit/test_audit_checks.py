"""A valid plan passes every check; each way to spoil it makes exactly the check fail that is meant for it."""

from __future__ import annotations

import copy

import pytest
from audit_cases import market_of
from audit_valid_plan import (
    PERIODS,
    claims_of,
    machine_row,
    read,
    row_of,
    set_at,
    stated_decisions,
    stated_portfolio,
)

from optimizer.audit import Claims, audit, check, recalculate
from optimizer.errors import InvalidInputError


def test_a_valid_plan_passes_every_check():
    case, decisions = read(stated_portfolio(), stated_decisions())
    found, report = audit(case, market_of(case), decisions, Claims())
    assert report.passed, report.failures
    assert len({item.name for item in report.checks}) == len(report.checks) == 38
    again, complete = audit(case, market_of(case), decisions, claims_of(found))
    assert complete.passed, complete.failures
    assert len(complete.checks) == len(report.checks) + 7
    assert again.objective_usd == found.objective_usd


LIMITS = [
    ("sites.1.grid.0.grid_mw", 9.5, "power within the import limit", "B 2027-04"),
    ("sites.0.hall_mw", 4.0, "machines and displaced halls within the halls", "A 2027-03"),
    ("sites.2.opening.earliest_month", "2027-03", "sites opened when they can be", "C 2027-01"),
    ("gpu_options.0.order_until_month", "2027-02", "GPU blocks ordered when they can be", "G at A, ordered 2027-03"),
    ("gpu_options.0.sites", ["C"], "GPU blocks within their number, at their sites", "G at A, ordered 2027-03"),
    ("asic_models.0.purchasable", False, "machines bought are for sale", "A 2027-01: M"),
    ("offers.0.sign_until_month", "2027-02", "contracts signed inside their window", "O1 at A, signed 2027-03"),
    ("offers.0.sign_from_month", "2027-04", "contracts signed inside their window", "O1 at A, signed 2027-03"),
    ("offers.0.energize_by_month", "2027-03", "contracts energized in time", "O1 at A, signed 2027-03"),
    ("offers.0.critical_mw", 11.0, "contracts within their MW", "O1 at A, signed 2027-03"),
    ("policy.exclusive_groups.0.offers", ["O1", "O3"], "exclusive groups respected", "one of two"),
    (
        "policy.all_or_nothing_groups.0.offers",
        ["O1", "O2"],
        "all-or-nothing groups signed whole or not at all",
        "both",
    ),
    ("policy.mandatory.0.offer", "O2", "mandatory contracts signed", "O2"),
    ("policy.forbidden.0", {"offer": "O3", "site": "B"}, "forbidden contracts not signed", "O3 at B"),
    ("policy.mandatory.1", {"offer": "O3"}, "nothing new is signed before the freeze ends", "O3 at B, signed 2027-01"),
    ("policy.contract_changes.maximum_count", 0, "changes of contracts within their number", "O3 at B, signed 2027-03"),
    (
        "policy.parallel_builds.0.maximum_count",
        0,
        "contracts under construction within their number",
        "US-TX 2027-03",
    ),
    ("policy.tenant_limits.0.maximum_share_frac", 0.2, "MW of single tenants within their limit", "T1 2027-04"),
    ("policy.country_limits.0.maximum_share_frac", 0.4, "MW of single countries within their limit", "US 2027-05"),
    ("policy.technology_limits.0.maximum_share_frac", 0.2, "MW of single uses within their limit", "hosting 2027-04"),
    (
        "policy.technology_limits.1.maximum_share_frac",
        0.9,
        "hashrate of single sorts of machines within their limit",
        "M 2027-04",
    ),
    ("policy.domestic_share.minimum_share_frac", 0.99, "share at home kept", "US 2027-11"),
    ("policy.minimum_hashrate.0.minimum_eh_s", 0.15, "least hashrate kept", "2027-01"),
    ("finance.capex_budgets.0.maximum_capex_usd", 1.5e7, "capex within its budgets", "2027"),
    ("finance.minimum_liquidity_usd", 9e7, "cash above the liquidity floor", "2027-03"),
    ("finance.project_debt.maximum_debt_usd", 5e5, "debt outstanding within its limit", "2027-03"),
    ("finance.project_debt.loan_to_cost_frac", 0.05, "project debt within its share of the capex", "O1 at A"),
    ("finance.project_debt.minimum_dscr", 10.0, "income covers debt service", "O1 at A, 2027-05"),
]


@pytest.mark.parametrize(("path", "value", "name", "where"), LIMITS, ids=[item[0] for item in LIMITS])
def test_a_tighter_limit_fails_exactly_its_check(path, value, name, where):
    stated = stated_portfolio()
    set_at(stated, path, value)
    case, decisions = read(stated, stated_decisions())
    _, report = audit(case, market_of(case), decisions, Claims())
    assert [(item.name, item.where) for item in report.failures] == [(name, where)]


def sign_off_grid(portfolio, decisions):
    decisions["contracts"][0]["sign_month"] = "2027-04"
    portfolio["policy"]["contract_changes"]["maximum_count"] = 2


def sign_twice(portfolio, decisions):
    decisions["contracts"].append(decisions["contracts"][1])
    portfolio["finance"]["capex_budgets"] = []


def sign_too_much(portfolio, decisions):
    decisions["contracts"][1]["critical_mw"] = 8.1


def sign_past_the_lease(portfolio, decisions):
    portfolio["offers"][2]["term_months"] = 14  # months 2 to 15
    portfolio["sites"][1]["lease_end_month"] = "2028-02"  # month 13


def order_before_the_opening(portfolio, decisions):
    decisions["gpu_orders"][0].update(site="C", order_month="2027-01")


def order_too_many(portfolio, decisions):
    decisions["gpu_orders"][0]["block_count"] = 2


def lose_machines(portfolio, decisions):
    row_of(decisions, "A", 7)["stock_count"] = 840


def run_what_is_not_there(portfolio, decisions):
    row_of(decisions, "A", 5)["running"][0]["machine_count"] = 860


def run_less_than_nothing(portfolio, decisions):
    row_of(decisions, "C", 7)["running"].append({"mode": 0, "machine_count": -1})


def lose_machines_in_transit(portfolio, decisions):
    row_of(decisions, "B", 3)["moved_in_count"] = 190
    for period in range(3, 8):
        row_of(decisions, "B", period).update(stock_count=190, running=[])


def trade_off_grid(portfolio, decisions):
    row_of(decisions, "A", 3)["sold_count"] = 50  # one month before the grid allows it
    row_of(decisions, "A", 3)["stock_count"] = 850
    row_of(decisions, "A", 4)["sold_count"] = 0


def order_too_late(portfolio, decisions):
    portfolio["horizon"]["sign_every_months"] = 1
    row_of(decisions, "A", 7)["bought_count"] = 10


def run_a_wasteful_mode(portfolio, decisions):
    row_of(decisions, "A", 4)["running"][0]["mode"] = 1


DECISIONS = [
    (sign_off_grid, "contracts signed on the signing grid", 1, "O1 at A, signed 2027-04"),
    (sign_twice, "no offer is signed twice", 1, "O3"),
    (sign_too_much, "contracts within their MW", 0.1, "O3 at B, signed 2027-01"),
    (
        sign_past_the_lease,
        "sites of contracts usable from building to the end of the term",
        3,
        "O3 at B, signed 2027-01",
    ),
    (order_before_the_opening, "sites of GPU blocks usable while they stand", 2, "G at C, ordered 2027-01"),
    (order_too_many, "GPU blocks within their number, at their sites", 1, "G"),
    (lose_machines, "stock of machines follows from what came and went", 10, "A 2027-10: M"),
    (run_what_is_not_there, "machines running are in stock", 10, "A 2027-06: M"),
    (run_less_than_nothing, "no number of machines is negative", 1, "C 2027-10: M"),
    (lose_machines_in_transit, "machines in transit arrive in time", 10, "2027-04: M"),
    (trade_off_grid, "machines trade on the signing grid", 50, "A 2027-04: M"),
    (order_too_late, "machines ordered or moved arrive inside the horizon", 10, "A 2027-10: M"),
    (run_a_wasteful_mode, "machines run only in modes that pay", 800, "A 2027-05: M"),
]


@pytest.mark.parametrize(
    ("spoil", "name", "deviation", "where"), DECISIONS, ids=[item[0].__name__ for item in DECISIONS]
)
def test_a_spoilt_decision_fails_exactly_its_check(spoil, name, deviation, where):
    stated, decided = stated_portfolio(), copy.deepcopy(stated_decisions())
    spoil(stated, decided)
    case, decisions = read(stated, decided)
    _, report = audit(case, market_of(case), decisions, Claims())
    assert [(item.name, item.where) for item in report.failures] == [(name, where)]
    assert report.failures[0].largest_deviation == pytest.approx(deviation)


@pytest.mark.parametrize(
    ("field", "at", "name"),
    [
        ("objective_usd", None, "claimed objective"),
        ("npv_by_line_usd", "hosting", "claimed NPV by business line"),
        ("cash_usd", 3, "claimed cash at the end of each period"),
        ("debt_usd", 4, "claimed debt at the end of each period"),
        ("mining_mw", (1, 4), "claimed MW of mining"),
        ("hosting_mw", (0, 4), "claimed MW of hosting"),
        ("gpu_mw", (0, 5), "claimed MW of own GPUs"),
    ],
)
def test_a_wrong_claim_fails_exactly_its_check(field, at, name):
    case, decisions = read(stated_portfolio(), stated_decisions())
    found = recalculate(case, market_of(case), decisions)
    claims = {key: copy.deepcopy(getattr(claims_of(found), key)) for key in Claims.__dataclass_fields__}
    off = 1e-3 if field.endswith("mw") else 200.0
    if at is None:
        claims[field] += off
    else:
        claims[field][at] += off
    report = check(case, found, Claims(**claims))
    assert [item.name for item in report.failures] == [name]
    assert report.failures[0].largest_deviation == pytest.approx(off, rel=1e-4)
    if isinstance(at, tuple):
        assert report.failures[0].where == f"{'ABC'[at[0]]} {PERIODS[at[1]]}"


def test_every_check_has_a_case_that_fails_it():
    case, decisions = read(stated_portfolio(), stated_decisions())
    _, report = audit(case, market_of(case), decisions, Claims())
    spoilt = {name for _, _, name, _ in LIMITS} | {name for _, name, _, _ in DECISIONS}
    assert {item.name for item in report.checks} == spoilt


def test_share_at_home_by_hashrate():
    stated = stated_portfolio()
    stated["policy"]["domestic_share"] = {
        "country": "US",
        "basis": "hashrate",
        "minimum_share_frac": 0.95,
        "from_month": "2027-04",
    }
    case, decisions = read(stated, stated_decisions())
    _, report = audit(case, market_of(case), decisions, Claims())
    # 1,000 machines of 160 TH/s at home and 100 abroad: 0.95 x 0.176 - 0.16 EH/s is missing.
    assert [(item.name, item.where, item.unit) for item in report.failures] == [
        ("share at home kept", "US 2027-04", "EH/s")
    ]
    assert report.failures[0].largest_deviation == pytest.approx(0.0072)


def test_debt_without_terms_is_refused_by_its_check():
    stated = stated_portfolio()
    del stated["finance"]["project_debt"]
    case, decisions = read(stated, stated_decisions())
    _, report = audit(case, market_of(case), decisions, Claims())
    assert [item.name for item in report.failures] == ["project debt within its share of the capex"]


def test_a_fleet_that_is_forgotten_fails_the_stock():
    stated, decided = stated_portfolio(), stated_decisions()
    decided["machines"] = [row for row in decided["machines"] if row["site"] != "C"]
    case, decisions = read(stated, decided)
    _, report = audit(case, market_of(case), decisions, Claims())
    assert [item.where for item in report.failures] == ["C 2027-01: M"]


def test_nothing_to_check_is_left_out():
    stated = stated_portfolio()
    stated.update(policy={}, fleets=[], offers=[])
    stated["finance"] = {"opening_cash_usd": 1.0}
    case, decisions = read(stated, {})
    _, report = audit(case, market_of(case), decisions, Claims())
    assert [item.name for item in report.checks] == ["cash above the liquidity floor"]


def test_unknown_names_are_collected_with_their_paths():
    case, decisions = read(
        stated_portfolio(),
        {
            "contracts": [
                {"offer": "O9", "site": "A", "sign_month": "2027-01", "critical_mw": 1.0},
                {"offer": "O1", "site": "B", "sign_month": "2027-01", "critical_mw": 1.0},
            ],
            "machines": [
                machine_row("Z", 0, 1, 0),
                {**machine_row("A", 0, 1, 0), "asic_model": "N"},
                {**machine_row("A", 0, 1, 0), "month": "2027-08"},
                {**machine_row("A", 0, 1, 0), "running": [{"mode": 3, "machine_count": 1}]},
                machine_row("A", 0, 1, 0),
            ],
            "gpu_orders": [{"gpu_option": "H", "site": "A", "order_month": "2027-01", "block_count": 1}],
            "site_openings": [{"site": "A", "month": "2027-01"}],
        },
    )
    with pytest.raises(InvalidInputError) as caught:
        recalculate(case, market_of(case), decisions)
    assert [problem.path for problem in caught.value.problems] == [
        "contracts[0].offer",
        "contracts[1].site",
        "machines[0].site",
        "machines[1].asic_model",
        "machines[2].month",
        "machines[3].running[0].mode",
        "machines[4]",
        "gpu_orders[0].gpu_option",
        "site_openings[0].site",
    ]


@pytest.mark.parametrize(
    ("claims", "path"),
    [
        ({"cash_usd": [1.0]}, "claims.cash_usd"),
        ({"objective_usd": float("nan")}, "claims.objective_usd"),
        ({"npv_by_line_usd": {"hotels": 1.0}}, "claims.npv_by_line_usd.hotels"),
    ],
)
def test_claims_of_a_wrong_shape_are_refused(claims, path):
    case, decisions = read(stated_portfolio(), stated_decisions())
    with pytest.raises(InvalidInputError) as caught:
        audit(case, market_of(case), decisions, Claims(**claims))
    assert [problem.path for problem in caught.value.problems] == [path]


def test_another_horizon_or_portfolio_is_refused():
    case, decisions = read(stated_portfolio(), stated_decisions())
    market = market_of(case)
    found = recalculate(case, market, decisions)
    with pytest.raises(InvalidInputError, match="another portfolio"):
        check(case.model_copy(update={"name": "other"}), found)
    market.month_count = 11
    with pytest.raises(InvalidInputError, match="11 months of market paths for a horizon of 12"):
        recalculate(case, market, decisions)
