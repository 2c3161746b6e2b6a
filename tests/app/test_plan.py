"""Planning end to end: what an answer holds, that its numbers tie, and degenerate portfolios (long: one case a behaviour)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import (
    BTC_USD,
    EXACT,
    asic,
    best,
    close,
    fleet,
    gpu_option,
    hours,
    offer,
    opening,
    place,
    portfolio,
    scalable,
    site,
    worth,
)  # fmt: skip

import optimizer.app.planning as planning
from optimizer.app import plan
from optimizer.domain import SolveOptions, ValuePath
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio
from optimizer.model.families.capex_budget import CAPEX_BUDGET
from optimizer.model.families.concentration import CONCENTRATION
from optimizer.model.families.contract_changes import CONTRACT_CHANGES
from optimizer.model.families.domestic_share import DOMESTIC_SHARE
from optimizer.model.families.hall_capacity import HALL_CAPACITY
from optimizer.model.families.minimum_hashrate import MINIMUM_HASHRATE
from optimizer.model.families.offer_groups import OFFER_GROUPS
from optimizer.model.families.parallel_builds import PARALLEL_BUILDS
from optimizer.model.families.placements import PLACEMENTS
from optimizer.model.families.power_balance import POWER_BALANCE
from optimizer.model.formulation import FORMULATION
from optimizer.model.program import Program


@pytest.fixture(scope="module")
def answer():
    """The answer to the tiny example."""
    return plan(load_portfolio("tiny"), EXACT)


# --------------------------------------------------------------------------------------------------------------- contents


def test_everything_is_there(answer):
    case = load_portfolio("tiny")
    assert answer.termination.reason == "optimal"
    assert answer.audit.passed
    assert not answer.audit_failed
    assert len(answer.audit.checks) >= 15
    months = case.horizon.month_count
    assert len(answer.capacity) == 2 * months
    assert [row.month for row in answer.cash_flow] == list(case.horizon.months)
    assert [row.year for row in answer.earnings] == [2027, 2028, 2029, 2030, 2031]
    assert sum(row.month_count for row in answer.earnings) == months
    assert len(answer.contracts) == len(answer.decisions.contracts) >= 1
    assert answer.distribution.scenario_count == 500
    assert answer.distribution.mean_usd == pytest.approx(answer.npv.total_usd)
    assert answer.distribution.cvar_usd <= answer.distribution.var_usd <= answer.distribution.mean_usd
    assert answer.enterprise_value_usd is None


def test_cash_flow_columns_sum_to_the_net_and_the_net_rolls_forward(answer):
    case, cash = load_portfolio("tiny"), load_portfolio("tiny").finance.opening_cash_usd
    for row in answer.cash_flow:
        values = row.model_dump(exclude={"month", "net_cash_usd", "cash_usd", "debt_usd"})
        assert sum(values.values()) == pytest.approx(row.net_cash_usd, abs=0.01)
        cash += row.net_cash_usd
        assert row.cash_usd == pytest.approx(cash, abs=0.1)
    ends = [period.last for period in case.horizon.periods]
    assert min(answer.cash_flow[month].cash_usd for month in ends) >= case.finance.minimum_liquidity_usd - 1.0


def test_debt_rolls_forward(answer):
    debt, rate = 0.0, load_portfolio("tiny").finance.project_debt.interest_per_year_frac / 12
    fee = load_portfolio("tiny").finance.project_debt.origination_fee_frac
    for row in answer.cash_flow:
        principal = -row.debt_service_usd - fee * row.debt_draws_usd - rate * debt
        debt += row.debt_draws_usd - principal
        assert row.debt_usd == pytest.approx(debt, abs=1.0)


def test_lines_of_the_npv_sum_to_the_objective(answer):
    lines = answer.npv.model_dump(exclude={"total_usd"})
    assert sum(lines.values()) == pytest.approx(answer.npv.total_usd, abs=0.01)
    assert answer.npv.total_usd == pytest.approx(answer.termination.objective_usd, rel=1e-9)


def test_capacity_rows_sum_to_the_grid(answer):
    case = load_portfolio("tiny")
    for row in answer.capacity:
        assert row.mining_mw + row.hosting_mw + row.gpu_mw + row.idle_mw == pytest.approx(row.grid_mw, abs=1e-9)
        assert row.grid_mw == case.site(row.site).grid_mw_at(row.month)
        assert row.idle_mw >= -1e-6
    assert any(row.hosting_mw > 0 for row in answer.capacity)
    assert any(row.mining_mw > 0 for row in answer.capacity)


def test_earnings_sum_the_cash_flow(answer):
    for row in answer.earnings:
        months = [item for item in answer.cash_flow if item.month.year == row.year]
        assert row.mining_usd == pytest.approx(sum(item.mining_margin_usd for item in months))
        assert row.hosting_usd == pytest.approx(sum(item.hosting_noi_usd for item in months))
        assert row.cost_usd == pytest.approx(sum(item.site_costs_usd + item.overhead_usd for item in months))


def test_the_twin_mines_on(answer):
    case = load_portfolio("tiny").model_copy(update={"offers": ()})
    twin = answer.business_as_usual
    assert twin.feasible
    assert twin.npv_usd == pytest.approx(worth(case), abs=10.0)
    assert twin.difference_usd == pytest.approx(answer.termination.objective_usd - twin.npv_usd)
    assert twin.difference_usd > 0


def test_the_twin_of_an_obligation_is_not_feasible_and_says_so():
    twin = best(portfolio(offers=[offer()], policy={"mandatory": [{"offer": "O1"}]})).business_as_usual
    assert (twin.feasible, twin.npv_usd, twin.difference_usd) == (False, None, None)
    assert "breaks liquidity or a policy" in twin.detail


def test_the_manifest_reproduces(answer):
    manifest = answer.manifest
    assert manifest.portfolio_name == "tiny"
    assert manifest.options == EXACT
    assert len(manifest.portfolio_sha256) == 64
    assert {item.component for item in manifest.versions} == {
        "python",
        "capacity-optimizer",
        "pyomo",
        "highspy",
        "numpy",
    }
    assert [item.stage for item in manifest.timings] == ["curves", "build", "compile", "pass", "twin", "solve", "audit"]
    assert manifest.model_size.columns > manifest.model_size.integers > 0
    other = plan(portfolio(offers=[offer()]), EXACT).manifest.portfolio_sha256
    assert other != manifest.portfolio_sha256


def test_enterprise_value_is_earnings_times_multiples():
    multiples = {"year": 2027, "hosting_multiple": 10.0, "mining_multiple": 5.0}
    case = portfolio(12, offers=[offer()], asic_models=[asic()], fleets=[fleet()], finance={"multiples": multiples})
    assert close(best(case).enterprise_value_usd, 10 * 2e6 + 5 * 200.0 * hours(*range(12)))


# --------------------------------------------------------------------------------------------------------------- progress


def test_stages_are_told_in_order():
    told = []
    answer = plan(load_portfolio("tiny"), EXACT, told.append)
    stages = list(dict.fromkeys(item.stage for item in told))
    assert stages == ["curves", "build", "twin", "solve", "audit", "done"]
    assert [item.elapsed_s for item in told] == sorted(item.elapsed_s for item in told)
    last = told[-1]
    assert (last.stage, last.incumbent_usd) == ("done", answer.termination.objective_usd)
    assert last.gap_frac == answer.termination.gap_frac


def test_without_a_plan_the_stages_end_early():
    told = []
    broke = portfolio(finance={"opening_cash_usd": 0.0, "overhead_usd_per_month": 1.0})
    answer = plan(broke, EXACT, told.append)
    assert answer.termination.reason == "infeasible"
    assert list(dict.fromkeys(item.stage for item in told)) == ["curves", "build", "twin", "solve", "done"]
    assert answer.audit is None
    assert not answer.audit_failed
    assert answer.decisions.contracts == ()
    assert answer.npv is None
    assert answer.manifest.model_size is not None
    assert answer.filled_in


def test_a_stop_before_the_first_plan_is_a_result():
    answer = plan(load_portfolio("tiny"), EXACT, should_stop=lambda: True)
    assert answer.termination.limit == "interrupted"
    # At worst it is the one that mines on, which is known by then.
    assert answer.termination.reason == "feasible"
    assert answer.audit.passed
    assert answer.termination.objective_usd >= answer.business_as_usual.npv_usd - 1.0


def test_defaults_that_were_used_are_told():
    told = {item.path: item.value for item in plan(portfolio(offers=[offer()])).filled_in}
    assert told["market.network_price_elasticity"] == "0.25"
    assert told["risk.tail_probability"] == "0.05"
    assert "sites[0].hosting_pue" in told
    assert "sites[0].mining_pue" not in told
    assert "finance.opening_cash_usd" not in told


def test_series_that_are_not_loaded_are_an_error():
    case = portfolio(
        sites=[site(power={"hourly_series": "x"})], series=[{"name": "x", "library": "ercot-west"}],
        asic_models=[asic()], fleets=[fleet()],
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="are not loaded"):
        plan(case)


# ----------------------------------------------------------------------------------------------- the audit of a broken model


def breaking(monkeypatch, family, build=None):
    """Plan with a family that states other rows than it should; none by default. Variables it keeps."""

    def nothing(program, problem):
        before = set(program.components)
        family.build(program, problem)
        for name in (program.components - before) & set(program.rows):
            block = program.rows[name]
            kept = np.zeros(0, dtype=np.int64)
            program.rows[name] = replace(
                block, keys=(), row=kept, column=kept, coefficient=np.zeros(0), lower=np.zeros(0), upper=np.zeros(0)
            )

    broken = replace(family, build=build or nothing)
    monkeypatch.setattr(planning, "FORMULATION", tuple(broken if item is family else item for item in FORMULATION))


MINING = {"asic_models": [asic()], "fleets": [fleet()]}
TWO = [offer("O1"), offer("O2")]
BUDGET = [{"name": "b", "from_month": "2027-01", "until_month": "2027-02", "maximum_capex_usd": 1.5e6}]
ABROAD = {"sites": [site("A"), site("B", country="CA")], "asic_models": [asic()], "fleets": [fleet(), fleet(2000, "B")]}
LOSING = site(power={"flat_usd_per_mwh": 90.0}, mining_opex_usd_per_mw_month=100.0)

BROKEN = {
    "power": (POWER_BALANCE, portfolio(sites=[site(grid_mw=3.0)], **MINING), "power within the import limit"),
    "halls": (HALL_CAPACITY, portfolio(sites=[site(hall_mw=3.0)], **MINING), "machines and displaced halls within the halls"),
    "budget": (CAPEX_BUDGET, portfolio(offers=TWO, finance={"capex_budgets": BUDGET}), "capex within its budgets"),
    "exclusive": (
        OFFER_GROUPS,
        portfolio(offers=TWO, policy={"exclusive_groups": [{"name": "E", "offers": ["O1", "O2"]}]}),
        "exclusive groups respected",
    ),
    "together": (
        OFFER_GROUPS,
        portfolio(
            offers=[offer("O1"), offer("O2", price_usd_per_kw_month=0.0)],
            policy={"all_or_nothing_groups": [{"name": "E", "offers": ["O1", "O2"]}]},
        ),
        "all-or-nothing groups signed whole or not at all",
    ),
    "mandatory": (
        PLACEMENTS,
        portfolio(offers=[offer(price_usd_per_kw_month=0.0)], policy={"mandatory": [{"offer": "O1"}]}),
        "mandatory contracts signed",
    ),
    "forbidden": (
        PLACEMENTS,
        portfolio(offers=[offer()], policy={"forbidden": [{"offer": "O1"}]}),
        "forbidden contracts not signed",
    ),
    "freeze": (
        PLACEMENTS,
        portfolio(offers=[offer()], policy={"freeze_until_month": "2027-02"}),
        "nothing new is signed before the freeze ends",
    ),
    "builds": (
        PARALLEL_BUILDS,
        portfolio(offers=TWO, policy={"parallel_builds": [{"maximum_count": 1}]}),
        "contracts under construction within their number",
    ),
    "tenant": (
        CONCENTRATION,
        portfolio(offers=[offer(tenant="T")], policy={"tenant_limits": [{"tenant": "T", "maximum_share_frac": 0.05}]}),
        "MW of single tenants within their limit",
    ),
    "country": (
        CONCENTRATION,
        portfolio(policy={"country_limits": [{"country": "US", "maximum_share_frac": 0.01}]}, **MINING),
        "MW of single countries within their limit",
    ),
    "home": (
        DOMESTIC_SHARE,
        portfolio(policy={"domestic_share": {"country": "US", "minimum_share_frac": 0.9}}, **ABROAD),
        "share at home kept",
    ),
    "hashrate": (
        MINIMUM_HASHRATE,
        portfolio(sites=[LOSING], policy={"minimum_hashrate": [{"minimum_eh_s": 0.1}]}, **MINING),
        "least hashrate kept",
    ),
    "changes": (
        CONTRACT_CHANGES,
        portfolio(offers=TWO, policy={"contract_changes": {"previous": [], "maximum_count": 1}}),
        "changes of contracts within their number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_family_that_is_lost_fails_exactly_its_check(monkeypatch, name):
    family, case, check = BROKEN[name]
    sound = plan(case, EXACT)
    assert sound.audit is None or sound.audit.passed
    breaking(monkeypatch, family)
    broken = plan(case, EXACT)
    assert [item.name for item in broken.audit.failures] == [check]
    assert broken.audit_failed


def test_a_limit_ten_per_cent_too_loose_is_seen(monkeypatch):
    def loose(program, problem):
        POWER_BALANCE.build(program, problem)
        block = program.rows["site_power_within_limit"]
        program.rows["site_power_within_limit"] = replace(block, upper=1.1 * block.upper)

    breaking(monkeypatch, POWER_BALANCE, loose)
    (failure,) = plan(portfolio(sites=[site(grid_mw=3.0)], **MINING), EXACT).audit.failures
    assert failure.name == "power within the import limit"
    assert failure.largest_deviation == pytest.approx(0.3)


def without_rows(monkeypatch, *blocks):
    """Plan with a program that loses rows when it is compiled."""
    compiled = Program.compile

    def compile_without(self):
        kept, self.rows = self.rows, {name: block for name, block in self.rows.items() if name not in blocks}
        try:
            return compiled(self)
        finally:
            self.rows = kept

    monkeypatch.setattr(Program, "compile", compile_without)


DEBT = {"loan_to_cost_frac": 0.5, "interest_per_year_frac": 0.0, "amortization_months": 3, "minimum_dscr": 0.0}
MOVING = asic(move_downtime_months=1)

LOST = {
    "cash_carried_forward": (
        portfolio(offers=[offer()], finance={"opening_cash_usd": 0.5e6}),
        {"cash above the liquidity floor", "claimed cash at the end of each period"},
    ),
    "debt_within_limit": (
        portfolio(
            offers=[offer("O1"), offer("O2", price_usd_per_kw_month=0.0)],
            finance={"opening_cash_usd": 0.3e6, "project_debt": DEBT},
        ),
        None,
    ),
    "debt_within_cap": (
        portfolio(offers=[offer()], finance={"opening_cash_usd": 0.6e6, "project_debt": {**DEBT, "maximum_debt_usd": 0.2e6}}),
        {"debt outstanding within its limit"},
    ),
    "running_within_stock": (portfolio(1, **MINING), {"machines running are in stock"}),
    "offer_signed_at_most_once": (portfolio(offers=[offer(sign_until_month="2027-02")]), {"no offer is signed twice"}),
    "critical_mw_within_offer": (portfolio(offers=[scalable(least=9.0)], sites=[site(grid_mw=5.0)]), None),
    "gpu_blocks_within_option": (
        portfolio(gpu_options=[gpu_option(order_until_month="2027-02")]),
        {"GPU blocks within their number, at their sites"},
    ),
    "scaled_blocks_counted": (
        portfolio(
            gpu_options=[
                gpu_option(
                    maximum_block_count=2,
                    scale_curve=[{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.5}],
                )
            ]
        ),
        {"claimed objective", "claimed NPV by business line", "claimed cash at the end of each period"},
    ),
    "contract_at_open_site": (
        portfolio(sites=[site("B", opening=opening(0.0, 1))], offers=[offer(sites=[place("B")])]),
        {"sites of contracts usable from building to the end of the term"},
    ),
    "gpu_blocks_at_open_site": (
        portfolio(sites=[site(opening=opening(0.0, 1))], gpu_options=[gpu_option(lead_months=1)]),
        {"sites of GPU blocks usable while they stand"},
    ),
    "grid_steps_in_order": (
        portfolio(
            sites=[
                site(
                    grid=[
                        {"from_month": "2026-01", "grid_mw": 1.0},
                        {"from_month": "2027-03", "grid_mw": 2.0},
                        {"from_month": "2027-04", "grid_mw": 5.0, "advance": {"maximum_months": 2, "usd_per_month": 0.0}},
                    ]
                )
            ],
            **MINING,
        ),
        {"grid steps come in order"},
    ),
    "machines_in_transit_arrive": (
        portfolio(2, sites=[site("A"), site("B")], asic_models=[MOVING], fleets=[fleet()]),
        {"machines in transit arrive in time"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("block", LOST)
def test_rows_that_are_lost_are_seen(monkeypatch, block):
    case, checks = LOST[block]
    assert plan(case, EXACT).audit.passed
    without_rows(monkeypatch, block)
    broken = plan(case, EXACT)
    assert broken.audit_failed, broken.termination
    if checks is not None:
        assert {item.name for item in broken.audit.failures} == checks


def test_a_claim_that_is_wrong_is_seen(monkeypatch):
    from optimizer.model.family import assemble

    def inflated(problem, formulation):
        program = assemble(problem, formulation)
        account = program.ledger["npv_musd"]
        account.constant = account.constant + 1.0
        return program

    monkeypatch.setattr(planning, "assemble", inflated)
    failures = {item.name for item in plan(portfolio(offers=[offer()]), EXACT).audit.failures}
    assert failures == {"claimed objective", "claimed NPV by business line"}


# ------------------------------------------------------------------------------------------------------ degenerate portfolios


def test_a_site_and_nothing_else():
    answer = best(portfolio())
    assert close(answer.termination.objective_usd, 0.0)
    assert answer.decisions.machines == ()
    assert all(row.idle_mw == row.grid_mw for row in answer.capacity)


def test_one_period():
    assert close(worth(portfolio(1, **MINING)), 200.0 * hours(0))
    assert close(worth(portfolio(segments=[(12, 1)], **MINING)), 200.0 * hours(*range(12)))


def test_contracts_without_machines_and_machines_without_contracts():
    assert close(worth(portfolio(offers=TWO)), 2e6)
    assert close(worth(portfolio(**MINING)), 200.0 * hours(0, 1, 2, 3))


def test_models_that_nobody_owns_or_sells():
    assert close(worth(portfolio(asic_models=[asic()])), 0.0)
    assert close(worth(portfolio(asic_models=[asic()], fleets=[fleet(0)])), 0.0)


def test_no_halls():
    case = portfolio(sites=[site(hall_mw=0.0)], offers=[offer()], **MINING)
    assert close(worth(case), 1e6)


def test_no_grid_yet_and_no_lease_any_more():
    assert close(
        worth(portfolio(sites=[site(grid=[{"from_month": "2030-01", "grid_mw": 9.0}])], offers=TWO, **MINING)), 0.0
    )
    assert close(worth(portfolio(sites=[site(lease_end_month="2026-12")], offers=TWO, **MINING)), 0.0)


def test_no_cash():
    broke = {"opening_cash_usd": 0.0}
    assert close(worth(portfolio(finance=broke, offers=TWO, **MINING)), 200.0 * hours(0, 1, 2, 3))
    assert close(worth(portfolio(finance=broke)), 0.0)


def test_only_sites_that_are_closed():
    case = portfolio(sites=[site(opening=opening(1e12, earliest_month="2030-01"))], offers=[offer()], **MINING)
    assert close(worth(case), 0.0)


def test_an_offer_that_ends_long_after_the_horizon():
    case = portfolio(2, offers=[offer(term_months=480)])
    assert close(worth(case), 480e6 - 1e6)


def test_energy_that_is_paid_for_taking_it():
    # At -10 USD/MWh machines run in all hours, and at any hashprice.
    case = portfolio(1, sites=[site(power={"flat_usd_per_mwh": -10.0})], **MINING)
    assert close(worth(case), 1000 * (0.4 + 0.05) * hours(0))


def test_a_market_worth_nothing():
    case = portfolio(1, market={"btc_usd": 1.0}, **MINING)
    assert BTC_USD > 1e5
    assert close(worth(case), 0.0)


def test_the_least_time_and_the_widest_gap_still_give_a_plan():
    answer = plan(portfolio(offers=TWO), SolveOptions(time_limit_s=0.1, gap_frac=1.0))
    assert answer.termination.has_plan
    assert answer.audit.passed


def test_paths_and_numbers_mean_the_same():
    flat = portfolio(1, market={"btc_usd": BTC_USD}, **MINING)
    path = portfolio(1, market={"btc_usd": {"points": [{"from_month": "2026-01", "value": BTC_USD}]}}, **MINING)
    assert isinstance(path.market.btc_usd, ValuePath)
    assert close(worth(flat), worth(path))
