"""The sheet that adds the cash of every month up to the NPV and to what the plan was chosen for."""

from __future__ import annotations

from typing import Any

from optimizer.audit.company import LINES, discount_per_year_frac
from optimizer.audit.worst import money_tolerance_usd
from optimizer.domain.finance import NPV_WEIGHT_AMONG_EQUALS
from optimizer.report.workbook import charts
from optimizer.report.workbook.cells import CENTS, Check, Formula, Head, Pages, Placed, place
from optimizer.units import MONTHS_PER_YEAR

NPV_FIRST = 4
"""Row of the first business line, to whose rates the cash flow refers."""
HEADS = (
    Head("line"),
    Head("discount_per_year_frac", "Rate of the line; of debt its interest, compounded over a year.", "0.0000%"),
    Head("in_horizon_usd", "Cash of every month times its discount factor.", CENTS),
    Head("after_horizon_usd", "What counts after the horizon, discounted.", CENTS),
    Head("npv_usd", "Both together.", CENTS),
    Head("stated_usd", "NPV of the line as the plan states it.", CENTS),
    Head("check_usd", "npv_usd less stated_usd: 0.", CENTS),
)


def factor_name(line: str) -> str:
    """Column of the discount factors of a business line on the sheet of the cash flow."""
    return f"{line}_discount_factor"


def add_worth(pages: Pages, cash: Placed) -> None:
    """NPV by line, and the objective."""
    plan, page = pages.plan, pages.add("npv", "From the cash of every month to the objective, USD")
    if plan.npv is None or plan.npv_after_horizon is None:
        page["A3"] = "The plan does not tell what counts after the horizon; plan again with this version."
        return
    rows: list[list[Any]] = []
    for number, line in enumerate(LINES, start=NPV_FIRST):
        known = [cash.range(name) for name in LINES[line] if name in cash.columns]
        worth = f"SUMPRODUCT({cash.range(factor_name(line))}*({'+'.join(known)}))" if known else "0"
        after, stated = (getattr(part, f"{line}_usd") for part in (plan.npv_after_horizon, plan.npv))
        rate = discount_per_year_frac(pages.portfolio.finance, line)
        rows.append([line, rate, Formula(worth), after, *_compared(number, stated)])
    total = NPV_FIRST + len(rows)
    sums = [Formula(f"SUM({at}{NPV_FIRST}:{at}{total - 1})") for at in "CD"]
    rows.append(["total", None, *sums, *_compared(total, plan.npv.total_usd)])
    placed = place(page, NPV_FIRST - 1, HEADS, rows, strong=(len(LINES),))
    told = "discounted cash and what comes after make the NPV of every line"
    pages.checks.append(Check(told, "USD", placed.range("check_usd")))
    below = _objective(pages, placed)
    charts.add_npv(placed, f"A{below}")


def _compared(row: int, stated_usd: float) -> list[Any]:
    return [Formula(f"C{row}+D{row}"), stated_usd, Formula(f"ROUND(E{row}-F{row},2)")]


def _objective(pages: Pages, npv: Placed) -> int:
    """What the plan was chosen for, made of the NPV, CVaR and the enterprise value; the first row that is free."""
    plan, first = pages.plan, npv.last + 4
    rows: list[list[Any]] = [["expected NPV", Formula(f"E{npv.last}"), "from above"]]
    worth = f"B{first}"
    made = plan.enterprise
    if made is not None and pages.portfolio.finance.multiples is not None:
        rate = pages.portfolio.finance.multiples.discount_per_year_frac
        months = sum(row.month.year <= made.year for row in plan.cash_flow)
        rows += [
            ["earnings times multiples", made.multiple_value_usd, f"end of {made.year}"],
            ["cash", made.cash_usd, f"end of {made.year}"],
            ["debt", -made.debt_usd, f"end of {made.year}"],
        ]
        discounted = f"SUM(B{first + 1}:B{first + 3})*(1+{rate!r})^(-{months}/{MONTHS_PER_YEAR})"
        rows.append(["discounted enterprise value", Formula(discounted), f"{months} months at {rate:.2%} a year"])
        worth = f"B{first + 4}+{NPV_WEIGHT_AMONG_EQUALS!r}*B{first}"
    if plan.cvar is not None and plan.cvar.cvar_weight_frac:
        weight = plan.cvar.cvar_weight_frac
        rows.append(["CVaR", plan.cvar.cvar_usd, f"counts {weight:g} times"])
        worth += f"+{weight!r}*B{first + len(rows) - 1}"
    if plan.hurdle is not None:
        price = plan.hurdle.cost_usd_per_change
        rows.append(["changes against the previous plan", plan.hurdle.change_count, f"each takes {price:,.0f} USD off"])
        worth += f"-{price!r}*B{first + len(rows) - 1}"
    rows.append(["objective", Formula(worth), plan.objective_told])
    objective = len(rows) - 1
    here = first + objective
    rows.append(["as the search states it", plan.termination.objective_usd, "to the tolerances of the solver"])
    rows.append(["check_usd", Formula(f"ROUND(B{here}-B{here + 1},2)"), "0, or below the tolerance of the audit"])
    heads = (Head("objective"), Head("usd", cell_format=CENTS), Head("what it is"))
    placed = place(npv.page, first - 1, heads, rows, "What the plan was chosen for", strong=(objective,))
    accepted = money_tolerance_usd(plan.termination.objective_usd or 0.0)
    told = "the NPV, and what else counts, make the objective"
    pages.checks.append(Check(told, "USD", placed.cell("usd", placed.last), accepted))
    return placed.last + 3
