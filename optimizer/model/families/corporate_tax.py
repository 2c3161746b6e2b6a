r"""Corporate tax on expected income, by calendar year.

.. math::
   \mathrm{profit}_y - \mathrm{loss}_y &= \mathrm{income}_y - \mathrm{written\ off}_y \qquad
   L_y = L_{y-1} + \mathrm{loss}_y - \mathrm{used}_y \\
   \mathrm{used}_y &\le \sigma\,\mathrm{profit}_y \qquad \mathrm{used}_y \le L_{y-1} \qquad
   \mathrm{tax}_y = \tau\,(\mathrm{profit}_y - \mathrm{used}_y)

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`\mathrm{income}_y`               million USD  cash of the year without capex and debt; interest and fees where they are deductible
:math:`\mathrm{written\ off}_y`         million USD  capex written off in the year
:math:`\mathrm{used}_y`                 million USD  losses carried forward that offset the profit
:math:`L_y`                             million USD  losses carried forward at the end of the year; opening losses before the first
:math:`\sigma`                          1            most of a profit that losses may offset
:math:`\tau`                            1            tax rate
======================================  ===========  =====================================================

Tax is paid in the last month of the year, or of the horizon. Later tax is discounted more, so losses are used as soon as they can
be, and a profit is never blown up by a loss beside it.

Dual of ``taxable_profit_or_loss``: NPV of a dollar of deduction in that year.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from optimizer.domain.finance import CorporateTax
from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import post_cash
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import COMPANY, Program, Triplets, VariableBlock
from optimizer.units import MONTHS_PER_YEAR, USD_PER_MUSD

WRITTEN_OFF_AS: Final = {
    "sign": "hosting",
    "critical_mw": "hosting",
    "re_leased_mw": "hosting",
    "bought_machines": "machine",
    "gpu_blocks": "gpu",
    "refreshed_gpu_blocks": "gpu",
}
"""Class of the capex of each kind of variable; all other is that of sites: ``opening``."""


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    tax = problem.portfolio.finance.tax
    years = problem.tax_years if tax is not None else ()
    profit, loss, used, left = (
        program.add_variables(f"{name}_musd", years, site=COMPANY)
        for name in ("taxable_profit", "taxable_loss", "losses_used", "losses_left")
    )
    rows = np.arange(len(years))
    balance, offset, stock, carried = Triplets(), Triplets(), Triplets(), Triplets()
    opening = np.zeros(len(years))
    if tax is not None:
        _pay(program, problem, tax, profit, used)
        balance.add(rows, profit.columns, 1.0)
        balance.add(rows, loss.columns, -1.0)
        row, column, coefficient = program.ledger["income_musd"].terms.arrays()
        balance.add(row, column, -coefficient)
        _deduct_capex(program, problem, tax, balance)
        offset.add(rows, used.columns, 1.0)
        offset.add(rows, profit.columns, -tax.loss_income_share_frac)
        stock.add(rows, used.columns, 1.0)
        stock.add(rows[1:], left.columns[:-1], -1.0)
        carried.add(rows, left.columns, 1.0)
        carried.add(rows[1:], left.columns[:-1], -1.0)
        carried.add(rows, used.columns, 1.0)
        carried.add(rows, loss.columns, -1.0)
        opening[0] = tax.opening_losses_usd / USD_PER_MUSD
    known = program.close("income_musd").constant[: len(years)]
    program.add_rows("taxable_profit_or_loss", years, balance, lower=known, upper=known)
    program.add_rows("losses_used_within_profit", years, offset, upper=0.0)
    program.add_rows("losses_used_within_losses", years, stock, upper=opening)
    program.add_rows("losses_carried_forward", years, carried, lower=opening, upper=opening)


def _pay(
    program: Program, problem: PlanningProblem, tax: CorporateTax, profit: VariableBlock, used: VariableBlock
) -> None:
    """Tax is paid in the last month of the year; it does not lower the income of any."""
    last = _last_months(problem)
    paid = np.zeros((len(last), problem.calendar.month_count))
    paid[np.arange(len(last)), last] = tax.rate_frac
    nothing = np.zeros(paid.shape)
    post_cash(program, problem, "corporate", profit.columns, -paid, nothing)
    post_cash(program, problem, "corporate", used.columns, paid, nothing)


def _last_months(problem: PlanningProblem) -> Ints:
    """Last month of each calendar year in the horizon, ``[Y]``."""
    years = np.arange(len(problem.tax_years))
    return np.asarray(np.searchsorted(problem.tax_year, years, side="right") - 1)


def _deduct_capex(program: Program, problem: PlanningProblem, tax: CorporateTax, balance: Triplets) -> None:
    """Capex is in the income as cash: take it out again, and deduct what is written off of it."""
    month, column, coefficient = program.close("capex_musd").terms.arrays()
    kind = np.full(program.column_count, "opening", dtype=object)
    for name, item in WRITTEN_OFF_AS.items():
        kind[program.variables[name].columns] = item
    for item in sorted({"opening", *WRITTEN_OFF_AS.values()}):
        added = kind[column] == item
        spent, columns, amount = month[added], column[added], coefficient[added]
        balance.add(problem.tax_year[spent], columns, -amount)
        written_off = problem.year_sum(_written_off(tax, item, problem.calendar.month_count))
        for year in range(len(problem.tax_years)):
            balance.add(year, columns, written_off[spent, year] * amount)


def _written_off(tax: CorporateTax, kind: str, month_count: int) -> Floats:
    """Share of a dollar spent in month *t* that is written off in month *u*, ``[T, T]``."""
    months = MONTHS_PER_YEAR * getattr(tax, f"{kind}_write_off_years")
    age = np.arange(month_count)[None, :] - np.arange(month_count)[:, None]
    straight = (age >= 0) & (age < months)
    return np.asarray(straight * (1.0 - tax.bonus_share_frac) / months + (age == 0) * tax.bonus_share_frac)


CORPORATE_TAX = ConstraintFamily(
    "corporate_tax",
    (
        "sign", "critical_mw", "re_leased_mw", "debt_musd", "gpu_blocks", "refreshed_gpu_blocks", "bought_machines",
        "running_machines", "open_site",
    ),
    (
        "taxable_profit_musd", "taxable_loss_musd", "losses_used_musd", "losses_left_musd",
        "taxable_profit_or_loss", "losses_used_within_profit", "losses_used_within_losses", "losses_carried_forward",
    ),
    build,
)  # fmt: skip
