"""Plan again from a plan that is being carried out: what is decided stays, and each change must be worth it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from optimizer.app.comparison import compare, knows
from optimizer.app.decision_parts import PARTS
from optimizer.app.planning import plan
from optimizer.audit.book import read_decisions
from optimizer.audit.changes import changes_made
from optimizer.domain.base import add_months, validated
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.decisions import Decisions, GridAdvance
from optimizer.domain.finance import Objective
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.policy import Placement, Policy
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Certainty, WorthDifference, worth_difference
from optimizer.domain.replan import Replan, ReplanSpec
from optimizer.errors import InvalidInputError, Problem
from optimizer.units import USD_PER_MUSD

WHAT = "re-plan"
STAYS = {
    "contracts": "mandatory",
    "gpu_orders": "mandatory_gpu_orders",
    "site_openings": "mandatory_openings",
    "grid_advances": "mandatory_grid_advances",
    "hall_orders": "mandatory_hall_orders",
    "building_orders": "mandatory_building_orders",
}
"""Decisions that a freeze can hold, and the rule that holds them."""
FREEZES = ("freeze_until_month", "freeze_works_until_month", "freeze_orders_until_month")


def replan(
    spec: ReplanSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Replan:
    """The best plan from here on, and what each change of the current plan earns.

    >>> import optimizer
    >>> from optimizer.domain.replan import ReplanSpec
    >>> now = optimizer.load_portfolio("tiny")
    >>> current = optimizer.plan(now)
    >>> optimizer.replan(ReplanSpec(portfolio=now, decisions=current.decisions, most_changes=0)).change_count
    0

    Raises:
        InvalidInputError: for what should stay and the portfolio does not know.
        SolverError: as :func:`optimizer.plan`.
    """
    known, given_up = _known(spec)
    ruled = under_rules(spec, known)
    found = plan(ruled, spec.options, on_progress, should_stop)
    if found.audit is None:
        return Replan(plan=found, given_up=given_up, told=_no_plan(spec, found))
    counted = _with_policy(spec.portfolio, {"contract_changes": {**_previous(spec, known), "cost_usd_per_change": 1.0}})
    count = len(changes_made(read_decisions(counted, found.decisions)))
    comparison = compare(ComparisonSpec(portfolio=ruled, decisions=found.decisions, other=known))
    gain, told = _gain(ruled, found, comparison), _told(found, count, comparison)
    if gain is not None and gain.certainty is not Certainty.PROVEN:
        told += f" What it brings at its best is {gain.told}."
    return Replan(plan=found, change_count=count, gain=gain, comparison=comparison, given_up=given_up, told=told)


def _gain(ruled: Portfolio, found: Plan, comparison: Comparison) -> WorthDifference | None:
    """Of the best plan under the rules, where the objective is the NPV; the current plan is what it is."""
    changes = ruled.policy.contract_changes
    priced = changes is not None and changes.cost_usd_per_change > 0.0
    if found.npv is None or priced or found.objective is not Objective.NPV or ruled.risk.counts_tail:
        return None
    current = found.npv.total_usd - comparison.difference_usd
    if comparison.other.broken:
        return None
    return worth_difference(found.npv.total_usd, found.termination.bound_usd, current, current)


def under_rules(spec: ReplanSpec, known: Decisions) -> Portfolio:
    """The portfolio with what stays as mandatory, nothing else before the freeze, and changes limited or priced."""
    portfolio, policy, until = spec.portfolio, spec.portfolio.policy, spec.freeze_until_month
    rules: dict[str, Any] = {name: getattr(policy, name) for name in policy.model_fields_set}
    if until is not None:
        rules |= {name: max(until, getattr(policy, name) or until) for name in FREEZES}
        for field, rule in STAYS.items():
            stays = [_as_rule(row) for row in getattr(known, field) if _decided(row, portfolio) < until]
            rules[rule] = (*getattr(policy, rule), *[row for row in stays if row not in getattr(policy, rule)])
    if spec.most_changes is not None or spec.cost_usd_per_change:
        rules["contract_changes"] = _previous(spec, known)
    return _with_policy(portfolio, rules)


def _previous(spec: ReplanSpec, known: Decisions) -> dict[str, Any]:
    """The current plan as the previous one of a rule on changes."""
    return {
        "previous": tuple(_as_rule(item) for item in known.contracts),
        "maximum_count": spec.most_changes,
        "cost_usd_per_change": spec.cost_usd_per_change,
        "counts_orders": True,
        "previous_gpu_orders": known.gpu_orders,
        "previous_openings": known.site_openings,
    }


def _with_policy(portfolio: Portfolio, rules: dict[str, Any]) -> Portfolio:
    stated = {name: getattr(portfolio, name) for name in portfolio.model_fields_set}
    return validated(Portfolio, {**stated, "policy": validated(Policy, rules, WHAT)}, WHAT)


def _as_rule(row: Any) -> Any:
    """A contract as a placement; other decisions are rules as they are."""
    if not hasattr(row, "sign_month"):
        return row
    return Placement(offer=row.offer, site=row.site, sign_month=row.sign_month)


def _decided(row: Any, portfolio: Portfolio) -> dt.date:
    """Month in which something is decided: a grid step some notice before it comes."""
    if not isinstance(row, GridAdvance):
        months = (getattr(row, name, None) for name in ("sign_month", "order_month", "month"))
        return next(month for month in months if isinstance(month, dt.date))
    step = next(step for step in portfolio.site(row.site).grid if step.from_month == row.step_month)
    return add_months(row.month, -(step.advance.notice_months if step.advance is not None else 0))


def _known(spec: ReplanSpec) -> tuple[Decisions, tuple[str, ...]]:
    """What the portfolio knows of the current plan, and the rest in words; all that stays must be known."""
    problems, given_up, until = list[Problem](), list[str](), spec.freeze_until_month
    kept: dict[str, Any] = {}
    for part in PARTS:
        rows = getattr(spec.decisions, part.field)
        kept[part.field] = tuple(row for row in rows if knows(spec.portfolio, part, row))
        for i, row in enumerate(rows):
            if row in kept[part.field] or part.field not in STAYS:
                continue
            told = part.told((row,), (), spec.portfolio)
            given_up.append(told)
            if until is not None and getattr(row, part.month) < until:
                path, fix = f"decisions.{part.field}[{i}]", "state it in the portfolio, or freeze less"
                problems.append(Problem(path, f"stays, but is not known any more: {told}", fix))
    if problems:
        raise InvalidInputError(problems, WHAT)
    return Decisions(**kept), tuple(given_up)


def _told(found: Plan, count: int, comparison: Comparison) -> str:
    usd, broken = comparison.difference_usd / USD_PER_MUSD, len(comparison.other.broken)
    said = f"{count or 'No'} {'change' if count == 1 else 'changes'} of contracts and orders; with all that follows "
    said += (
        f"the expected NPV is {abs(usd):,.2f} million USD {'more' if usd >= 0.0 else 'less'} than the current plan's"
    )
    said += f", which breaks {broken} {'limit' if broken == 1 else 'limits'} now." if broken else "."
    gap = found.termination.gap_frac
    return said + (f" No plan under these rules is better by more than {gap:.2%} (proven)." if gap is not None else "")


def _no_plan(spec: ReplanSpec, found: Plan) -> str:
    if found.termination.reason == "infeasible":
        most = f" and {spec.most_changes} changes at most" if spec.most_changes is not None else ""
        return f"With what stays{most} there is no plan that keeps every limit (proven)."
    return f"No plan was found: the search ended as {found.termination.reason}."
