"""Offers bound together: at most some of them, or all of them or none."""

from __future__ import annotations

from support import best, binding, close, offer, place, portfolio, reason, signed, site, worth

THREE = [offer(f"O{i}", price_usd_per_kw_month=price) for i, price in ((1, 100.0), (2, 120.0), (3, 90.0))]
"""Worth 1.0, 1.4 and 0.8 million USD."""
LOSS = offer("L", price_usd_per_kw_month=25.0)
"""Worth -0.5 million USD."""


def exclusive(count=1, names=("O1", "O2", "O3")):
    return {"exclusive_groups": [{"name": "E", "offers": list(names), "maximum_count": count}]}


def together(*names):
    return {"all_or_nothing_groups": [{"name": "T", "offers": list(names)}]}


def test_the_best_of_an_exclusive_group_is_signed():
    case = portfolio(offers=THREE, policy=exclusive())
    assert set(signed(best(case))) == {"O2"}
    assert binding(case) == {"exclusive_group_within_count"}
    assert close(worth(portfolio(offers=THREE, policy=exclusive(2))), 2.4e6)
    assert close(worth(portfolio(offers=THREE, policy=exclusive(3))), 3.2e6)
    assert close(worth(portfolio(offers=THREE, policy=exclusive(1, ("O1", "O3")))), 2.4e6)


def test_an_offer_with_several_starts_counts_once():
    many = [offer(name, sign_until_month="2027-03", sites=[place("A"), place("B")]) for name in ("O1", "O2")]
    case = portfolio(8, sites=[site("A"), site("B")], offers=many, policy=exclusive(1, ("O1", "O2")))
    assert close(worth(case), 1e6)


def test_a_loss_is_taken_for_what_comes_with_it():
    case = portfolio(offers=[*THREE, LOSS], policy=together("O2", "L"))
    answer = best(case)
    assert set(signed(answer)) == {"O1", "O2", "O3", "L"}
    assert close(answer.termination.objective_usd, 3.2e6 - 0.5e6)
    assert binding(case) == {"all_or_nothing_group_together"}


def test_a_gain_is_left_for_what_comes_with_it():
    worse = offer("L", price_usd_per_kw_month=0.0)
    case = portfolio(offers=[THREE[2], worse], policy=together("O3", "L"))
    assert best(case).decisions.contracts == ()


def test_members_may_be_signed_at_different_times():
    late = offer("O2", sign_from_month="2027-02", sign_until_month="2027-02")
    case = portfolio(6, offers=[THREE[0], late], policy=together("O1", "O2"))
    assert signed(best(case)) == {"O1": ("A", "2027-01"), "O2": ("A", "2027-02")}


def test_a_group_with_a_member_that_cannot_be_signed_is_not_signed():
    never = offer("O2", sign_from_month="2027-04", sign_until_month="2027-04")
    case = portfolio(4, offers=[THREE[0], never], policy=together("O1", "O2"))
    assert best(case).decisions.contracts == ()


def test_obliged_to_both_of_which_one_may_be_is_infeasible():
    both = [{"offer": "O1"}, {"offer": "O2"}]
    assert reason(portfolio(offers=THREE, policy={**exclusive(), "mandatory": both})) == "infeasible"
    one = {**together("O1", "O2"), "mandatory": both[:1], "forbidden": both[1:]}
    assert reason(portfolio(offers=THREE, policy=one)) == "infeasible"
