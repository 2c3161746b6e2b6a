"""A least share of what runs that must run at home."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, gpu_option, hours, offer, place, portfolio, site, worth

ABROAD = site("B", country="CA", region="CA-QC")
DEAR = site("A", power={"flat_usd_per_mwh": 70.0})


def rule(share, basis="power", **changes):
    return {"domestic_share": {"country": "US", "minimum_share_frac": share, "basis": basis, **changes}}


def case(policy=None, home_count=1000, abroad_count=4000, months=1, home=None, **parts):
    return portfolio(
        months,
        sites=[home or site("A"), ABROAD],
        asic_models=[asic()],
        fleets=[fleet(home_count), fleet(abroad_count, "B")],
        policy=policy or {},
        **parts,
    )


def test_what_runs_abroad_is_held_to_what_runs_at_home():
    assert close(worth(case()), 1000.0 * hours(0))
    shared = case(rule(0.5))
    assert close(worth(shared), 400.0 * hours(0))
    assert binding(shared) - binding(case()) == {"domestic_share_kept"}
    assert close(worth(case(rule(0.2))), 1000.0 * hours(0))


def test_all_at_home_leaves_nothing_abroad():
    assert close(worth(case(rule(1.0))), 200.0 * hours(0))


def test_machines_run_at_home_at_a_loss_if_it_pays_abroad():
    losing = site("A", power={"flat_usd_per_mwh": 90.0})
    # Margins are never below 0 - a machine stops - so that running at home costs nothing.
    assert close(worth(case(rule(0.5), home=losing)), 200.0 * hours(0))
    costly = site("A", power={"flat_usd_per_mwh": 90.0}, mining_opex_usd_per_mw_month=1000.0)
    assert close(worth(case(rule(0.5), home=costly)), 200.0 * hours(0) - 5000.0)


def test_by_hashrate_efficient_machines_count_for_more():
    efficient = asic("E", modes=[{"hashrate_th_s": 400.0, "power_w": 5000.0}])
    terms = {"sites": [site("A"), ABROAD], "asic_models": [asic(), efficient],
             "fleets": [fleet(1000, "A", "E"), fleet(4000, "B")]}  # fmt: skip
    at_home = 0.6 * 1000 * hours(0)
    assert close(worth(portfolio(1, policy=rule(0.5), **terms)), at_home + 200.0 * hours(0))
    assert close(worth(portfolio(1, policy=rule(0.5, "hashrate"), **terms)), at_home + 400.0 * hours(0))
    worn = {**terms, "fleets": [fleet(1000, "A", "E", condition_frac=0.5), fleet(4000, "B")]}
    assert close(worth(portfolio(1, policy=rule(0.5, "hashrate"), **worn)), 200.0 * hours(0) * 2)


def test_contracts_and_gpus_at_home_count_by_power():
    policy = rule(0.5)
    hosted = [offer(sites=[place(build_months=0)], term_months=1)]
    answer = best(case(policy, offers=hosted))
    mining_abroad = [row.mining_mw for row in answer.capacity if row.site == "B"]
    assert mining_abroad == pytest.approx([15.0])  # 5 MW mine at home and 10 host
    answer = best(case(policy, gpu_options=[gpu_option(maximum_block_count=2)]))
    assert [row.mining_mw for row in answer.capacity if row.site == "B"] == pytest.approx([7.0])
    abroad = [offer(sites=[place("B", build_months=0)], term_months=1)]
    # 5 MW at home allow 5 abroad: the contract of 10 MW does not fit.
    assert best(case(policy, offers=abroad)).decisions.contracts == ()


def test_it_holds_from_its_month_on():
    answer = best(case(rule(0.5, from_month="2027-03"), months=4))
    assert [row.mining_mw for row in answer.capacity if row.site == "B"] == pytest.approx([20.0, 20.0, 5.0, 5.0])


def test_a_rule_that_began_before_the_plan_holds():
    answer = best(case(rule(0.5, from_month="2026-03"), months=2))
    assert [row.mining_mw for row in answer.capacity if row.site == "B"] == pytest.approx([5.0, 5.0])


def test_in_a_long_period_a_contract_at_home_counts_with_its_least_month():
    hosted = [offer(sites=[place(build_months=0)], term_months=2)]
    terms = {"sites": [site("A"), ABROAD], "asic_models": [asic()], "fleets": [fleet(4000, "B")], "offers": hosted}
    answer = best(portfolio(segments=[(3, 1)], policy=rule(0.5), **terms))
    assert all(row.mining_mw == 0.0 for row in answer.capacity)
    answer = best(portfolio(segments=[(1, 3)], policy=rule(0.5), **terms))
    assert [row.mining_mw for row in answer.capacity if row.site == "B"] == pytest.approx([10.0, 10.0, 0.0])
