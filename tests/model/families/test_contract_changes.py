"""A budget of changes against a previous plan."""

from __future__ import annotations

import pytest
from support import (
    best,
    binding,
    close,
    gpu_option,
    hours,
    offer,
    opening,
    place,
    portfolio,
    reason,
    signed,
    site,
    worth,
)  # fmt: skip

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import GpuOrder
from optimizer.errors import InvalidInputError

OFFERS = [
    offer("P", price_usd_per_kw_month=25.0, sign_until_month="2027-02", sites=[place("A"), place("B")]),
    offer("Q", sign_until_month="2027-02", sites=[place("A"), place("B")]),
    offer("N"),
]
"""P loses half a million, Q and N gain a million each."""
PREVIOUS = [{"offer": name, "site": "A", "sign_month": "2027-01"} for name in ("P", "Q")]


def case(count, previous=PREVIOUS, **policy):
    changes = {"previous": previous, "maximum_count": count}
    return portfolio(6, sites=[site("A"), site("B")], offers=OFFERS, policy={"contract_changes": changes, **policy})


@pytest.mark.parametrize(("count", "value"), [(0, 0.5e6), (1, 1.5e6), (2, 2e6), (3, 2e6)])
def test_each_change_is_spent_where_it_brings_most(count, value):
    # First to add N, then to drop P.
    assert close(worth(case(count)), value)


def test_it_binds():
    assert binding(case(0)) - binding(case(2)) == {"contract_changes_within_budget"}
    assert binding(case(2)) == {"offer_signed_at_most_once"}


def test_without_changes_site_and_month_stay():
    assert signed(best(case(0))) == {"P": ("A", "2027-01"), "Q": ("A", "2027-01")}


def test_a_contract_moved_in_site_or_month_counts_once():
    barred = [{"offer": "Q", "site": "A"}]
    assert reason(case(0, forbidden=barred)) == "infeasible"
    answer = best(case(1, forbidden=barred))
    assert signed(answer)["Q"][0] == "B"
    assert "P" in signed(answer)
    assert "N" not in signed(answer)


def test_a_contract_that_can_no_longer_be_signed_counts_as_changed():
    gone = [PREVIOUS[1], {"offer": "P", "site": "A", "sign_month": "2026-12"}]
    assert reason(case(0, gone)) == "infeasible"
    # P has to be dropped or moved, whatever is done: no change is left for N.
    assert close(worth(case(1, gone)), 1e6)


def test_with_nothing_before_it_limits_how_many_are_signed():
    assert close(worth(case(1, [])), 1e6)
    assert close(worth(case(2, [])), 2e6)


# ----------------------------------------------------------------------------------------------------- price of a change


@pytest.mark.parametrize(("cost", "count", "value"), [(0.4e6, 2, 2e6), (0.6e6, 1, 1.5e6), (1.1e6, 0, 0.5e6)])
def test_a_change_is_made_where_it_brings_more_than_its_price(cost, count, value):
    """To add N brings a million, to drop P half of one; what is taken off is no cash."""
    changes = {"previous": PREVIOUS, "cost_usd_per_change": cost}
    answer = best(priced(changes))
    assert answer.hurdle.change_count == count
    assert close(answer.npv.total_usd, value)
    assert close(answer.termination.objective_usd, value - count * cost)
    assert close(answer.cash_flow[-1].cash_usd, best(case(count)).cash_flow[-1].cash_usd)
    assert "price of changes" in answer.objective_told


def priced(changes, **policy):
    return portfolio(6, sites=[site("A"), site("B")], offers=OFFERS, policy={"contract_changes": changes, **policy})


def test_price_and_budget_hold_together():
    changes = {"previous": PREVIOUS, "maximum_count": 1, "cost_usd_per_change": 0.4e6}
    answer = best(priced(changes))
    assert (answer.hurdle.change_count, set(signed(answer))) == (1, {"P", "Q", "N"})
    assert reason(priced({**changes, "maximum_count": 0}, forbidden=[{"offer": "Q", "site": "A"}])) == "infeasible"


def test_a_change_that_cannot_be_avoided_is_paid_for():
    answer = best(priced({"previous": PREVIOUS, "cost_usd_per_change": 5e6}, forbidden=[{"offer": "Q"}]))
    assert answer.hurdle.cost_usd == 5e6
    assert close(answer.termination.objective_usd, answer.npv.total_usd - 5e6)


def test_blocks_have_the_price_too():
    changes = {"previous": [], "cost_usd_per_change": 0.05e6, "counts_orders": True}
    answer = best(portfolio(3, gpu_options=[BLOCKS], policy={"contract_changes": changes}))
    assert answer.hurdle.change_count == sum(order.block_count for order in answer.decisions.gpu_orders) > 0
    changes["cost_usd_per_change"] = 0.07e6
    assert best(portfolio(3, gpu_options=[BLOCKS], policy={"contract_changes": changes})).hurdle.change_count == 0


def test_the_audit_takes_the_price_of_what_is_changed_off_what_a_plan_claims():
    stated = priced({"previous": PREVIOUS, "cost_usd_per_change": 0.6e6})
    answer = best(stated)
    dropped = answer.decisions.model_copy(update={"contracts": ()})
    found, report = audit(stated, Futures.of(stated), dropped, Claims(objective_usd=answer.termination.objective_usd))
    assert close(found.objective_usd, found.npv_usd - 1.2e6)
    assert not report.passed


def test_a_rule_that_neither_limits_nor_prices_changes_is_refused():
    with pytest.raises(InvalidInputError, match="neither limits changes nor prices them"):
        priced({"previous": PREVIOUS})


# --------------------------------------------------------------------------------------------------- orders and openings

BLOCKS = gpu_option(maximum_block_count=4, order_until_month="2027-03", life_months=1, capex_usd_per_gpu=650.0)
"""A block brings 0.064 million USD in a month of 31 days and costs 0.005 in February."""


def orders(count, previous, **rest):
    changes = {"previous": [], "maximum_count": count, "counts_orders": True, "previous_gpu_orders": previous, **rest}
    return portfolio(3, gpu_options=[BLOCKS], policy={"contract_changes": changes})


def order(month, count):
    return {"gpu_option": "G", "site": "A", "order_month": month, "block_count": count}


LONG, SHORT = 960.0 * hours(0) - 6.5e5, 960.0 * hours(1) - 6.5e5


@pytest.mark.parametrize(
    ("count", "value"),
    [(0, 2 * SHORT + LONG), (1, SHORT + 2 * LONG), (2, 3 * LONG), (3, 4 * LONG), (4, 4 * LONG)],
)
def test_blocks_count_one_by_one_and_a_block_moved_once(count, value):
    # Two stand in February, at a loss, and one in January: move one, move both, then add.
    case = orders(count, [order("2027-02", 2), order("2027-01", 1)])
    assert close(worth(case), value)
    if count == 0:
        assert "contract_changes_within_budget" in binding(case)


def test_blocks_do_not_count_unless_it_is_said():
    changes = {"previous": [], "maximum_count": 0}
    assert close(worth(portfolio(3, gpu_options=[BLOCKS], policy={"contract_changes": changes})), 4 * LONG)


def test_an_order_that_can_no_longer_be_placed_counts_as_changed():
    gone = [order("2026-12", 2)]
    assert reason(orders(1, gone)) == "infeasible"
    assert close(worth(orders(2, gone)), 2 * LONG)


@pytest.mark.parametrize(
    ("count", "previous", "opened"),
    [
        (0, [{"site": "B", "month": "2027-02"}], {"B": "2027-02"}),
        (0, [], {}),
        (1, [], {"C": "2027-02"}),
        (1, [{"site": "B", "month": "2027-02"}], {"B": "2027-02", "C": "2027-02"}),
        (2, [{"site": "B", "month": "2027-02"}], {"C": "2027-02"}),
        (0, [{"site": "C", "month": "2027-01"}], {"C": "2027-01"}),
    ],
)
def test_openings_count_too(count, previous, opened):
    # B only costs; C must be open in February for its contract, and costs less the later it is opened.
    sites = [site("A"), site("B", opening=opening(1e4)), site("C", opening=opening(1e5), fixed_opex_usd_per_month=1e3)]
    late = offer("N", sign_from_month="2027-02", sign_until_month="2027-02", sites=[place("C", build_months=0)])
    contracts = [{"offer": "N", "site": "C", "sign_month": "2027-02"}] if "C" in opened else []
    changes = {"previous": contracts, "maximum_count": count, "counts_orders": True, "previous_openings": previous}
    answer = best(portfolio(4, sites=sites, offers=[late], policy={"contract_changes": changes}))
    assert {item.site: f"{item.month:%Y-%m}" for item in answer.decisions.site_openings} == opened


def test_the_audit_counts_orders_and_openings():
    free = portfolio(3, gpu_options=[BLOCKS])
    found = best(free).decisions
    for count, names in ((3, []), (2, ["changes of contracts within their number"])):
        bound = orders(count, [order("2027-02", 2), order("2027-01", 1)])
        moved = found.model_copy(update={"gpu_orders": (GpuOrder.model_validate(order("2027-03", 3)),)})
        _, report = audit(bound, Futures.of(bound), moved, Claims())
        assert [item.name for item in report.failures] == names
        if names:
            assert report.failures[0].where == ", ".join(["a block of G"] * 3)
