"""Dependence on one use of power, as a share of what open sites can import, and on one sort of machines."""

from __future__ import annotations

import pytest
from support import (
    asic,
    assembled,
    best,
    binding,
    close,
    fleet,
    gpu_option,
    hours,
    offer,
    opening,
    portfolio,
    reason,
    site,
    worth,
)  # fmt: skip

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio, validated
from optimizer.errors import InvalidInputError

MACHINE_HOUR_USD = 0.2
"""0.40 USD of hash less 0.20 USD of energy."""


def uses(use, share, **terms):
    return {"technology_limits": [{"use": use, "maximum_share_frac": share, **terms}]}


def models(share, *names, **terms):
    return {"technology_limits": [{"asic_models": list(names), "maximum_share_frac": share, **terms}]}


def test_a_use_takes_its_share_and_no_more():
    two = [offer("O1"), offer("O2")]
    assert close(worth(portfolio(offers=two, policy=uses("hosting", 0.2))), 2e6)
    case = portfolio(offers=two, policy=uses("hosting", 0.19))
    assert close(worth(case), 1e6)
    assert binding(case) == {"use_within_share"}


def test_machines_stop_at_the_share_of_mining():
    case = portfolio(2, asic_models=[asic()], fleets=[fleet(2000)], policy=uses("mining", 0.06))
    answer = best(case)
    assert [row.mining_mw for row in answer.capacity] == pytest.approx([6.0, 6.0])
    assert close(answer.termination.objective_usd, 1200 * MACHINE_HOUR_USD * hours(0, 1))
    assert binding(case) == {"use_within_share"}


def test_other_uses_are_not_meant():
    parts = {"offers": [offer()], "asic_models": [asic()], "fleets": [fleet()], "gpu_options": [gpu_option()]}
    free = worth(portfolio(**parts))
    for use, own in (
        ("mining", MACHINE_HOUR_USD * 1000 * hours(0, 1, 2, 3)),
        ("hosting", 1e6),
        ("gpu", 960 * hours(0, 1)),
    ):
        assert close(free - worth(portfolio(**parts, policy=uses(use, 0.0))), own)


def test_it_holds_from_its_month_on():
    machines = {"asic_models": [asic()], "fleets": [fleet()]}
    case = portfolio(4, **machines, policy=uses("mining", 0.02, from_month="2027-03"))
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([5.0, 5.0, 2.0, 2.0])
    # A quarter that ends after it began counts whole.
    case = portfolio(segments=[(3, 2)], **machines, policy=uses("mining", 0.02, from_month="2027-03"))
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([2.0] * 6)


def test_sites_that_are_not_open_do_not_widen_the_share():
    sites = [site("A", grid_mw=50.0), site("B", opening=opening(0.0))]
    assert close(worth(portfolio(sites=sites, offers=[offer()], policy=uses("hosting", 0.19))), 0.0)
    assert close(worth(portfolio(sites=sites, offers=[offer()], policy=uses("hosting", 0.2))), 1e6)


def two_models(share, *names, **terms):
    old = asic("S", modes=[{"hashrate_th_s": 100.0, "power_w": 2500.0}])
    return portfolio(2, asic_models=[asic(), old, asic("N")], fleets=[fleet(600), fleet(800, model="S"), fleet(100, model="N")],
                     policy=models(share, *names, **terms))  # fmt: skip


def test_machines_of_one_maker_keep_to_their_share_of_the_hashrate():
    # 120 PH/s of M and 20 of N beside 80 of S: at half of it 80 may run.
    case = two_models(0.5, "M", "N")
    answer = best(case)
    rows = [row.hashrate_eh_s for row in answer.capacity]
    assert rows == pytest.approx([0.16, 0.16])
    assert binding(case) == {"machines_within_share", "running_within_stock", "stock_balance"}
    assert close(answer.termination.objective_usd, MACHINE_HOUR_USD * 800 * hours(0, 1))
    assert "machines_within_share" not in binding(two_models(0.64, "M", "N"))


def made_by(share):
    """The same machines; M and N are of one maker, S does not say."""
    old = asic("S", modes=[{"hashrate_th_s": 100.0, "power_w": 2500.0}])
    makes = [asic(manufacturer="Bitmain"), old, asic("N", manufacturer="Bitmain")]
    limits = {"technology_limits": [{"manufacturer": "Bitmain", "maximum_share_frac": share}]}
    return portfolio(
        2, asic_models=makes, fleets=[fleet(600), fleet(800, model="S"), fleet(100, model="N")], policy=limits
    )


def test_a_manufacturer_is_all_its_models():
    for share in (0.5, 0.3, 0.64):
        assert close(worth(made_by(share)), worth(two_models(share, "M", "N")))
    assert worth(made_by(0.5)) < worth(two_models(0.5, "M"))
    listed = best(two_models(0.64, "M", "N")).decisions
    _, report = audit(made_by(0.5), Futures.of(made_by(0.5)), listed, Claims())
    assert [item.name for item in report.failures] == ["hashrate of single sorts of machines within their limit"]


def test_condition_counts_in_the_hashrate():
    worn = portfolio(1, asic_models=[asic(), asic("S")], fleets=[fleet(1000, condition_frac=0.8), fleet(400, model="S")],
                     policy=models(0.5, "M"))  # fmt: skip
    # 400 machines of S make 80 PH/s, as do 500 worn ones.
    assert best(worn).capacity[0].mining_mw == pytest.approx((400 + 500) * 0.005)


def test_an_obligation_beyond_the_share_is_infeasible():
    bound = {**uses("hosting", 0.09), "mandatory": [{"offer": "O1"}]}
    assert reason(portfolio(offers=[offer()], policy=bound)) == "infeasible"
    least = {**models(0.4, "M"), "minimum_hashrate": [{"minimum_eh_s": 0.2}]}
    assert (
        reason(portfolio(1, asic_models=[asic(), asic("S")], fleets=[fleet(1000), fleet(500, model="S")], policy=least))
        == "infeasible"
    )


def test_in_a_long_period_contracts_count_with_their_most():
    short = [offer(term_months=1, price_usd_per_kw_month=200.0)]
    assert close(worth(portfolio(segments=[(3, 1)], offers=short, policy=uses("hosting", 0.09))), 0.0)
    assert close(worth(portfolio(segments=[(3, 1)], offers=short, policy=uses("hosting", 0.1))), 1e6)


@pytest.mark.parametrize(
    ("policy", "check"),
    [
        (uses("mining", 0.02), "MW of single uses within their limit"),
        (uses("hosting", 0.05), "MW of single uses within their limit"),
        (uses("gpu", 0.005), "MW of single uses within their limit"),
        (models(0.3, "M"), "hashrate of single sorts of machines within their limit"),
    ],
)
def test_the_audit_sees_a_plan_that_was_made_without_it(policy, check):
    parts = {"offers": [offer()], "asic_models": [asic(), asic("S")], "fleets": [fleet(), fleet(500, model="S")],
             "gpu_options": [gpu_option()]}  # fmt: skip
    free, bound = portfolio(**parts), portfolio(**parts, policy=policy)
    _, report = audit(bound, Futures.of(bound), best(free).decisions, Claims())
    assert [item.name for item in report.failures] == [check]
    assert worth(bound) < worth(free)


def test_what_is_stated_wrongly_is_refused():
    stated = portfolio(asic_models=[asic()]).model_dump(exclude_unset=True, mode="json")
    for limit, told in (
        ({"maximum_share_frac": 0.5}, "either a use, a list"),
        ({"use": "gpu", "asic_models": ["M"], "maximum_share_frac": 0.5}, "either a use, a list"),
        ({"manufacturer": "Bitmain", "asic_models": ["M"], "maximum_share_frac": 0.5}, "either a use, a list"),
        ({"manufacturer": "X", "maximum_share_frac": 0.5}, "no manufacturer of an ASIC model is named 'X'"),
        ({"asic_models": ["M", "M"], "maximum_share_frac": 0.5}, "listed twice"),
        ({"asic_models": ["X"], "maximum_share_frac": 0.5}, r"asic_models\[0\]: no ASIC model is named 'X'"),
        ({"use": "idle", "maximum_share_frac": 0.5}, "not one of 'mining', 'hosting' or 'gpu'"),
    ):
        with pytest.raises(InvalidInputError, match=told):
            validated(Portfolio, {**stated, "policy": {"technology_limits": [limit]}}, "portfolio")


def test_without_limits_there_are_no_rows():
    program = assembled(portfolio(asic_models=[asic()], fleets=[fleet()], offers=[offer()]))
    assert program.rows["use_within_share"].keys == program.rows["machines_within_share"].keys == ()
