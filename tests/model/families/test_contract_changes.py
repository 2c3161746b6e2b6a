"""A budget of changes against a previous plan."""

from __future__ import annotations

import pytest
from support import best, binding, close, offer, place, portfolio, reason, signed, site, worth

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
