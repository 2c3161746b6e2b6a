"""Cash: it rolls from period to period and never falls below its floor."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, hours, offer, place, portfolio, reason, worth


def case(opening_cash_usd, floor_usd=0.0, offers=None, months=4, **parts):
    money = {"opening_cash_usd": opening_cash_usd, "minimum_liquidity_usd": floor_usd}
    return portfolio(months, offers=offers if offers is not None else [offer()], finance=money, **parts)


def test_a_contract_needs_the_cash_to_build_it():
    assert close(worth(case(0.99e6)), 0.0)
    assert binding(case(0.99e6)) == {"cash_carried_forward"}
    assert close(worth(case(1e6)), 1e6)


def test_the_floor_is_cash_that_cannot_be_used():
    assert close(worth(case(1.49e6, 0.5e6)), 0.0)
    assert close(worth(case(1.5e6, 0.5e6)), 1e6)


def test_income_of_one_contract_builds_the_next():
    later = offer("O2", sign_from_month="2027-01", sign_until_month="2027-04")
    answer = best(case(1e6, offers=[offer("O1"), later], months=8))
    assert close(answer.termination.objective_usd, 2e6)
    # 1.0 for the first, its rents in February and March; the second can be built from February on.
    months = {item.offer: item.sign_month.month for item in answer.decisions.contracts}
    assert months["O1"] == 1
    assert months["O2"] in (2, 3, 4)
    assert [row.cash_usd for row in answer.cash_flow][-1] == pytest.approx(3e6)


def test_mining_pays_for_building():
    # A month of mining in January brings 148,800 USD.
    parts = {"asic_models": [asic()], "fleets": [fleet()]}
    built_later = offer(sign_until_month="2027-02")
    assert close(worth(case(1e6 - 200.0 * hours(0, 1), offers=[built_later], **parts)), 1e6 + 200.0 * hours(0, 1, 2, 3))
    assert close(worth(case(1e6 - 200.0 * hours(0, 1) - 1e3, offers=[built_later], **parts)), 200.0 * hours(0, 1, 2, 3))


def test_only_the_end_of_a_period_counts():
    # Built and earning within one quarter: the dip inside it is not seen.
    quarter = portfolio(segments=[(3, 2)], offers=[offer()], finance={"opening_cash_usd": 0.0})
    assert close(worth(quarter), 1e6)


def test_overheads_that_eat_the_cash_are_infeasible():
    poor = portfolio(4, finance={"opening_cash_usd": 3.9e6, "overhead_usd_per_month": 1e6})
    assert reason(poor) == "infeasible"
    assert close(worth(portfolio(4, finance={"opening_cash_usd": 4.0e6, "overhead_usd_per_month": 1e6})), -4e6)


def test_an_overhead_that_grows_is_paid_as_it_grows():
    terms = {"opening_cash_usd": 1e9, "overhead_usd_per_month": 1e6, "overhead_growth_per_year_frac": 0.5}
    assert close(worth(portfolio(13, finance=terms)), -1e6 * sum(1.5 ** (month / 12) for month in range(13)))


def test_machines_are_sold_to_stay_afloat():
    model = asic(price_usd_per_th=5.0, resale_frac=0.5)
    terms = {"opening_cash_usd": 0.0, "overhead_usd_per_month": 250e3, "terminal": {"machine_resale_frac": 1.0}}
    case = portfolio(1, asic_models=[model], fleets=[fleet()], finance=terms)
    sold = (250e3 - 200.0 * hours(0)) / (500.0 - 0.2 * hours(0))
    # What is sold does not run.
    answer = best(case)
    assert answer.decisions.machines[0].sold_count == pytest.approx(sold, rel=1e-6)
    assert answer.cash_flow[0].cash_usd == pytest.approx(0.0, abs=1.0)


def test_a_contract_that_is_never_short_of_cash_needs_none():
    built_at_once = offer(sites=[place(build_months=0, capex_usd_per_critical_mw=1e5)])
    assert close(worth(case(0.0, offers=[built_at_once])), 1e6)
