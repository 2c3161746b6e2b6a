"""GPU orders and openings that must be, and a freeze of all others."""

from __future__ import annotations

import pytest
from support import best, binding, close, gpu_option, hours, offer, opening, place, portfolio, reason, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import GpuOrder, Portfolio, SiteOpening, validated
from optimizer.errors import InvalidInputError

BLOCK_USD = 960.0
"""What a block earns in an hour: 1000 GPUs at 1 USD less 0.04 USD of energy."""
GPUS = gpu_option(maximum_block_count=3, order_until_month="2027-04", life_months=1, capex_usd_per_gpu=100.0)
"""A block of one month costs 0.1 million USD and brings 0.69 (of 30 days) or 0.71 (of 31)."""


def month(index):
    return f"2027-{index + 1:02}"


def order(at, count, option="G"):
    return {"gpu_option": option, "site": "A", "order_month": month(at), "block_count": count}


def gpus(months=4, **policy):
    return portfolio(months, gpu_options=[GPUS], policy=policy)


def ordered(answer):
    return {f"{item.order_month:%Y-%m}": item.block_count for item in answer.decisions.gpu_orders}


def test_blocks_that_must_be_ordered_are():
    # February has the fewest hours.
    assert "2027-02" not in ordered(best(gpus()))
    case = gpus(mandatory_gpu_orders=[order(1, 2)])
    assert ordered(best(case))["2027-02"] == 2
    assert close(worth(case), BLOCK_USD * (2 * hours(1) + hours(0)) - 3e5)
    assert "mandatory_order_placed" in binding(case)


def test_more_than_must_be_may_be_ordered():
    case = gpus(1, mandatory_gpu_orders=[order(0, 1)])
    assert ordered(best(case)) == {"2027-01": 3}


def test_an_obligation_that_the_terms_do_not_allow_is_infeasible():
    assert reason(gpus(mandatory_gpu_orders=[order(1, 4)])) == "infeasible"
    assert reason(gpus(mandatory_gpu_orders=[order(7, 1)])) == "infeasible"


def test_nothing_is_ordered_before_the_freeze_ends():
    case = gpus(freeze_orders_until_month="2027-03")
    assert set(ordered(best(case))) <= {"2027-03", "2027-04"}
    short = gpus(2, freeze_orders_until_month="2027-03")
    assert close(worth(short), 0.0)
    assert binding(short) == {"frozen_order_not_placed"}


def test_what_is_mandatory_is_not_frozen_but_no_more_of_it():
    case = gpus(2, freeze_orders_until_month="2027-03", mandatory_gpu_orders=[order(0, 2)])
    assert ordered(best(case)) == {"2027-01": 2}


def closed(**policy):
    sites = [site("A", grid_mw=0.0), site("B", opening=opening(2e5)), site("C", opening=opening(2e5))]
    offers = [offer("O1", sign_until_month="2027-03", sites=[place("B")])]
    return portfolio(6, sites=sites, offers=offers, policy=policy)


def opened(answer):
    return {item.site: f"{item.month:%Y-%m}" for item in answer.decisions.site_openings}


def test_a_site_that_must_be_opened_is_and_what_is_frozen_waits():
    assert opened(best(closed())).keys() == {"B"}
    case = closed(mandatory_openings=[{"site": "C", "month": "2027-05"}])
    assert opened(best(case))["C"] == "2027-05"
    assert close(worth(case), worth(closed()) - 2e5)
    waits = closed(freeze_orders_until_month="2027-03")
    assert opened(best(waits)) == {"B": "2027-03"}
    assert close(worth(closed(freeze_orders_until_month="2027-04")), 0.0)
    kept = closed(freeze_orders_until_month="2027-04", mandatory_openings=[{"site": "B", "month": "2027-02"}])
    assert opened(best(kept)) == {"B": "2027-02"}
    assert close(worth(kept), worth(closed()))


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ({"mandatory_gpu_orders": [order(1, 3)]}, "mandatory GPU orders and openings placed"),
        ({"mandatory_openings": [{"site": "B", "month": "2027-02"}]}, "mandatory GPU orders and openings placed"),
        ({"freeze_orders_until_month": "2027-02"}, "nothing new is ordered or opened before the freeze ends"),
    ],
    ids=str,
)
def test_the_audit_sees_a_plan_that_was_made_without_it(policy, name):
    def stated(**rules):
        return portfolio(4, sites=[site(), site("B", opening=opening(0.0))], gpu_options=[GPUS], policy=rules)

    plan = best(stated()).decisions.model_copy(
        update={
            "gpu_orders": (GpuOrder.model_validate(order(0, 3)),),
            "site_openings": (SiteOpening.model_validate({"site": "B", "month": "2027-01"}),),
        }
    )
    bound = stated(**policy)
    _, free = audit(stated(), Futures.of(stated()), plan, Claims())
    _, report = audit(bound, Futures.of(bound), plan, Claims())
    assert free.failures == ()
    assert [item.name for item in report.failures] == [name]
    # The same with blocks and opening as demanded or later passes.
    demanded = {
        "gpu_orders": (GpuOrder.model_validate(order(1, 3)),),
        "site_openings": (SiteOpening.model_validate({"site": "B", "month": "2027-02"}),),
    }
    _, report = audit(bound, Futures.of(bound), plan.model_copy(update=demanded), Claims())
    assert report.failures == ()


def test_what_is_stated_wrongly_is_refused():
    sites = [site("A"), site("B", opening=opening(0.0))]
    stated = portfolio(sites=sites, gpu_options=[GPUS]).model_dump(exclude_unset=True, mode="json")
    for policy, told in (
        ({"mandatory_gpu_orders": [order(0, 1, "H")]}, "no GPU option is named 'H'"),
        (
            {"mandatory_gpu_orders": [{**order(0, 1), "site": "B"}]},
            r"orders\[0\].site: G cannot stand at 'B'; it can at A",
        ),
        ({"mandatory_gpu_orders": [order(0, 1), order(0, 2)]}, "listed twice"),
        ({"mandatory_gpu_orders": [order(0, 0)]}, "is of no block"),
        (
            {"mandatory_openings": [{"site": "A", "month": "2027-01"}]},
            r"openings\[0\].site: no closed site is named 'A'",
        ),
        (
            {"contract_changes": {"previous": [], "maximum_count": 1, "previous_gpu_orders": [order(0, 1)]}},
            "do not count",
        ),
    ):
        with pytest.raises(InvalidInputError, match=told):
            validated(Portfolio, {**stated, "policy": policy}, "portfolio")
