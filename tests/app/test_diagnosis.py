"""Portfolios without a plan: statements that cannot all be kept, and repairs that are proven by solving."""

from __future__ import annotations

import doctest
import itertools
from pathlib import Path

import pytest
from support import best, close, offer, portfolio, reason

from optimizer.app import diagnose
from optimizer.app.changes import changed
from optimizer.app.statements import WORDS, statements_of
from optimizer.domain import validated
from optimizer.domain.diagnosis import DiagnosisSpec
from optimizer.domain.policy import Policy
from optimizer.errors import InvalidInputError

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "no-plan.md"


def test_the_page_shows_what_happens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 10
    assert results.failed == 0


def diagnosed(case, **options):
    stated = {"portfolio": case, "options": {"gap_frac": 0.0, "time_limit_s": 60.0, **options}}
    return diagnose(validated(DiagnosisSpec, stated, "question"))


def paths(found):
    return [item.path for item in found.conflict]


BUDGET = {"name": "spring", "from_month": "2027-01", "until_month": "2027-04", "maximum_capex_usd": 6e5}


def too_dear(**parts):
    """A lease for a million of capex must be signed, under a budget of less; a rule that is beside the point."""
    policy = {"mandatory": [{"offer": "O1"}], "parallel_builds": [{"maximum_count": 3}]}
    return portfolio(4, offers=[offer()], policy=policy, finance={"capex_budgets": [BUDGET], **parts})


def test_a_plan_is_told():
    found = diagnosed(portfolio(4, offers=[offer()]))
    assert (found.feasible, found.conflict, found.repairs) == (True, (), ())


def test_the_statements_that_conflict_and_what_each_repair_costs():
    found = diagnosed(too_dear())
    assert found.feasible is False
    assert paths(found) == ["policy.mandatory[0]", "finance.capex_budgets[0]"]
    assert found.irreducible
    assert [item.told for item in found.conflict] == [
        "O1 must be signed",
        "capex of spring is at most 0.6 million USD",
    ]
    raised, unsigned = found.repairs
    assert close(raised.worth_usd, 1e6)
    assert raised.changes[0].told == "raise the capex budget spring by 0.41 million USD"
    assert close(unsigned.worth_usd, 0.0)
    assert unsigned.changes[0].told == "no longer: O1 must be signed"
    assert "2 statements cannot all be kept; without any of them the others can. 2 repairs" in found.told


def test_the_easing_is_the_least_to_a_hundredth():
    """Capex of a million needs 0.4 million more; less than that is not enough."""
    for more, feasible in ((4.1e5, True), (3.9e5, False)):
        case = changed(too_dear(), {}, {"finance.capex_budgets[spring].maximum_capex_usd": 6e5 + more})
        assert diagnosed(case).feasible is feasible


def test_cash_that_is_not_there():
    poor = portfolio(4, offers=[offer()], policy={"mandatory": [{"offer": "O1"}]}, finance={"opening_cash_usd": 3e5})
    found = diagnosed(poor)
    assert paths(found) == ["policy.mandatory[0]", "finance.opening_cash_usd"]
    told = [item.changes[0].told for item in found.repairs]
    assert "bring 0.70 million USD more cash" in told or "bring 0.71 million USD more cash" in told


def test_two_conflicts_take_two_changes():
    """One lease is forbidden and must be signed; the other must be and has no budget."""
    policy = {"mandatory": [{"offer": "O1"}, {"offer": "O2"}], "forbidden": [{"offer": "O1"}]}
    case = portfolio(4, offers=[offer(), offer("O2")], policy=policy, finance={"capex_budgets": [BUDGET]})
    found = diagnosed(case)
    assert found.irreducible
    assert [len(repair.changes) for repair in found.repairs] == [2, 2]
    assert paths(found) == ["policy.mandatory[1]", "finance.capex_budgets[0]"]


def test_one_statement_may_be_all_there_is_to_blame():
    """Three months of a billion of overhead, and a billion of cash."""
    found = diagnosed(portfolio(3, finance={"overhead_usd_per_month": 1e9}))
    assert paths(found) == ["finance.opening_cash_usd"]
    assert found.told == "No plan exists (proven): one statement cannot be kept. One repair, proven by a plan."
    assert found.repairs[0].changes[0].told.startswith("bring 2,0")


def test_where_no_statement_is_to_blame_it_says_where_to_look(monkeypatch):
    monkeypatch.setattr("optimizer.app.diagnosis.statements_of", lambda _: [])
    found = diagnosed(too_dear())
    assert (found.feasible, found.conflict) == (False, ())
    assert "look at power, halls and machines" in found.told


def test_every_conflict_is_irreducible_and_every_repair_gives_a_plan():
    """Four rules of which three conflict, by brute force over all subsets."""
    policy = {
        "mandatory": [{"offer": "O1"}, {"offer": "O2"}],
        "exclusive_groups": [{"name": "E", "offers": ["O1", "O2"]}],
        "parallel_builds": [{"maximum_count": 3}],
    }
    case = portfolio(4, offers=[offer(), offer("O2")], policy=policy)
    statements = {item.statement.path: item for item in statements_of(case)}
    found = diagnosed(case)
    assert len(found.conflict) == 3
    for count in range(len(found.conflict) + 1):
        for kept in itertools.combinations(paths(found), count):
            rest = case
            for path in statements.keys() - set(kept):
                rest = statements[path].dropped(rest)
            assert (reason(rest) == "infeasible") == (count == len(found.conflict))
    for repair in found.repairs:
        (only,) = repair.changes
        assert close(best(statements[only.path].dropped(case)).termination.objective_usd, repair.worth_usd)


def test_out_of_time_is_told(monkeypatch):
    clock = iter([0.0, 1.0, 2.0, *[99.0] * 99])
    monkeypatch.setattr("optimizer.app.diagnosis.time.monotonic", lambda: next(clock))
    found = diagnosed(too_dear())
    assert (found.feasible, found.irreducible, found.repairs) == (False, False, ())
    assert "fewer may be to blame, that was not known in time. No repair was found in time" in found.told
    late = iter([0.0, *[99.0] * 99])
    monkeypatch.setattr("optimizer.app.diagnosis.time.monotonic", lambda: next(late))
    assert diagnosed(too_dear()).feasible is None


def test_every_rule_has_words():
    assert {f"policy.{name}" for name in Policy.model_fields} | {
        "finance.capex_budgets",
        "finance.stresses",
    } == set(WORDS)


def test_what_is_not_diagnosed_is_refused():
    with pytest.raises(InvalidInputError, match="a floor of CVaR is not diagnosed"):
        diagnosed(portfolio(3, risk={"minimum_cvar_usd": 0.0}))
    with pytest.raises(InvalidInputError, match="diagnoses are solved by HiGHS"):
        diagnosed(portfolio(3), paranoid=True)
