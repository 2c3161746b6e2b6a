"""How families post to the ledger, cash by month and amounts by site and period, and limit one total by another."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from optimizer.model.calendar import EARNINGS, LINES, Floats, Ints
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, RowBlock, Triplets


def post_cash(
    program: Program,
    problem: PlanningProblem,
    line: str,
    columns: Ints,
    monthly_musd: Floats,
    income_musd: Floats | None = None,
) -> None:
    """Post expected cash of N columns by month, ``[N, T or more]``, to cash and NPV; what is after T is ignored.

    All of it counts for corporate tax unless ``income_musd`` says what does.
    """
    calendar = problem.calendar
    inside = monthly_musd[:, : calendar.month_count]
    post_income(program, problem, columns, inside if income_musd is None else income_musd)
    program.post("cash_musd", np.arange(calendar.period_count), columns[:, None], calendar.period_sum(inside))
    post_npv(program, line, columns, inside @ calendar.discount(line)[: calendar.month_count])


def post_income(program: Program, problem: PlanningProblem, columns: Ints, monthly_musd: Floats) -> None:
    """Post what counts for corporate tax of N columns by month, ``[N, T]``; nothing where there is no tax."""
    if problem.portfolio.finance.tax is not None:
        years = np.arange(len(problem.tax_years))
        program.post("income_musd", years, columns[:, None], problem.year_sum(monthly_musd))


def post_earnings(program: Program, problem: PlanningProblem, kind: str, columns: Ints, monthly_musd: Floats) -> None:
    """Post expected earnings of N columns by month, ``[N, T or more]``; only those of the objective's year are kept."""
    if problem.value_year.any():
        earned = monthly_musd[:, : problem.calendar.month_count] @ problem.value_year
        program.post("earnings_musd", EARNINGS.index(kind), columns, earned)


def post_npv(program: Program, line: str, columns: Ints, npv_musd: Floats) -> None:
    """Post to the NPV of a business line, nothing to cash."""
    program.post("npv_musd", LINES.index(line), columns, npv_musd)


def post_by_site(
    program: Program, problem: PlanningProblem, account: str, site: Ints, columns: Ints, by_period: Floats
) -> None:
    """Post amounts by period ``[N, P]`` of N columns, each at its own site."""
    periods = problem.calendar.period_count
    program.post(account, site[:, None] * periods + np.arange(periods), columns[:, None], by_period)


def contract_quantity(program: Program, problem: PlanningProblem) -> tuple[Ints, Floats]:
    """Column and factor of each start's critical MW: its own variable if it scales, else its MW times the signature."""
    starts = problem.starts
    columns, factors = program.variables["sign"].columns.copy(), starts.maximum_mw.copy()
    columns[starts.scalable] = program.variables["critical_mw"].columns
    factors[starts.scalable] = 1.0
    return columns, factors


def site_period_keys(problem: PlanningProblem) -> list[tuple[str, str]]:
    """Site and first month of the period, in the order of accounts by site and period."""
    return [(site.name, month) for site in problem.portfolio.sites for month in period_keys(problem)]


def period_keys(problem: PlanningProblem) -> list[str]:
    """First month of each period, as ``2027-04``."""
    return [month_key(problem, first) for first in problem.calendar.period_first]


def month_key(problem: PlanningProblem, month: int) -> str:
    """A month index as ``2027-04``."""
    return problem.month_keys[int(month)]


def use_within_limit(program: Program, name: str, keys: Sequence[Hashable], used: str, limit: str) -> RowBlock:
    """Rows ``account used <= account limit``."""
    terms = Triplets()
    use, there = program.close(used), program.close(limit)
    terms.add(*use.terms.arrays())
    row, column, coefficient = there.terms.arrays()
    terms.add(row, column, -coefficient)
    return program.add_rows(name, keys, terms, upper=there.constant - use.constant)
