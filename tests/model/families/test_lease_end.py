"""The end of a lease inside the horizon: halls converted back, MW let again, or neither."""

from __future__ import annotations

import numpy as np
import pytest
from support import asic, assembled, best, binding, close, fleet, hours, offer, place, portfolio, reason, scalable, site

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures

MARKET = {"re_lease_rent_usd_per_kw_month": 50.0}
"""10 MW let again earn half a million USD a month."""
MACHINES = {"asic_models": [asic()], "fleets": [fleet(1000)]}
"""5 MW of machines, 200 USD an hour."""


def re_lease(**changes):
    return {"vacancy_months": 1, "refit_usd_per_critical_mw": 2e4, "rent_share_frac": 0.8, "term_months": 3, **changes}


def case(months=6, *, terms=None, site_terms=None, **parts):
    """10 MW signed in January, live in February and March: a million is left of rent and capex. It ends in April, month 3."""
    where = place(**(terms or {}))
    changed = {
        "sites": [site(**(site_terms or {}))],
        "offers": [offer(sites=[where])],
        "market": MARKET,
        "finance": {"terminal": {"contract_tail_frac": 0.5}},
        **parts,
    }
    return portfolio(months, **changed)


def at_end(answer):
    """Critical MW converted back and let again, of the first contract."""
    decision = answer.decisions.contracts[0]
    return decision.reconverted_mw, decision.re_leased_mw


def test_mw_are_let_again_after_the_vacancy_and_in_the_tail():
    answer = best(case(terms={"re_lease": re_lease()}))
    # Let in May, June and, for half, July; refitted in April.
    assert close(answer.termination.objective_usd, 1e6 + 2.5 * 0.4e6 - 0.2e6)
    assert at_end(answer) == (0.0, pytest.approx(10.0))
    assert [row.hosting_noi_usd for row in answer.cash_flow] == pytest.approx([0, 1e6, 1e6, 0, 0.4e6, 0.4e6])
    assert [row.hosting_capex_usd for row in answer.cash_flow] == pytest.approx([-1e6, 0, 0, -0.2e6, 0, 0])
    assert [row.hosting_mw for row in answer.capacity] == pytest.approx([0, 10, 10, 10, 10, 10])
    assert close(answer.contracts[0].npv_usd, 1.8e6)
    assert answer.contracts[0].re_leased_mw == pytest.approx(10.0)
    assert "let 10.0 MW of critical IT again" in answer.works[0].told


def test_nothing_is_let_again_of_a_contract_that_is_not_signed():
    given = case(offers=[offer(price_usd_per_kw_month=0.0, sites=[place(re_lease=re_lease())])])
    assert best(given).decisions.contracts == ()
    assert binding(given) == {"lease_end_within_contract"}


def test_what_does_not_pay_for_its_refit_stays_empty():
    assert at_end(best(case(terms={"re_lease": re_lease(refit_usd_per_critical_mw=1.01e5)}))) == (0.0, 0.0)
    assert at_end(best(case(terms={"re_lease": re_lease(refit_usd_per_critical_mw=0.99e5)})))[1] == pytest.approx(10.0)


def test_inside_the_horizon_mw_stay_let_whatever_the_term_and_after_it_as_long_as_it_lasts():
    short = best(case(8, terms={"re_lease": re_lease(vacancy_months=0, term_months=1)}))
    assert close(short.termination.objective_usd, 1e6 + 5 * 0.4e6 - 0.2e6)
    long = best(case(8, terms={"re_lease": re_lease(vacancy_months=0, term_months=12)}))
    assert close(long.termination.objective_usd, 1e6 + (5 + 0.5 * 7) * 0.4e6 - 0.2e6)
    # Vacant to the end of the horizon, let after it.
    late = best(case(4, terms={"re_lease": re_lease(vacancy_months=2, term_months=6)}))
    assert close(late.termination.objective_usd, 1e6 + 0.5 * 6 * 0.4e6 - 0.2e6)
    assert assembled(case(3, terms={"re_lease": re_lease()})).variables["re_leased_mw"].keys == ()


def test_opex_and_energy_are_those_of_the_contract():
    lease = offer(
        landlord_opex_usd_per_kw_month=10.0, noi_margin_frac=None, power_payer="landlord", escalator_per_year_frac=0.5,
        term_months=12, sites=[place(build_months=0, pue=1.2, re_lease=re_lease(vacancy_months=0, term_months=1))],
    )  # fmt: skip
    answer = best(portfolio(14, offers=[lease], market={"re_lease_rent_usd_per_kw_month": 200.0}))
    energy = 10.0 * 1.2 * 40.0
    assert answer.cash_flow[12].hosting_noi_usd == pytest.approx(10e3 * (160.0 - 15.0) - energy * hours(12))
    margin = offer(noi_margin_frac=0.7, sites=[place(re_lease=re_lease())])
    assert close(best(case(offers=[margin])).cash_flow[4].hosting_noi_usd, 0.4e6 - 0.3e6)


def test_halls_come_back_for_a_price_and_after_a_time():
    back = {"halls_displaced_mw_per_critical_mw": 0.5, "reconversion": {"usd_per_hall_mw": 1e4, "months": 1}}
    answer = best(case(terms=back, site_terms={"hall_mw": 5.0}, **MACHINES))
    assert close(answer.termination.objective_usd, 1e6 + 200.0 * hours(4, 5) - 5e4)
    assert at_end(answer) == (pytest.approx(10.0), 0.0)
    assert [row.hall_capex_usd for row in answer.cash_flow] == pytest.approx([0, 0, 0, -5e4, 0, 0])
    assert [row.mining_mw for row in answer.capacity] == pytest.approx([0, 0, 0, 0, 5, 5])
    assert close(answer.npv.mining_usd, 200.0 * hours(4, 5) - 5e4)
    late = {**back, "reconversion": {"usd_per_hall_mw": 0.0, "months": 3}}
    assert assembled(case(terms=late)).variables["reconverted_mw"].keys == ()
    dear = {**back, "reconversion": {"usd_per_hall_mw": 40.0 * hours(4, 5) + 1.0, "months": 1}}
    assert at_end(best(case(terms=dear, site_terms={"hall_mw": 5.0}, **MACHINES))) == (0.0, 0.0)


def test_a_hashrate_that_must_come_back_needs_the_halls_in_time():
    def stated(months):
        back = {"halls_displaced_mw_per_critical_mw": 0.5, "reconversion": {"usd_per_hall_mw": 1e6, "months": months}}
        rule = {"minimum_hashrate": [{"minimum_eh_s": 0.1, "from_month": "2027-06"}], "mandatory": [{"offer": "O1"}]}
        return case(terms=back, site_terms={"hall_mw": 5.0}, policy=rule, **MACHINES)

    # 0.1 EH/s are 500 machines in 2.5 MW of halls.
    assert at_end(best(stated(2)))[0] == pytest.approx(5.0)
    assert reason(stated(3)) == "infeasible"


def test_halls_and_new_tenants_share_the_contract_and_the_power():
    both = {
        "halls_displaced_mw_per_critical_mw": 0.5,
        "reconversion": {"usd_per_hall_mw": 0.0, "months": 0},
        "re_lease": re_lease(vacancy_months=0, refit_usd_per_critical_mw=9e4, rent_share_frac=1.0, term_months=1),
    }
    grid = [{"from_month": "2026-01", "grid_mw": 10.0}, {"from_month": "2027-04", "grid_mw": 6.0}]
    answer = best(case(terms=both, site_terms={"grid": grid, "hall_mw": 5.0}, **MACHINES))
    # Let again a MW is worth 60,000 USD, converted back 0.5 x 40 x 2,184 = 43,680: all 10 MW and all 6 MW of power are used.
    assert at_end(answer) == (pytest.approx(8.0), pytest.approx(2.0))
    assert close(answer.termination.objective_usd, 1e6 + 2 * 6e4 + 8 * 0.5 * 40.0 * hours(3, 4, 5))


@pytest.mark.parametrize("build_months", [0, 1, 2])
def test_in_a_long_period_the_contract_and_what_follows_it_need_the_power_once(build_months):
    terms = {"build_months": build_months, "re_lease": re_lease(vacancy_months=0, term_months=1)}
    quarters = case(segments=[(3, 3)], terms=terms, site_terms={"grid_mw": 10.0})
    answer = best(quarters)
    first = build_months + 2
    let = 0.4e6 * (9 - first)
    assert close(answer.termination.objective_usd, 1e6 + let - 0.2e6)
    assert at_end(answer)[1] == pytest.approx(10.0)


def test_the_lease_of_the_site_ends_the_new_one():
    terms = {
        "halls_displaced_mw_per_critical_mw": 0.5,
        "re_lease": re_lease(),
        "reconversion": {"usd_per_hall_mw": 1.0, "months": 2},
    }
    ended = case(8, terms=terms, site_terms={"lease_end_month": "2027-06"})
    answer = best(ended)
    assert close(answer.termination.objective_usd, 1e6 + 0.4e6 - 0.2e6)
    assert [row.hosting_mw for row in answer.capacity] == pytest.approx([0, 10, 10, 10, 10, 0, 0, 0])
    assert assembled(ended).variables["reconverted_mw"].keys == ()
    gone = case(8, terms=terms, site_terms={"lease_end_month": "2027-05"})
    assert assembled(gone).variables["re_leased_mw"].keys == ()


def test_a_scaled_contract_gives_up_what_it_has():
    lease = scalable(least=2.0, most=10.0, sites=[place(re_lease=re_lease())])
    answer = best(case(offers=[lease], site_terms={"grid": [{"from_month": "2026-01", "grid_mw": 4.0}]}))
    assert at_end(answer)[1] == pytest.approx(4.0)


def test_what_is_let_again_is_of_the_country_but_of_no_tenant():
    terms = {"re_lease": re_lease()}
    tenant = {"tenant_limits": [{"tenant": "tenant of O1", "maximum_share_frac": 0.1}]}
    grid = [{"from_month": "2026-01", "grid_mw": 100.0}, {"from_month": "2027-04", "grid_mw": 20.0}]
    free = best(case(terms=terms, site_terms={"grid": grid}, policy=tenant))
    assert at_end(free)[1] == pytest.approx(10.0)
    country = {"country_limits": [{"country": "US", "maximum_share_frac": 0.1}]}
    held = best(case(terms=terms, site_terms={"grid": grid}, policy=country))
    assert at_end(held)[1] == pytest.approx(2.0)


def test_what_is_let_again_counts_at_home():
    abroad = site("B", country="CA")
    home = {"domestic_share": {"country": "US", "minimum_share_frac": 0.5, "from_month": "2027-04"}}
    stated = case(
        terms={"re_lease": re_lease(rent_share_frac=0.1)},
        sites=[site(), abroad],
        policy=home,
        asic_models=[asic()],
        fleets=[fleet(1000, "B")],
    )
    answer = best(stated)
    # 5 MW at home, although each costs more than it earns, let 5 MW run abroad.
    assert at_end(answer)[1] == pytest.approx(5.0)
    assert close(answer.termination.objective_usd, 1e6 + 200.0 * hours(*range(6)) + 5.0 * (2.5 * 5e3 - 2e4))


def test_every_scenario_has_its_own_rent():
    table = {"unit": "multiplier", "paths": [
        {"factor": "re_lease_rent", "scenarios": [{"values": [0.5]}, {"values": [1.5]}]}
    ]}  # fmt: skip
    stated = case(
        terms={"re_lease": re_lease()}, market={**MARKET, "scenario_table": table}, risk={"scenario_count": 2}
    )
    answer = best(stated)
    low, high = 1.8e6 - 0.5e6, 1.8e6 + 0.5e6
    assert close(answer.distribution.mean_usd, 1.8e6)
    assert answer.distribution.standard_deviation_usd == pytest.approx(np.std([low, high], ddof=1))


def test_a_stress_lives_through_rents_of_its_own():
    crash = {"name": "crash", "minimum_liquidity_usd": 0.84e6, "shocks": [
        {"begin_month": "2027-01", "effects": [
            {"factor": "re_lease_rent", "points": [{"month_offset": 0, "multiplier": 0.1}]}
        ]}
    ]}  # fmt: skip
    costly = {"opening_cash_usd": 5e6, "overhead_usd_per_month": 8e5}
    lease = [offer(noi_margin_frac=0.9, sites=[place(re_lease=re_lease())])]
    assert at_end(best(case(offers=lease, finance=costly)))[1] == pytest.approx(10.0)
    # In the crash 10 MW earn 40,000 and cost 100,000 USD a month, after 200,000 USD of refit: June has 0.68 instead of a million.
    answer = best(case(offers=lease, finance={**costly, "stresses": [crash]}))
    assert at_end(answer)[1] == pytest.approx(5.0)


def test_refits_are_written_off_with_contracts_and_halls_with_sites():
    tax = {
        "rate_frac": 0.25,
        "hosting_write_off_years": 1,
        "opening_write_off_years": 2,
        "loss_income_share_frac": 1.0,
    }
    rates = {
        f"{line}_per_year_frac": 1e-9 if line == "corporate" else 0.0 for line in ("mining", "hosting", "corporate")
    }
    taxed = {"finance": {"tax": tax, "discount": rates, "terminal": {"contract_tail_frac": 0.0}}}
    again = best(case(terms={"re_lease": re_lease()}, **taxed))
    # Of the capex half is gone by June, of the refit of April a quarter.
    assert close(again.termination.objective_usd, 1.6e6 - 0.25 * (2.8e6 - 0.5e6 - 0.05e6))
    back = {"halls_displaced_mw_per_critical_mw": 0.5, "reconversion": {"usd_per_hall_mw": 1e4, "months": 0}}
    converted = best(case(terms=back, site_terms={"hall_mw": 5.0}, **MACHINES, **taxed))
    mined = 200.0 * hours(3, 4, 5)
    assert close(
        converted.termination.objective_usd, 1e6 + mined - 5e4 - 0.25 * (2e6 + mined - 0.5e6 - 5e4 * 3.0 / 24.0)
    )


def test_what_is_let_again_is_earnings_of_the_year():
    multiples = {"year": 2027, "hosting_multiple": 10.0, "mining_multiple": 1.0, "gpu_multiple": 1.0}
    stated = case(
        12,
        terms={"re_lease": re_lease(refit_usd_per_critical_mw=1.2e6)},
        finance={"objective": "enterprise_value", "multiples": multiples, "terminal": {"contract_tail_frac": 0.0}},
    )
    answer = best(stated)
    # Eight months of 0.4 million USD do not pay for a refit of 12 million; ten times as much does.
    assert at_end(answer)[1] == pytest.approx(10.0)
    assert close(answer.enterprise_value_usd, 10.0 * (2e6 + 8 * 0.4e6))


def test_the_audit_catches_what_the_contract_does_not_have():
    stated = case(terms={"re_lease": re_lease()})
    answer = best(stated)
    check = "what is let again or converted back is of the contract, on its terms"
    for changes in ({"re_leased_mw": 11.0}, {"re_leased_mw": -1.0}, {"reconverted_mw": 1.0, "re_leased_mw": 5.0}):
        contract = answer.decisions.contracts[0].model_copy(update=changes)
        tampered = answer.decisions.model_copy(update={"contracts": (contract,)})
        claims = Claims(objective_usd=answer.termination.objective_usd)
        _, report = audit(stated, Futures.of(stated), tampered, claims)
        assert {item.name for item in report.failures} == {check, "claimed objective"}
    fewer = answer.decisions.contracts[0].model_copy(update={"re_leased_mw": 9.0})
    _, report = audit(
        stated,
        Futures.of(stated),
        answer.decisions.model_copy(update={"contracts": (fewer,)}),
        Claims(objective_usd=answer.termination.objective_usd),
    )
    assert {item.name for item in report.failures} == {"claimed objective"}


def test_a_portfolio_without_terms_has_no_columns_and_no_rows_for_them():
    program = assembled(case())
    assert program.variables["reconverted_mw"].keys == program.variables["re_leased_mw"].keys == ()
    assert program.rows["lease_end_within_contract"].keys == ()
