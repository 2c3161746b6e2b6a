"""Hashrate that must be kept running, at a loss if need be."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, hours, portfolio, reason, site, worth


def rule(minimum_eh_s, **changes):
    return {"minimum_hashrate": [{"minimum_eh_s": minimum_eh_s, **changes}]}


def case(policy=None, months=4, **fleet_changes):
    """Mining costs 200 USD an MW and month more than it brings: energy above all hashprices, and overheads."""
    losing = site(power={"flat_usd_per_mwh": 90.0}, mining_opex_usd_per_mw_month=200.0)
    return portfolio(months, sites=[losing], asic_models=[asic()], fleets=[fleet(**fleet_changes)], policy=policy or {})


def mining_mw(answer):
    return [row.mining_mw for row in answer.capacity]


def test_machines_are_kept_in_operation_at_a_loss():
    assert close(worth(case()), 0.0)
    kept = case(rule(0.1))  # half of a thousand machines of 200 TH/s: 2.5 MW
    assert close(worth(kept), -4 * 500.0)
    assert binding(kept) == {"minimum_hashrate_kept"}


def test_worn_machines_count_for_less():
    assert mining_mw(best(case(rule(0.1), condition_frac=0.8))) == pytest.approx([3.125] * 4)


def test_it_holds_in_its_window():
    window = rule(0.2, from_month="2027-02", until_month="2027-03")
    assert mining_mw(best(case(window))) == pytest.approx([0.0, 5.0, 5.0, 0.0])
    assert mining_mw(best(case(rule(0.2, until_month="2027-02")))) == pytest.approx([5.0, 5.0, 0.0, 0.0])
    assert mining_mw(best(case(rule(0.2, from_month="2026-01", until_month="2027-01")))) == pytest.approx([5, 0, 0, 0])


def test_of_several_rules_the_strictest_holds():
    both = {"minimum_hashrate": [{"minimum_eh_s": 0.05}, {"minimum_eh_s": 0.2, "from_month": "2027-04"}]}
    assert mining_mw(best(case(both))) == pytest.approx([1.25, 1.25, 1.25, 5.0])


def test_a_rule_after_the_horizon_or_just_over_asks_nothing():
    assert close(worth(case(rule(9.0, from_month="2027-05"))), 0.0)
    assert close(worth(case(rule(9.0, until_month="2026-12"))), 0.0)


def test_a_rule_that_has_long_expired_asks_nothing():
    assert close(worth(case(rule(0.1, until_month="2026-11"))), 0.0)


def test_more_than_there_is_is_infeasible():
    assert reason(case(rule(0.21))) == "infeasible"
    assert reason(portfolio(policy=rule(0.1))) == "infeasible"
    assert close(worth(case(rule(0.2), months=1)), -1000.0)


def test_hours_do_not_matter():
    assert hours(0) != hours(1)
    assert worth(case(rule(0.1), months=1)) == pytest.approx(-500.0)
