"""Constraints of the user's own, in Pyomo, on top of the formulation.

An own constraint is a function of an :class:`OwnModel`. It puts ordinary Pyomo constraints, and variables where it
needs them, on :attr:`OwnModel.block`; they become rows and columns like all others, for every solver and every solve::

    def one_large_lease(own):
        large = [own.total("sign", offer=item.name) for item in own.portfolio.offers if item.maximum_mw > 50.0]
        own.block.at_most_one = pyo.Constraint(expr=sum(large) <= 1)

The objective stays what it is, so that the audit can tie it; the audit does not know own constraints.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression
from pyomo.repn import generate_standard_repn

from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import OwnConstraint
from optimizer.errors import InvalidInputError, did_you_mean
from optimizer.model.calendar import EARNINGS, LINES
from optimizer.model.posting import period_keys, site_period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets

WHAT: Final = "own constraints"
PLACED = ("offer", "site", "month")
BY_SITE = ("site", "month")
STANDING = ("site", "asic_model", "condition_frac", "month")
PARTS: Final[dict[str, tuple[str, ...]]] = {
    "sign": PLACED,
    "critical_mw": PLACED,
    "debt_musd": PLACED,
    "reconverted_mw": PLACED,
    "re_leased_mw": PLACED,
    "open_site": ("site", "month"),
    "advance_step": ("site", "step_month", "advance_months"),
    "added_hall_mw": ("site", "month"),
    "build_building": ("site", "building", "month"),
    "gpu_blocks": ("gpu_option", "site", "month"),
    "refreshed_gpu_blocks": ("gpu_option", "site", "month"),
    "scaled_blocks": ("gpu_option", "site", "month", "from_block"),
    "scaled_refreshed_blocks": ("gpu_option", "site", "month", "from_block"),
    "kept_gpu_blocks": ("gpu_option", "site", "month"),
    "changed_gpu_blocks": ("gpu_option",),
    "kept_refreshed_blocks": ("gpu_option", "site", "month"),
    "changed_refreshed_blocks": ("gpu_option",),
    "running_machines": ("site", "asic_model", "condition_frac", "mode", "month"),
    "stock_machines": STANDING,
    "bought_machines": STANDING,
    "sold_machines": STANDING,
    "moved_out_machines": STANDING,
    "moved_in_machines": STANDING,
    "cash_musd": ("month",),
    "stress_cash_musd": ("stress", "month"),
    "sold_mw": BY_SITE,
    "taxable_profit_musd": ("year",),
    "taxable_loss_musd": ("year",),
    "losses_used_musd": ("year",),
    "losses_left_musd": ("year",),
    "cvar_shortfall_musd": ("company",),
    "contract_change_count": ("company",),
}
"""What the parts of the key of each variable are; in that order. Machines are counted in thousands."""
ACCOUNT_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "npv_musd": ("line",),
    "cash_musd": ("month",),
    "capex_musd": ("month",),
    "debt_musd": ("month",),
    "income_musd": ("year",),
    "earnings_musd": ("line",),
    "enterprise_musd": ("year",),
    "risk_musd": ("company",),
    "hurdle_musd": ("company",),
    "power_mw": BY_SITE,
    "grid_mw": BY_SITE,
    "halls_mw": BY_SITE,
    "hall_limit_mw": BY_SITE,
    "space_mw": BY_SITE,
    "building_mw": BY_SITE,
    "hashrate_eh_s": BY_SITE,
}
"""The same for the rows of each account."""
STATABLE: Final = (pyo.Var, pyo.Constraint, pyo.Expression, pyo.Param, pyo.Set, pyo.RangeSet, pyo.Block)
"""Pyomo components that a block may hold; a sort of constraint that is not here could not be told to every solver."""


class OwnModel:
    """What an own constraint is stated with: the variables and totals of the program by planner's words."""

    def __init__(self, program: Program, problem: PlanningProblem, block: Any) -> None:
        self.portfolio: Portfolio = problem.portfolio
        """What the planner stated."""
        self.block: Any = block
        """A Pyomo block of the program's model, for constraints and variables of one's own."""
        self.months: tuple[str, ...] = tuple(period_keys(problem))
        """First month of each period, as ``2027-01``: the months of operating decisions."""
        self._program, self._problem = program, problem

    def variables(self, name: str, **where: object) -> dict[tuple[Any, ...], Any]:
        """Pyomo variables of a block by their keys: all of it, or those whose key has the parts named.

        >>> own.variables("sign", offer="northern-cloud", month="2027-01")  # doctest: +SKIP
        {('northern-cloud', 'Pecos', '2027-01'): <...>}

        Names and parts are in :data:`PARTS`; months are ``2027-01`` or dates, those of operating decisions the first of
        their period. Machines are in thousands, money in million USD.

        Raises:
            InvalidInputError: for a name, a part or a word that does not exist.
        """
        block = self._program.variables[_known("variable", name, self._program.variables)]
        keys = [key if isinstance(key, tuple) else (key,) for key in block.keys]
        kept = self._matching(name, PARTS[name], keys, where)
        component = block.component if kept else {}
        return {keys[position]: component[position] for position in kept}

    def total(self, name: str, **where: object) -> Any:
        """The sum of :meth:`variables` as a linear expression; 0 where there is none."""
        found = [*self.variables(name, **where).values()]
        return LinearExpression(constant=0, linear_coefs=[1.0] * len(found), linear_vars=found)

    def account(self, name: str, **where: object) -> Any:
        """A shared total of the ledger as a linear expression, summed over the rows named, as ``power_mw`` at a site.

        Accounts and their parts are in :data:`ACCOUNT_PARTS`; ``cash_musd`` is the flow of a period, the variable of
        that name the balance at its end.

        Raises:
            InvalidInputError: for a name, a part or a word that does not exist.
        """
        book, keys = self._program.ledger[_known("account", name, ACCOUNT_PARTS)], self._account_keys(name)
        kept = self._matching(name, ACCOUNT_PARTS[name], keys, where)
        row, column, coefficient = book.terms.arrays()
        inside = np.isin(row, kept)
        amount = np.bincount(column[inside], coefficient[inside], minlength=self._program.column_count)
        used = np.flatnonzero(amount)
        data = self._program.variable_data(used)
        return LinearExpression(
            constant=float(book.constant[kept].sum()), linear_coefs=amount[used].tolist(), linear_vars=data
        )

    def _account_keys(self, name: str) -> list[tuple[Any, ...]]:
        if name == "npv_musd":
            return [(line,) for line in LINES]
        if name == "capex_musd":
            return [(month,) for month in self._problem.month_keys]
        if name == "earnings_musd":
            return [(line,) for line in EARNINGS]
        if name == "enterprise_musd":
            multiples = self.portfolio.finance.multiples
            return [(str(multiples.year) if multiples is not None else "",)]
        if name in ("risk_musd", "hurdle_musd"):
            return [("company",)]
        if name == "income_musd":
            return [(year,) for year in self._problem.tax_years]
        if ACCOUNT_PARTS[name] == BY_SITE:
            return [*site_period_keys(self._problem)]
        return [(month,) for month in self.months]

    def _matching(
        self, name: str, parts: tuple[str, ...], keys: Sequence[tuple[Any, ...]], where: dict[str, object]
    ) -> list[int]:
        """Positions of the keys that have all the words; one that neither keys nor portfolio know is refused."""
        asked: dict[int, object] = {}
        for part, word in where.items():
            position = parts.index(_known(f"part of the key of {name}", part, parts))
            asked[position] = f"{word:%Y-%m}" if isinstance(word, dt.date) else word
        for position, word in asked.items():
            known = {key[position] for key in keys} | self._words(parts[position])
            if word not in known:
                _known(parts[position], str(word), [str(item) for item in sorted(known, key=str)])
        return [
            place for place, key in enumerate(keys) if all(key[position] == word for position, word in asked.items())
        ]

    def _words(self, part: str) -> set[object]:
        """What the portfolio knows for a part of a key, whether or not a decision is possible there."""
        portfolio = self.portfolio
        named: dict[str, Iterable[object]] = {
            "offer": portfolio.offers_by_name,
            "site": portfolio.site_index,
            "gpu_option": portfolio.gpu_options_by_name,
            "asic_model": portfolio.asic_models_by_name,
            "month": self._problem.month_keys,
            "year": self._problem.tax_years,
            "stress": [stress.name for stress in portfolio.finance.stresses],
        }
        return set(named.get(part, ()))


OwnRule = Callable[[OwnModel], object]
"""An own constraint: puts Pyomo components on the block of the model it is given. Called once for each program."""


def state_own(program: Program, problem: PlanningProblem, rules: Sequence[OwnRule]) -> tuple[OwnConstraint, ...]:
    """Add the own constraints to an assembled program; what each of them came to.

    Raises:
        InvalidInputError: naming the own constraint that is not linear, uses a variable of another model, or holds what
            is neither a variable nor a constraint.
    """
    told: list[OwnConstraint] = []
    for name, rule in zip(_names(rules), rules, strict=True):
        block = pyo.Block(concrete=True)
        program.pyomo.add_component(f"own_{name}", block)
        rule(OwnModel(program, problem, block))
        _refuse_others(program, name, block)
        _add_variables(program, name, block)
        told.append(OwnConstraint(name=name, row_count=_add_rows(program, name, block)))
    return tuple(told)


def _names(rules: Sequence[OwnRule]) -> list[str]:
    """Names of the functions, numbered where two share one."""
    names: list[str] = []
    for rule in rules:
        plain = re.sub(r"\W+", "", getattr(rule, "__name__", type(rule).__name__))
        count = sum(re.sub(r"_\d+$", "", name) == plain for name in names)
        names.append(f"{plain}_{count + 1}" if count else plain)
    return names


def _refuse_others(program: Program, name: str, block: Any) -> None:
    """Objectives, sets of other sorts, and bounds of the program's own variables that were changed."""
    for component in block.component_objects(active=True):
        if component.ctype not in STATABLE:
            fix = "state variables and linear constraints only; the objective is the expected NPV"
            raise _wrong(name, component, f"is of type {component.ctype.__name__}", fix)
    for stated in program.variables.values():
        if stated.declared is None and program.pyomo.component(stated.name) is not None:
            for position, variable in stated.component.items():
                low, high = variable.bounds
                given = (-np.inf if low is None else low, np.inf if high is None else high)
                if variable.fixed or given != (stated.lower[position], stated.upper[position]):
                    raise _wrong(name, variable, "is fixed, or has its bounds changed", "state a constraint instead")


def _add_variables(program: Program, name: str, block: Any) -> None:
    for component in block.component_objects(pyo.Var):
        if component.is_reference():
            continue
        items = [*component.values()]
        kinds = {item.is_integer() for item in items}
        if len(kinds) > 1 or not all(item.is_integer() or item.is_continuous() for item in items):
            raise _wrong(name, component, "has variables of several kinds", "declare whole and continuous ones apart")
        bounds = [(item.value, item.value) if item.fixed else item.bounds for item in items]
        program.add_variables(
            f"own.{name}.{component.local_name}",
            [() if key is None else key for key in component],
            [-np.inf if low is None else low for low, _ in bounds],
            [np.inf if high is None else high for _, high in bounds],
            integer=kinds == {True},
            declared=dict(enumerate(items)),
        )


def _add_rows(program: Program, name: str, block: Any) -> int:
    """Compile the constraints; how many there are, those left out that hold whatever is decided."""
    column_of, count = program.columns_by_variable(), 0
    for component in block.component_objects(pyo.Constraint, active=True):
        items = {() if key is None else key: item for key, item in component.items() if item.active}
        terms, limits = Triplets(), np.zeros((len(items), 2))
        for row, item in enumerate(items.values()):
            form = generate_standard_repn(item.body, compute_values=True, quadratic=False)
            if not form.is_linear():
                raise _wrong(name, item, "is not linear", "no products or powers of variables can be in a program")
            for variable in form.linear_vars:
                if id(variable) not in column_of:
                    raise _wrong(name, item, f"uses {variable.name}, which is not of this program", "use own.variables")
            terms.add(row, [column_of[id(variable)] for variable in form.linear_vars], form.linear_coefs)
            low, high = pyo.value(item.lower), pyo.value(item.upper)
            limits[row] = -np.inf if low is None else low, np.inf if high is None else high
            limits[row] -= form.constant
        rows = program.add_rows(
            f"own.{name}.{component.local_name}", [*items], terms, limits[:, 0], limits[:, 1], stated=True
        )
        for key in {*items} - {*rows.keys}:
            items[key].deactivate()  # other solvers do not take a row without terms
        count += len(rows.keys)
    return count


def _wrong(name: str, component: Any, message: str, fix: str) -> InvalidInputError:
    return InvalidInputError.single(f"{name}.{component.local_name}", message, fix, WHAT)


def _known(kind: str, name: str, known: Iterable[str]) -> str:
    known = [*known]
    if name not in known:
        raise InvalidInputError.single(
            "", f"no {kind} is named {name!r}", did_you_mean(name, known).removeprefix("; "), WHAT
        )
    return name
