"""How many contracts are built at the same time, everywhere or in a region."""

from __future__ import annotations

import pytest
from support import best, binding, close, offer, place, portfolio, reason, site, worth


def built(name, months=2, site_name="A", **changes):
    """A contract of a million that can be signed from January on."""
    return offer(name, sites=[place(site_name, build_months=months)], **changes)


def limit(count, region=None):
    return {"parallel_builds": [{"maximum_count": count, **({"region": region} if region else {})}]}


def test_as_many_are_built_as_there_are_crews():
    three = [built(f"O{i}") for i in range(3)]
    case = portfolio(offers=three, policy=limit(2))
    assert close(worth(case), 2e6)
    assert binding(case) == {"parallel_builds_within_limit"}
    assert close(worth(portfolio(offers=three, policy=limit(3))), 3e6)
    assert close(worth(portfolio(offers=three, policy=limit(0))), 0.0)


def test_one_is_built_after_the_other():
    two = [built(f"O{i}", sign_until_month="2027-03") for i in range(2)]
    answer = best(portfolio(8, offers=two, policy=limit(1)))
    assert close(answer.termination.objective_usd, 2e6)
    assert sorted(item.sign_month.month for item in answer.decisions.contracts) == [1, 3]
    early = [built(f"O{i}", sign_until_month="2027-02") for i in range(2)]
    assert close(worth(portfolio(8, offers=early, policy=limit(1))), 1e6)


def test_a_late_start_in_the_middle_of_a_long_build_counts():
    long = built("O1", 4)
    short = built("O2", 1, sign_from_month="2027-03", sign_until_month="2027-03")
    assert close(worth(portfolio(8, offers=[long, short], policy=limit(1))), 1e6)
    after = built("O2", 1, sign_from_month="2027-05", sign_until_month="2027-05")
    assert close(worth(portfolio(8, offers=[long, after], policy=limit(1))), 2e6)


def test_a_contract_is_built_until_its_last_phase_is_live():
    phases = [{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 3}]
    long = built("O1", 1, phases=phases, term_months=6)

    def follows(month):
        short = built("O2", 1, sign_from_month=month, sign_until_month=month)
        return len(best(portfolio(9, offers=[long, short], policy=limit(1))).decisions.contracts)

    assert follows("2027-04") == 1
    assert follows("2027-05") == 2


def test_a_region_counts_its_own_sites():
    sites = [site("A"), site("B", region="US-NY")]
    four = [built("O1"), built("O2"), built("O3", site_name="B"), built("O4", site_name="B")]
    assert close(worth(portfolio(sites=sites, offers=four, policy=limit(1, "US-NY"))), 3e6)
    both = {"parallel_builds": [*limit(1, "US-NY")["parallel_builds"], *limit(2)["parallel_builds"]]}
    assert close(worth(portfolio(sites=sites, offers=four, policy=both)), 2e6)


def test_nothing_to_build_needs_no_crew():
    ready = [built(f"O{i}", 0) for i in range(3)]
    assert close(worth(portfolio(offers=ready, policy=limit(0))), 3e6)


@pytest.mark.parametrize("count", [0, 1])
def test_obliged_to_more_than_can_be_built_is_infeasible(count):
    two = [built(f"O{i}") for i in range(2)]
    policy = {**limit(count), "mandatory": [{"offer": "O0"}, {"offer": "O1"}]}
    assert reason(portfolio(offers=two, policy=policy)) == "infeasible"
