"""Constraints of the user's own: the same rows as a family would state, in every solve, told and not audited."""

from __future__ import annotations

import datetime as dt
import doctest
from functools import partial
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest
from support import (
    EXACT,
    asic,
    assembled,
    close,
    fleet,
    gpu_option,
    offer,
    opening,
    place,
    portfolio,
    problem_of,
    scalable,
    site,
)

from optimizer.app import plan
from optimizer.cli.summary import audit_line
from optimizer.domain import SolveOptions
from optimizer.errors import InvalidInputError
from optimizer.io import load_plan, save_plan
from optimizer.model.family import ACCOUNTS
from optimizer.model.own import ACCOUNT_PARTS, PARTS, OwnModel, state_own
from optimizer.report.words import own_constraints
from optimizer.solve import solve_program

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-constraints.md"
TWO = [offer("O1", price_usd_per_kw_month=100.0), offer("O2", price_usd_per_kw_month=150.0)]
"""Worth 1 and 2 million USD."""


def best(case, *rules, options=EXACT):
    answer = plan(case, options, own_constraints=rules)
    assert answer.termination.reason == "optimal", answer.termination
    assert answer.audit.failures == ()
    return answer


def value(case, *rules, options=EXACT):
    return best(case, *rules, options=options).termination.objective_usd


def refusal(rule, case=None):
    with pytest.raises(InvalidInputError) as caught:
        plan(case or portfolio(offers=TWO), EXACT, own_constraints=[rule])
    return str(caught.value)


def only_one(own):
    own.block.most = pyo.Constraint(expr=own.total("sign") <= 1)


def test_the_page_shows_what_happens():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 6
    assert results.failed == 0


def test_it_binds():
    case = portfolio(offers=TWO)
    assert close(value(case), 3e6)
    assert close(value(case, only_one), 2e6)


def test_it_is_the_row_that_a_budget_states():
    case = portfolio(offers=[*TWO, scalable("O3", price_usd_per_kw_month=90.0)])

    def budget(own):
        own.block.spent = pyo.Constraint(expr=own.account("capex_musd", month="2027-01") <= 1.7)

    terms = {"name": "b", "from_month": "2027-01", "until_month": "2027-01", "maximum_capex_usd": 1.7e6}
    stated = portfolio(offers=[*TWO, scalable("O3", price_usd_per_kw_month=90.0)], finance={"capex_budgets": [terms]})
    # O3 cannot have the 3 MW that are worth less than O1's.
    assert value(case, budget) == pytest.approx(value(stated), abs=1.0)
    assert value(case, budget) < value(case) - 1e5


def machines():
    return portfolio(
        3,
        sites=[site("A"), site("B", country="CA")],
        asic_models=[asic()],
        fleets=[fleet(), fleet(2000, "B")],
        offers=TWO,
    )


def test_machines_are_in_thousands_and_power_is_the_sum_of_all_uses():
    def little(own):
        own.block.few = pyo.Constraint(own.months, rule=lambda _, m: own.total("running_machines", month=m) <= 1.5)
        own.block.power = pyo.Constraint(expr=own.account("power_mw", site="B", month="2027-02") <= 1.25)

    answer = best(machines(), little)
    mw = {(row.site, f"{row.month:%Y-%m}"): row.mining_mw for row in answer.capacity}
    assert mw["A", "2027-01"] + mw["B", "2027-01"] == pytest.approx(7.5)
    assert mw["B", "2027-02"] == pytest.approx(1.25)
    assert answer.manifest.own_constraints[0].row_count == 4


def test_whole_and_continuous_variables_of_its_own():
    def either_site(own):
        block = own.block
        block.here = pyo.Var(own.portfolio.site_index.keys(), domain=pyo.Binary)
        block.one = pyo.Constraint(expr=sum(block.here.values()) == 1)
        block.most = pyo.Constraint(
            own.portfolio.site_index.keys(),
            own.months,
            rule=lambda _, s, m: own.total("running_machines", site=s, month=m) <= 5.0 * block.here[s],
        )
        block.slack = pyo.Var(bounds=(-1.0, 2.0))
        block.tied = pyo.Constraint(expr=(0.5, own.total("sign", offer="O1") + block.slack, 0.75))

    answer = best(machines(), either_site)
    assert {row.site for row in answer.capacity if row.mining_mw > 0} == {"B"}
    size, plain = answer.manifest.model_size, best(machines()).manifest.model_size
    assert (size.columns - plain.columns, size.integers - plain.integers, size.rows - plain.rows) == (3, 2, 8)


def test_a_twin_that_breaks_it_is_not_feasible():
    def all_signed(own):
        own.block.least = pyo.Constraint(expr=own.total("sign") >= 2)

    assert best(portfolio(offers=TWO), all_signed).business_as_usual.feasible is False
    assert best(portfolio(offers=TWO), only_one).business_as_usual.feasible is True


@pytest.mark.parametrize("options", [{"solver": "scip"}, {"paranoid": True}], ids=str)
def test_every_solver_has_it(options):
    def rules(own):
        own.block.share = pyo.Var(bounds=(0.0, 1.0))
        own.block.most = pyo.Constraint(expr=own.total("sign") <= 1 + 0.5 * own.block.share)
        own.block.nothing = pyo.Constraint(expr=own.total("open_site") <= 1)

    asked = SolveOptions(gap_frac=0.0, time_limit_s=60.0, **options)
    assert close(value(portfolio(offers=TWO), rules, options=asked), 2e6)


def test_a_row_without_terms_holds_or_cannot_be_met():
    def none_open(own):
        own.block.most = pyo.Constraint(expr=own.total("open_site") <= 1)

    def one_open(own):
        own.block.least = pyo.Constraint(expr=own.total("open_site") >= 1)

    told = best(portfolio(offers=TWO), none_open).manifest.own_constraints
    assert [(item.name, item.row_count) for item in told] == [("none_open", 0)]
    for solver in ("highs", "scip"):
        answer = plan(portfolio(offers=TWO), SolveOptions(solver=solver), own_constraints=[one_open])
        assert answer.termination.reason == "infeasible"
        assert answer.manifest.own_constraints[0].row_count == 1


def test_what_is_not_a_linear_constraint_is_refused_by_name():
    def squared(own):
        own.block.bad = pyo.Constraint([1, 2], rule=lambda _, i: own.total("sign") ** i <= 1)

    def objective(own):
        own.block.goal = pyo.Objective(expr=own.total("sign"))

    def foreign(own):
        own.block.other = pyo.ConcreteModel()
        stranger = pyo.ConcreteModel()
        stranger.x = pyo.Var()
        own.block.strange = pyo.Constraint(expr=stranger.x <= 1)

    def fixed(own):
        next(iter(own.variables("sign").values())).fix(0)

    def mixed(own):
        own.block.x = pyo.Var([0, 1], domain=lambda _, i: pyo.Binary if i else pyo.Reals)

    assert "squared.bad[2]: is not linear" in refusal(squared)
    assert "objective.goal: is of type Objective" in refusal(objective)
    assert "foreign.strange: uses x, which is not of this program" in refusal(foreign)
    assert "fixed.sign[0]: is fixed, or has its bounds changed" in refusal(fixed)
    assert "mixed.x: has variables of several kinds" in refusal(mixed)


def test_names_that_do_not_exist_are_refused_with_what_was_meant():
    def asks(method, name, **where):
        return refusal(lambda own: getattr(own, method)(name, **where))

    assert "no variable is named 'signs'; did you mean 'sign'?" in asks("total", "signs")
    assert "no account is named 'power'" in asks("account", "power")
    assert "no part of the key of sign is named 'sites'; did you mean 'site'?" in asks("total", "sign", sites="A")
    assert "no offer is named 'O3'; there is 'O1', 'O2'" in asks("variables", "sign", offer="O3")
    assert "no month is named '2027-99'" in asks("account", "capex_musd", month="2027-99")


def test_keys_are_told_and_months_may_be_dates():
    program = assembled(case := portfolio(offers=TWO))
    own = OwnModel(program, problem_of(case), pyo.Block(concrete=True))
    assert [*own.variables("sign", month=dt.date(2027, 1, 1))] == [("O1", "A", "2027-01"), ("O2", "A", "2027-01")]
    # Possible in the portfolio, but in no decision.
    assert own.variables("sign", month="2027-02") == {}
    assert own.account("grid_mw", site="A").constant == pytest.approx(400.0)


def test_an_account_is_what_the_plan_says():
    seen = {}

    def listen(own):
        seen.update({name: own.account(name) for name in ACCOUNT_PARTS})

    case = machines()
    problem, program = problem_of(case), assembled(case)
    state_own(program, problem, [listen])
    found = solve_program(program.compile(), EXACT)
    for block in program.variables.values():
        for position, variable in block.component.items():
            variable.set_value(found.values[block.offset + position], skip_validation=True)
    for name, expression in seen.items():
        assert pyo.value(expression) == pytest.approx(float(np.sum(program.account_value(name, found.values)))), name


def test_it_is_told_and_survives_a_file(tmp_path):
    answer = best(portfolio(offers=TWO), only_one, only_one, partial(only_one))
    names = ("only_one", "only_one_2", "partial")
    assert tuple(item.name for item in answer.manifest.own_constraints) == answer.audit.not_audited == names
    assert audit_line(answer).endswith("; not audited: only_one, only_one_2, partial")
    assert "“only_one_2” and “partial”, stated by the user" in own_constraints(answer)
    save_plan(answer, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == answer
    assert own_constraints(best(portfolio(offers=TWO))) == ""


def test_it_is_stated_for_every_program():
    calls = []
    case = portfolio(asic_models=[asic()], fleets=[fleet(200_000)], market={"own_hashrate_feedback": True},
                     sites=[site(grid_mw=1500.0, hall_mw=1500.0)])  # fmt: skip

    def half(own):
        calls.append(own)
        own.block.most = pyo.Constraint(own.months, rule=lambda _, m: own.total("running_machines", month=m) <= 100.0)

    answer = plan(case, EXACT, own_constraints=[half])
    assert len(calls) > 1
    assert max(row.mining_mw for row in answer.capacity) == pytest.approx(500.0)


GRID = [{"from_month": "2027-03", "grid_mw": 100.0, "advance": {"maximum_months": 1, "usd_per_month": 1.0}}]
LEASE_END = {
    "halls_displaced_mw_per_critical_mw": 0.1,
    "reconversion": {"usd_per_hall_mw": 1.0, "months": 0},
    "re_lease": {"vacancy_months": 0, "refit_usd_per_critical_mw": 1.0, "term_months": 1},
}
BUILDING = {"name": "H", "critical_mw": 1.0, "capex_usd": 1.0, "build_months": 0, "earliest_month": "2027-01"}
REFRESH = {"capex_usd_per_gpu": 1.0, "life_months": 1, "throughput_factor": 2.0, "power_factor": 1.0}
ORDER = {"gpu_option": "G", "site": "A", "order_month": "2027-01", "block_count": 1, "refreshed_block_count": 1}
SCALE = [{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.5}]
HALLS = {"maximum_mw": 1.0, "capex_usd_per_mw": 1.0, "earliest_month": "2027-01"}


def test_every_variable_and_account_has_its_parts():
    hours = {"first_hour": "2025-01-01T00:00", "usd_per_mwh": [50.0] * 8760}
    power = {"flat_usd_per_mwh": 40.0, "sell_back": {"hourly_series": "market", "maximum_mw": 1.0}}
    case = portfolio(
        series=[{"name": "market", "hours": hours}],
        sites=[
            site("A", grid=GRID, hall_expansion=HALLS, buildings=[BUILDING], power=power),
            site("B", opening=opening(1.0)),
        ],
        asic_models=[asic(purchasable=True, move_downtime_months=1)],
        fleets=[fleet()],
        offers=[offer("O1", sites=[place(**LEASE_END), place("B")]), scalable("O2")],
        gpu_options=[gpu_option(maximum_block_count=2, scale_curve=SCALE, refresh=REFRESH)],
        policy={
            "contract_changes": {
                "previous": [],
                "maximum_count": 9,
                "cost_usd_per_change": 1.0,
                "counts_orders": True,
                "previous_gpu_orders": [ORDER],
            }
        },
        risk={"cvar_weight_frac": 1.0},
        finance={
            "project_debt": {"loan_to_cost_frac": 0.5, "interest_per_year_frac": 0.1, "amortization_months": 12},
            "stresses": [{"name": "winter"}],
            "tax": {"rate_frac": 0.2},
            "discount": {"corporate_per_year_frac": 0.1},
        },
    )
    program, problem = assembled(case), problem_of(case)
    assert set(PARTS) == set(program.variables)
    assert set(ACCOUNT_PARTS) == set(ACCOUNTS) == set(program.ledger)
    for name, block in program.variables.items():
        assert block.keys, name
        for key in block.keys:
            assert len(key if isinstance(key, tuple) else (key,)) == len(PARTS[name]), name
    own = OwnModel(program, problem, pyo.Block(concrete=True))
    for name, book in program.ledger.items():
        keys = own._account_keys(name)
        assert len(keys) == book.row_count, name
        assert {len(key) for key in keys} == {len(ACCOUNT_PARTS[name])}
