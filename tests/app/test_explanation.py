"""Why a placement is in a plan, or why not: what the other way loses, proven, and the prices that say why."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from support import EXACT, asic, best, close, fleet, hours, offer, place, portfolio, scalable, site

from optimizer.app import explain
from optimizer.domain import ContractDecision, Decisions, validated
from optimizer.domain.explanation import ExplanationSpec
from optimizer.errors import InvalidInputError

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "why.md"


def why(case, name="O1", at=None, month=None, plan=None, **more):
    placement = {"offer": name, "site": at, "sign_month": month}
    decisions = best(case).decisions if plan is None else plan
    stated = {"portfolio": case, "decisions": decisions, "placement": placement, "options": EXACT, **more}
    return explain(validated(ExplanationSpec, stated, "question"))


def one_of_two(**parts):
    """Leases worth 1.0 and 0.2 million, and power for one."""
    return portfolio(4, sites=[site(grid_mw=10.0)], offers=[offer(), offer("O2", price_usd_per_kw_month=60.0)], **parts)


def lease_beside_mining(lease, grid_mw=20.0):
    """Power for four thousand machines, or two thousand and the lease, which is live in its second and third month."""
    return portfolio(4, asic_models=[asic()], fleets=[fleet(4000)], sites=[site(grid_mw=grid_mw)], offers=[lease])


MINED_USD = 0.2 * 2000 * hours(1, 2)


def test_the_page_shows_what_happens():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 5
    assert results.failed == 0


def test_what_is_not_signed_by_hand():
    found = why(one_of_two(), "O2")
    assert (found.signed, found.possible) == (False, True)
    assert close(found.least_lost_usd, 0.8e6)
    assert close(found.most_lost_usd, 0.8e6)
    assert found.blocked == ("site power within limit: A, 2027-02",)
    assert [item.offer for item in found.other.contracts] == ["O2"]
    assert found.told == "O2 is not signed: signing it loses 0.80 million USD (proven)."


def test_what_is_signed_by_hand():
    found = why(one_of_two(), "O1", "A", "2027-01")
    assert found.signed
    assert close(found.least_lost_usd, 0.8e6)  # the other lease takes its place
    assert found.told.startswith("O1 at A in 2027-01 is signed: leaving it out loses 0.80 million USD")
    alone = why(portfolio(4, offers=[offer()]))
    assert close(alone.margin_usd, 1e6)
    assert close(alone.most_lost_usd, 1e6)


@pytest.mark.parametrize("terms", [offer, scalable])
@pytest.mark.parametrize("price_usd_per_kw_month", [52.0, 90.0])
def test_reasons_are_its_own_cash_and_the_power_that_machines_lose(price_usd_per_kw_month, terms):
    found = why(lease_beside_mining(terms(price_usd_per_kw_month=price_usd_per_kw_month)))
    own, power = found.reasons
    assert found.signed == (price_usd_per_kw_month > 80.0)
    share = 1.0 if found.signed or terms is offer else 0.2  # least it can be is 2 of 10 MW
    assert close(own.worth_usd, share * (2e4 * price_usd_per_kw_month - 1e6))
    assert close(power.worth_usd, share * -MINED_USD)
    assert power.told.startswith("site power within limit, most of it at A, 2027-0")
    assert close(found.margin_usd, own.worth_usd + power.worth_usd)
    assert close(found.least_lost_usd, abs(found.margin_usd))


def test_the_first_bit_may_use_what_nobody_needs():
    found = why(lease_beside_mining(offer(price_usd_per_kw_month=52.0), grid_mw=25.0))
    assert [item.told for item in found.reasons] == ["its own cash in the objective"]
    assert close(found.margin_usd, 4e4)
    assert close(found.least_lost_usd, MINED_USD / 2 - 4e4)


def test_the_best_place_and_month_stand_for_an_open_question():
    places = [place(capex_usd_per_critical_mw=3e5), place("B", capex_usd_per_critical_mw=2.5e5)]
    case = portfolio(5, sites=[site(), site("B")], offers=[offer(sign_until_month="2027-02", sites=places)])
    found = why(case)
    assert not found.signed
    assert found.explained.site == "B"
    assert close(found.least_lost_usd, 0.5e6)
    assert close(why(case, at="A").least_lost_usd, 1e6)
    assert why(case, month="2027-02").explained.sign_month.month == 2


def test_what_no_plan_can_do_is_proven_so():
    forbidden = one_of_two(policy={"forbidden": [{"offer": "O2"}]})
    found = why(forbidden, "O2")
    assert found.possible is False
    assert (found.least_lost_usd, found.most_lost_usd, found.other) == (None, None, None)
    assert "signing it is not possible" in found.told
    must = why(one_of_two(policy={"mandatory": [{"offer": "O2"}]}), "O2")
    assert must.signed
    assert "leaving it out is not possible" in must.told


def test_an_answer_from_within_the_gap_says_so():
    case = one_of_two()
    worth = best(case).termination.objective_usd
    loose = why(case, "O2", bound_usd=worth + 5e5)
    assert close(loose.least_lost_usd, 0.8e6)
    assert close(loose.most_lost_usd, 1.3e6)
    assert "loses between 0.80 and 1.30 million USD" in loose.told
    assert loose.lost.certainty == "proven"
    assert close(loose.lost.found_usd, 0.8e6)
    assert close(loose.lost.most_usd, loose.most_lost_usd)
    worse = Decisions(contracts=(ContractDecision(offer="O2", site="A", sign_month="2027-01", critical_mw=10.0),))
    better = why(case, "O1", plan=worse)
    assert close(better.least_lost_usd, 0.0)
    assert "signing it loses 0.00 million USD (proven)" in better.told
    unknown = why(case, "O1", plan=worse, bound_usd=worth + 5e5)
    assert "loses 0.00 million USD as found, between 0.00 and 0.50 (proven): only within the gap" in unknown.told
    assert unknown.lost.certainty == "within-gap"
    assert close(better.most_lost_usd, 0.0)


def test_linear_programs_alone_prove_it_too_but_say_less():
    found = why(one_of_two(), "O2", relaxed_only=True)
    assert close(found.least_lost_usd, 0.8e6)
    assert close(found.most_lost_usd, 0.8e6)
    assert close(found.margin_usd, why(one_of_two(), "O2").margin_usd)
    assert [item.offer for item in found.other.contracts] == ["O2"]
    must = why(one_of_two(policy={"mandatory": [{"offer": "O2"}]}), "O2", relaxed_only=True)
    assert must.possible is False
    lease = offer("O2", price_usd_per_kw_month=75.0)  # half of it would find a place, all of it does not
    case = portfolio(4, sites=[site(grid_mw=15.0)], offers=[offer(), lease])
    wide = why(case, "O2", relaxed_only=True)
    assert close(wide.least_lost_usd, 0.0)
    assert close(wide.most_lost_usd, 0.75e6)  # the relaxation of all plans is worth 1.25 million
    assert close(why(case, "O2", relaxed_only=True, bound_usd=1e6).most_lost_usd, 0.5e6)
    assert "a search may find it as good" in wide.told
    assert close(why(case, "O2").least_lost_usd, 0.5e6)


def test_bad_questions_say_what_there_is():
    case = portfolio(4, sites=[site(), site("B")], offers=[offer()])
    for stated, told in (
        ({"name": "O9"}, "no offer is named 'O9'"),
        ({"at": "B"}, "O1 cannot be placed at B; it can at A"),
        ({"month": "2027-03"}, "O1 cannot be signed in 2027-03; it can in 2027-01"),
    ):
        with pytest.raises(InvalidInputError, match=told):
            why(case, **stated)
    late = portfolio(4, offers=[offer(sites=[place(build_months=9)])])
    with pytest.raises(InvalidInputError, match="can be signed in no month"):
        why(late, plan=Decisions())


def test_what_cannot_be_explained_is_refused():
    case = one_of_two()
    both = [ContractDecision(offer=name, site="A", sign_month="2027-01", critical_mw=10.0) for name in ("O1", "O2")]
    with pytest.raises(InvalidInputError, match="is no plan that keeps every limit; evaluate it"):
        why(case, plan=Decisions(contracts=tuple(both)))
    odd = both[0].model_copy(update={"sign_month": both[0].sign_month.replace(month=2)})
    with pytest.raises(InvalidInputError, match="the terms do not allow it there and then"):
        why(case, plan=Decisions(contracts=(odd,)))
    with pytest.raises(InvalidInputError, match="explanations are solved by HiGHS"):
        why(case, options={"solver": "scip"})
    answering = one_of_two(market={"own_hashrate_feedback": True})
    with pytest.raises(InvalidInputError, match="a hashprice that does not answer"):
        why(answering, plan=Decisions())
