"""Own GPU blocks that are replaced in place at the end of their life."""

from __future__ import annotations

import pytest
from support import LINES, best, binding, close, gpu_option, hours, portfolio, problem_of, reason, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, GpuOrder
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

OLD_USD, NEW_USD = 960.0, 2940.0
"""What a block earns in an hour: 1000 less 40 of energy, and, refreshed, three times the billing at 1.5 times the power."""


def refresh(**changes):
    terms = {"capex_usd_per_gpu": 0.0, "life_months": 2, "throughput_factor": 3.0, "power_factor": 1.5}
    return {**terms, **changes}


def option(again=None, **changes):
    return gpu_option(refresh=refresh(**(again or {})), **changes)


def order(count=1, refreshed=0, month="2027-01"):
    return {
        "gpu_option": "G", "site": "A", "order_month": month, "block_count": count, "refreshed_block_count": refreshed
    }  # fmt: skip


def refreshed(answer):
    return [(item.block_count, item.refreshed_block_count) for item in answer.decisions.gpu_orders]


def test_a_refreshed_block_bills_and_draws_as_its_new_gpus_do():
    answer = best(portfolio(5, gpu_options=[option()]))
    assert refreshed(answer) == [(1, 1)]
    told = "Order 1 x G for A in 2027-01, and replace 1 at the end of life"
    assert [item.told for item in answer.decisions.gpu_orders] == [told]
    assert close(answer.termination.objective_usd, OLD_USD * hours(0, 1) + NEW_USD * hours(2, 3))
    assert [row.gpu_mw for row in answer.capacity] == pytest.approx([1.0, 1.0, 1.5, 1.5, 0.0])
    assert answer.earnings[0].gpu_usd == pytest.approx(answer.termination.objective_usd)
    dear = portfolio(5, gpu_options=[option(capex_usd_per_gpu=1e5)])
    assert close(worth(dear), 0.0)
    assert binding(dear) == {"refreshed_blocks_ordered"}


def test_it_is_paid_and_the_old_gpus_sold_in_the_month_after_their_last():
    again = option({"capex_usd_per_gpu": 800.0}, capex_usd_per_gpu=600.0, residual_frac=0.5)
    ended = best(portfolio(5, gpu_options=[again]))
    # The new ones end in the horizon, too: half their price is cash in the month after.
    assert [row.gpu_capex_usd for row in ended.cash_flow] == pytest.approx([-6e5, 0.0, 3e5 - 8e5, 0.0, 4e5])
    alive = best(portfolio(3, gpu_options=[again]))
    # One of two months of life is gone: three quarters are left, at the end and not in the cash.
    assert close(alive.termination.objective_usd, OLD_USD * hours(0, 1) + NEW_USD * hours(2) - 3e5 - 0.25 * 8e5)
    assert alive.cash_flow[-1].gpu_capex_usd == pytest.approx(3e5 - 8e5)


def test_it_is_refreshed_only_if_that_pays():
    price = NEW_USD * hours(2, 3) / 1000
    assert refreshed(best(portfolio(5, gpu_options=[option({"capex_usd_per_gpu": price + 1.0})]))) == [(1, 0)]
    assert refreshed(best(portfolio(5, gpu_options=[option({"capex_usd_per_gpu": price - 1.0})]))) == [(1, 1)]


def test_while_it_waits_it_keeps_its_power_and_earns_nothing():
    answer = best(portfolio(5, gpu_options=[option({"downtime_months": 1})]))
    assert [row.gpu_mw for row in answer.capacity] == pytest.approx([1.0, 1.0, 1.0, 1.5, 1.5])
    assert close(answer.termination.objective_usd, OLD_USD * hours(0, 1) + NEW_USD * hours(3, 4))
    assert refreshed(best(portfolio(3, gpu_options=[option({"downtime_months": 1})]))) == [(1, 0)]
    with_halls = option(halls_displaced_mw_per_critical_mw=2.0)
    assert close(
        worth(portfolio(5, sites=[site(hall_mw=2.0)], gpu_options=[with_halls])),
        worth(portfolio(5, gpu_options=[option()])),
    )


def test_more_power_must_be_there_for_the_new_gpus():
    case = portfolio(5, sites=[site(grid_mw=3.0)], gpu_options=[option(maximum_block_count=3)])
    # Three old blocks fit, and two new ones.
    assert refreshed(best(case)) == [(3, 2)]
    assert "site_power_within_limit" in binding(case)


def test_in_a_long_period_a_block_draws_its_most_not_both():
    # Old and new months in one period of six: 1.5 MW, not 2.5.
    lasting = option({"life_months": 3}, life_months=3)
    for grid_mw, expected in ((1.5, 1), (1.4, 0)):
        case = portfolio(segments=[(6, 1)], sites=[site(grid_mw=grid_mw)], gpu_options=[lasting])
        assert refreshed(best(case)) == [(1, expected)]


def test_the_lease_must_last_as_long_as_the_new_gpus():
    assert refreshed(best(portfolio(5, sites=[site(lease_end_month="2027-05")], gpu_options=[option()]))) == [(1, 1)]
    assert refreshed(best(portfolio(5, sites=[site(lease_end_month="2027-04")], gpu_options=[option()]))) == [(1, 0)]


def test_budgets_and_cash_limit_it():
    again = option({"capex_usd_per_gpu": 800.0}, maximum_block_count=2)
    budget = {"name": "b", "from_month": "2027-03", "until_month": "2027-03", "maximum_capex_usd": 8e5}
    case = portfolio(5, gpu_options=[again], finance={"capex_budgets": [budget]})
    assert refreshed(best(case)) == [(2, 1)]
    assert "capex_within_budget" in binding(case)
    must = {"mandatory_gpu_orders": [order(2, 2)]}
    assert reason(portfolio(5, gpu_options=[again], finance={"capex_budgets": [budget]}, policy=must)) == "infeasible"


def test_shares_by_use_and_at_home_count_what_is_drawn():
    shares = {"technology_limits": [{"use": "gpu", "maximum_share_frac": 0.03}]}
    assert refreshed(best(portfolio(5, gpu_options=[option(maximum_block_count=3)], policy=shares))) == [(3, 2)]
    blocks = option({"life_months": 3}, sites=["B"], life_months=3)
    sites = [site(), site("B", country="PY")]
    home = {"domestic_share": {"country": "US", "minimum_share_frac": 0.4}}
    at_home = gpu_option("H", life_months=6)
    # A MW at home bears 1.5 MW abroad, in months and in one period.
    for share, expected in ((0.4, 1), (0.41, 0)):
        home["domestic_share"]["minimum_share_frac"] = share
        for cut in (None, [(6, 1)]):
            case = portfolio(6, segments=cut, sites=sites, gpu_options=[blocks, at_home], policy=home)
            chosen = {item.gpu_option: item.refreshed_block_count for item in best(case).decisions.gpu_orders}
            assert chosen["G"] == expected


def test_in_a_long_period_a_block_at_home_counts_with_its_least():
    # Refreshed it stands at home all six months, and as much may stand abroad.
    at_home, abroad = option({"life_months": 3}, life_months=3), gpu_option("H", sites=["B"], life_months=6)
    home = {"domestic_share": {"country": "US", "minimum_share_frac": 0.5}}
    sites = [site(), site("B", country="PY")]
    case = portfolio(segments=[(6, 1)], sites=sites, gpu_options=[at_home, abroad], policy=home)
    assert refreshed(best(case)) == [(1, 1), (1, 0)]
    case = portfolio(segments=[(6, 1)], sites=sites, gpu_options=[gpu_option(life_months=3), abroad], policy=home)
    assert refreshed(best(case)) == [(1, 0)]


def test_scale_is_that_of_each_generation():
    curve = [{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.5}]
    must = {"mandatory_gpu_orders": [order(2, 2), order(1, 0, "2027-03")]}
    scaled = option(maximum_block_count=3, order_until_month="2027-03", scale_curve=curve)
    case = portfolio(5, gpu_options=[scaled], policy=must)
    # Two old ones, then two new ones beside one old one, which bills in full; and that one is refreshed beyond the horizon.
    lost = 500.0 * hours(0, 1) + 1500.0 * hours(2, 3)
    new = NEW_USD * hours(4) if refreshed(best(case))[1][1] else 0.0
    assert close(worth(case), 2 * (OLD_USD * hours(0, 1) + NEW_USD * hours(2, 3)) + OLD_USD * hours(2, 3) + new - lost)


UNCERTAIN = {
    "market": {"uncertainty": [{"factor": "gpu_rental", "volatility_per_year_frac": 1.5}]},
    "risk": {"scenario_count": 300},
    "discount_per_year_frac": 0.1,
}


def test_scenarios_are_those_of_an_option_that_comes_after_it():
    curve = [{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.6}]
    common = {"maximum_block_count": 2, "cap_curve": "a100-training", "scale_curve": curve}
    again = option({"life_months": 4, "downtime_months": 1}, rental_usd_per_gpu_hour=0.06, **common)
    after = gpu_option(
        "H", lead_months=3, life_months=4, rental_usd_per_gpu_hour=0.18, power_kw_per_gpu=1.5, **common
    )  # fmt: skip
    case = portfolio(7, gpu_options=[again, after], **UNCERTAIN)
    futures, both = Futures.of(case), {**order(2), "gpu_option": "H"}
    npv_usd = []
    for orders in ([order(2, 2)], [order(2), both], [order(2)]):
        decisions = Decisions(gpu_orders=tuple(GpuOrder.model_validate(item) for item in orders))
        found, report = audit(case, futures, decisions, Claims())
        assert report.passed
        npv_usd.append(scenario_npv_usd(case, futures, decisions, found.npv_usd))
        assert npv_usd[-1].mean() == pytest.approx(found.npv_usd)
    assert npv_usd[0] == pytest.approx(npv_usd[1])
    assert npv_usd[0].std() > 2.0 * npv_usd[2].std()


def test_carbon_tax_and_earnings_are_those_of_the_new_gpus():
    parts = {"sites": [site(carbon_t_per_mwh=0.4)], "policy": {"carbon": {"price_usd_per_t": 50.0}}}
    # 0.4 t/MWh at 50 USD: 20 USD an hour, then 30.
    case = portfolio(5, gpu_options=[option({"downtime_months": 1, "life_months": 1})], **parts)
    assert close(worth(case), (OLD_USD - 20.0) * hours(0, 1) + (NEW_USD - 30.0) * hours(3))
    rates = {**{f"{line}_per_year_frac": 0.0 for line in LINES}, "corporate_per_year_frac": 1e-9}
    tax = {"tax": {"rate_frac": 0.25, "gpu_write_off_years": 1}, "discount": rates}
    again = option({"capex_usd_per_gpu": 800.0}, maximum_block_count=1)
    case = portfolio(5, gpu_options=[again], finance=tax)
    income = OLD_USD * hours(0, 1) + NEW_USD * hours(2, 3)
    # Of what is paid in the third month three twelfths are written off in the horizon.
    assert close(worth(case), income - 8e5 - 0.25 * (income - 0.25 * 8e5))


def test_a_stress_pays_what_the_new_gpus_bill_in_it():
    glut = {"factor": "gpu_rental", "points": [{"month_offset": 0, "multiplier": 0.5}]}
    shocks = [{"begin_month": "2027-03", "effects": [glut]}]
    left = 1e7 + OLD_USD * hours(0, 1) + (1500.0 - 60.0) * hours(2, 3) - 8e6

    def case(floor_usd):
        finance = {
            "opening_cash_usd": 1e7, "stresses": [{"name": "glut", "minimum_liquidity_usd": floor_usd, "shocks": shocks}]
        }  # fmt: skip
        again = option({"capex_usd_per_gpu": 8000.0})
        return portfolio(4, gpu_options=[again], finance=finance, policy={"mandatory_gpu_orders": [order(1, 1)]})

    least = 1e7 + OLD_USD * hours(0, 1) + 1440.0 * hours(2) - 8e6
    assert least < left
    assert best(case(least - 10.0)).stresses[0].least_cash_usd == pytest.approx(least)
    assert reason(case(least + 10.0)) == "infeasible"


def test_a_portfolio_without_refresh_has_none():
    problem = problem_of(portfolio(5, gpu_options=[gpu_option()]))
    assert problem.gpu_refreshes.count == problem.scaled_refreshed_blocks.count == 0


def test_a_refresh_can_be_demanded_frozen_and_counted():
    dear = option({"capex_usd_per_gpu": 1e4}, maximum_block_count=2)
    loss = 1e7 - NEW_USD * hours(2, 3)
    must = portfolio(5, gpu_options=[dear], policy={"mandatory_gpu_orders": [order(2, 1)]})
    assert close(worth(must), 2 * OLD_USD * hours(0, 1) - loss)
    assert "mandatory_order_placed" in binding(must)
    cheap = option(maximum_block_count=2)
    for until, expected in (("2027-03", 2), ("2027-04", 1)):
        policy = {"mandatory_gpu_orders": [order(2, 1)], "freeze_orders_until_month": until}
        assert refreshed(best(portfolio(5, gpu_options=[cheap], policy=policy))) == [(2, expected)]
    for count, expected in ((0, (2, 1)), (1, (2, 2)), (2, (2, 2))):
        changes = {"previous": [], "maximum_count": count, "counts_orders": True, "previous_gpu_orders": [order(2, 1)]}
        case = portfolio(5, gpu_options=[cheap], policy={"contract_changes": changes})
        assert refreshed(best(case)) == [expected]
    # A refresh that is dropped counts as one, and one of a block that is gone counts beside it.
    changes = {"previous": [], "maximum_count": 0, "counts_orders": True, "previous_gpu_orders": [order(2, 1)]}
    assert refreshed(best(portfolio(5, gpu_options=[dear], policy={"contract_changes": changes}))) == [(2, 1)]


TAMPERED = [
    ({}, order(1, 2), "no more GPU blocks refreshed than ordered"),
    ({}, order(1, 1), "GPU blocks refreshed when they can be"),
    ({"mandatory_gpu_orders": [order(1, 1)]}, order(1, 0), "mandatory GPU orders and openings placed"),
    (
        {"mandatory_gpu_orders": [order(1)], "freeze_orders_until_month": "2027-04"},
        order(1, 1),
        "nothing new is ordered or opened before the freeze ends",
    ),
    (
        {"contract_changes": {"previous": [], "maximum_count": 0, "counts_orders": True, "previous_gpu_orders": [order()]}},
        order(1, 1),
        "changes of contracts within their number",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "stated", "failed"), TAMPERED)
def test_the_audit_finds_a_refresh_that_may_not_be(policy, stated, failed):
    months = 2 if failed == "GPU blocks refreshed when they can be" else 5
    case = portfolio(months, gpu_options=[option(maximum_block_count=2)], policy=policy)
    decisions = best(portfolio(months, gpu_options=[option()])).decisions
    bad = decisions.model_copy(update={"gpu_orders": (GpuOrder.model_validate(stated),)})
    _, report = audit(case, Futures.of(case), bad, Claims())
    assert [item.name for item in report.failures] == [failed]


def test_the_audit_finds_a_plan_that_claims_another_worth():
    case = portfolio(5, gpu_options=[option()])
    answer = best(case)
    plain = answer.decisions.model_copy(update={"gpu_orders": (GpuOrder.model_validate(order()),)})
    _, report = audit(case, Futures.of(case), plain, Claims(objective_usd=answer.termination.objective_usd))
    assert [item.name for item in report.failures] == ["claimed objective"]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"gpu_options": [option({"throughput_factor": 0.0})]}, "gpu_options[0].refresh.throughput_factor"),
        ({"gpu_options": [option({"power_factor": 120.0})]}, "gpu_options[0].refresh.power_factor"),
        ({"gpu_options": [gpu_option()], "policy": {"mandatory_gpu_orders": [order(1, 1)]}}, "has no terms of refresh"),
        ({"gpu_options": [option()], "policy": {"mandatory_gpu_orders": [order(1, 2)]}}, "refreshes more blocks"),
    ],
)
def test_terms_that_cannot_be_are_refused(parts, told):
    with pytest.raises(InvalidInputError) as refused:
        portfolio(5, **parts)
    assert told in str(refused.value)


def test_a_plan_that_refreshes_what_it_cannot_is_refused():
    case = portfolio(5, gpu_options=[gpu_option()])
    bad = best(case).decisions.model_copy(update={"gpu_orders": (GpuOrder.model_validate(order(1, 1)),)})
    with pytest.raises(InvalidInputError, match="has no terms of refresh"):
        audit(case, Futures.of(case), bad, Claims())
