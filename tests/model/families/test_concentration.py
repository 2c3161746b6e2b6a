"""Dependence on single tenants and countries, as a share of what open sites can import."""

from __future__ import annotations

import pytest
from support import (
    asic,
    best,
    binding,
    close,
    fleet,
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
)  # fmt: skip


def tenant(share, name="T"):
    return {"tenant_limits": [{"tenant": name, "maximum_share_frac": share}]}


def country(share, code="US"):
    return {"country_limits": [{"country": code, "maximum_share_frac": share}]}


def test_one_tenant_takes_its_share_and_no_more():
    two = [offer("O1", tenant="T"), offer("O2", tenant="T")]
    assert close(worth(portfolio(offers=two, policy=tenant(0.2))), 2e6)
    case = portfolio(offers=two, policy=tenant(0.19))
    assert close(worth(case), 1e6)
    assert binding(case) == {"tenant_within_share"}


def test_other_tenants_are_not_meant():
    two = [offer("O1", tenant="T"), offer("O2", tenant="U")]
    assert close(worth(portfolio(offers=two, policy=tenant(0.0))), 1e6)


def test_scalable_megawatts_stop_at_the_share():
    grown = scalable(tenant="T", sites=[place(grid_mw_per_critical_mw=1.5)])
    answer = best(portfolio(offers=[grown], policy=tenant(0.09)))
    assert answer.decisions.contracts[0].critical_mw == pytest.approx(6.0)


def test_sites_that_are_not_open_do_not_widen_the_share():
    sites = [site("A"), site("B", opening=opening(0.0))]
    two = [offer("O1", tenant="T"), offer("O2", tenant="T")]
    assert close(worth(portfolio(sites=sites, offers=two, policy=tenant(0.19))), 1e6)
    assert close(worth(portfolio(sites=[site("A"), site("B")], offers=two, policy=tenant(0.1))), 2e6)


def test_the_share_follows_the_import_limits():
    # Half of the power goes when the first rent would be due.
    ramp = [{"from_month": "2026-01", "grid_mw": 100.0}, {"from_month": "2027-03", "grid_mw": 50.0}]
    one = [offer("O1", tenant="T")]
    assert close(worth(portfolio(sites=[site(grid=ramp)], offers=one, policy=tenant(0.19))), 0.0)
    assert close(worth(portfolio(sites=[site(grid=ramp)], offers=one, policy=tenant(0.2))), 1e6)


def test_a_country_counts_everything_in_use():
    sites = [site("A", grid_mw=10.0), site("B", grid_mw=10.0, country="CA")]
    parts = {"asic_models": [asic()], "fleets": [fleet(site_name="B")], "gpu_options": [gpu_option(sites=["B"])],
             "offers": [offer(critical_mw=3.0, sites=[place("B")])]}  # fmt: skip
    case = portfolio(4, sites=sites, policy=country(0.25, "CA"), **parts)
    rows = [row for row in best(case).capacity if row.site == "B"]
    assert [row.gpu_mw + row.hosting_mw + row.mining_mw for row in rows] == pytest.approx([5.0] * 4)
    assert [row.mining_mw for row in rows] == pytest.approx([4.0, 1.0, 2.0, 5.0])
    assert "country_within_share" in binding(case)
    assert close(worth(portfolio(4, sites=sites, policy=country(0.25, "US"), **parts)),
                 worth(portfolio(4, sites=sites, **parts)))  # fmt: skip


def test_no_power_at_home_leaves_no_share():
    case = portfolio(sites=[site()], asic_models=[asic()], fleets=[fleet()], policy=country(0.0))
    assert close(worth(case), 0.0)
    half = portfolio(1, sites=[site(grid_mw=5.0)], asic_models=[asic()], fleets=[fleet()], policy=country(0.5))
    assert close(worth(half), 100.0 * hours(0))


def test_an_obligation_beyond_the_share_is_infeasible():
    bound = {**tenant(0.05), "mandatory": [{"offer": "O1"}]}
    assert reason(portfolio(offers=[offer(tenant="T")], policy=bound)) == "infeasible"


def test_in_a_long_period_a_tenant_counts_with_its_most():
    # Live in one month of a quarter.
    short = [offer(tenant="T", term_months=1, price_usd_per_kw_month=200.0)]
    assert close(worth(portfolio(segments=[(3, 1)], offers=short, policy=tenant(0.09))), 0.0)
    assert close(worth(portfolio(segments=[(3, 1)], offers=short, policy=tenant(0.1))), 1e6)
