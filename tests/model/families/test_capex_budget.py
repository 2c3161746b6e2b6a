"""Capital expenditure budgets: what counts, in which months, and that they hold."""

from __future__ import annotations

import pytest
from support import (
    asic,
    binding,
    close,
    gpu_option,
    hours,
    offer,
    opening,
    place,
    portfolio,
    reason,
    scalable,
    site,
    worth,
)

TWO = [offer("O1"), offer("O2", price_usd_per_kw_month=120.0)]
"""Worth 1.0 and 1.4 million USD; a million of capex each, in the first month."""


def budget(maximum_capex_usd, from_month="2027-01", until_month="2027-12", name="2027"):
    return {
        "name": name,
        "from_month": from_month,
        "until_month": until_month,
        "maximum_capex_usd": maximum_capex_usd,
    }


def case(*budgets, offers=TWO, **parts):
    return portfolio(4, offers=offers, finance={"capex_budgets": list(budgets)}, **parts)


def test_the_better_contract_gets_the_money():
    assert close(worth(case()), 2.4e6)
    assert close(worth(case(budget(1.9e6))), 1.4e6)
    assert binding(case(budget(1.9e6))) == {"capex_within_budget"}
    assert close(worth(case(budget(2.0e6))), 2.4e6)


def test_a_dollar_more_buys_what_a_dollar_of_building_earns():
    def at(usd):
        return worth(case(budget(usd), offers=[scalable(least=1.0)]))

    assert close(at(0.6e6) - at(0.5e6), 0.1e6)


def test_only_the_months_of_the_window_count():
    assert close(worth(case(budget(0.0, from_month="2027-02"))), 2.4e6)
    assert close(worth(case(budget(0.0, from_month="2026-01", until_month="2026-12"))), 2.4e6)
    assert close(worth(case(budget(0.0, until_month="2027-01"))), 0.0)


def test_capex_is_spread_over_the_months_of_building():
    slow = [offer(sites=[place(build_months=2)])]
    assert close(worth(case(budget(0.5e6, until_month="2027-01"), offers=slow)), 1e6)
    assert close(worth(case(budget(0.49e6, until_month="2027-01"), offers=slow)), 0.0)
    assert close(worth(case(budget(0.99e6), offers=slow)), 0.0)


def test_several_budgets_hold_together():
    both = (budget(1.9e6), budget(0.9e6, until_month="2027-01", name="January"))
    assert close(worth(case(*both)), 0.0)


def test_the_tenants_share_does_not_count():
    shared = [offer(sites=[place(capex_usd_per_critical_mw=2e5, tenant_capex_share_frac=0.5)])]
    assert close(worth(case(budget(1e6), offers=shared)), 1e6)
    assert close(worth(case(budget(0.99e6), offers=shared)), 0.0)


def test_machines_count_with_their_duty():
    model = asic(price_usd_per_th=0.1, purchasable=True, delivery_lead_months=0, resale_frac=0.0)
    tight = case(budget(15e3), offers=[], sites=[site(import_duty_frac=0.5)], asic_models=[model])
    assert close(worth(tight), 500.0 * 0.2 * hours(0, 1, 2, 3) - 15e3)


def test_gpus_and_fit_out_count():
    option = gpu_option(capex_usd_per_gpu=100.0, fit_out_usd_per_critical_mw=5e4)
    assert close(worth(case(budget(149e3), offers=[], gpu_options=[option])), 0.0)
    assert close(worth(case(budget(150e3), offers=[], gpu_options=[option])), 960.0 * hours(0, 1) - 150e3)


def test_openings_count():
    parts = {"sites": [site("B", opening=opening(2e5))], "offers": [offer(sites=[place("B")])]}
    assert close(worth(case(budget(1.1e6), **parts)), 0.0)
    assert close(worth(case(budget(1.2e6), **parts)), 0.8e6)


def test_debt_does_not_stretch_a_budget():
    debt = {"loan_to_cost_frac": 0.9, "interest_per_year_frac": 0.0, "amortization_months": 1, "minimum_dscr": 0.0}
    terms = {"capex_budgets": [budget(0.5e6)], "project_debt": debt}
    assert close(worth(portfolio(4, offers=[offer()], finance=terms)), 0.0)


def test_an_obligation_beyond_the_budget_is_infeasible():
    assert reason(case(budget(0.9e6), policy={"mandatory": [{"offer": "O1"}]})) == "infeasible"


@pytest.mark.parametrize("usd", [0.0, 1.0])
def test_a_budget_of_nothing_buys_nothing(usd):
    assert close(worth(case(budget(usd))), 0.0)
