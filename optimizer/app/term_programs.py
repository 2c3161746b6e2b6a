"""The program of a portfolio with offers on other terms, always in the same places; for break-evens.

What a term changes is in the columns of its offer, but not always in the same of them: where rent carries no debt there
is none to decide, and a contract that is built late can be signed in fewer months. So everything is written in the
places of one program in which every offer is at its dearest, and built at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.app.break_even_questions import DEAREST, scale_of, with_term
from optimizer.curves.futures import Futures
from optimizer.domain.base import validated
from optimizer.domain.break_evens import ContractTerm
from optimizer.domain.offer import Offer
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program

OF_CONTRACTS = ("sign", "critical_mw", "debt_musd")
"""Variables that a term changes; their keys begin with the offer."""


class TermPrograms:
    """All programs in which one term of some offers is not as stated."""

    def __init__(self, portfolio: Portfolio, futures: Futures, term: ContractTerm) -> None:
        self._portfolio, self._futures, self._term = portfolio, futures, term
        dearest = [with_term(offer, ContractTerm.PRICE, DEAREST) for offer in portfolio.offers]
        if term is ContractTerm.DELAY:
            dearest = [with_term(offer, term, scale_of(term, offer, portfolio).most) for offer in dearest]
        self.wide = self._of(dearest)
        """The program that has the places."""
        self._matrix = self.wide.compile()
        self._row_of, self._column_of = _places(self.wide.rows), _places(self.wide.variables)
        self.offer_of_column = self._by_offer()
        """The offer that each column is of; -1 for all others."""
        self.base = self._matrix
        """All offers as stated."""
        self.base = self.at({})

    def _of(self, offers: Iterable[Offer]) -> Program:
        fields = {name: getattr(self._portfolio, name) for name in self._portfolio.model_fields_set}
        portfolio = validated(Portfolio, {**fields, "offers": tuple(offers)}, "break-evens")
        futures = Futures.of(portfolio) if self._term is ContractTerm.HAZARD else self._futures
        return assemble(PlanningProblem.of(portfolio, futures), FORMULATION)

    def _by_offer(self) -> Ints:
        place = {offer.name: i for i, offer in enumerate(self._portfolio.offers)}
        found = np.full(self.wide.column_count, -1)
        for name in OF_CONTRACTS:
            block = self.wide.variables[name]
            found[block.columns] = [place[key[0]] for key in block.keys]  # type: ignore[index]
        return found

    def at(self, numbers: Mapping[int, float]) -> Matrix:
        """The program with these offers on other terms: what they do not allow is zero, and its rows are empty."""
        program = self._of(self._on_terms(numbers))
        matrix = program.compile()
        self._make_room(program, matrix)
        columns = np.array([self._column_of[item] for item in _items(program.variables)])
        rows = np.array([self._row_of[item] for item in _items(program.rows)])
        cost, upper = np.zeros_like(self._matrix.cost), np.zeros_like(self._matrix.column_upper)
        cost[columns], upper[columns] = matrix.cost, matrix.column_upper
        return _by_rows(
            replace(self._matrix, constant=matrix.constant, cost=cost, column_upper=upper),
            rows[_row_of_each(matrix)],
            columns[matrix.index],
            matrix.value,
        )

    def _on_terms(self, numbers: Mapping[int, float]) -> list[Offer]:
        """The offers; a hazard is that of the tenant, so all its offers have it here."""
        offers = list(self._portfolio.offers)
        for i, number in numbers.items():
            alike = [i]
            if self._term is ContractTerm.HAZARD:
                alike = [k for k, offer in enumerate(offers) if offer.tenant == offers[i].tenant]
            for k in alike:
                offers[k] = with_term(offers[k], self._term, number)
        return offers

    def _make_room(self, program: Program, matrix: Matrix) -> None:
        """Add rows that only this program has, as those of months in which nothing else is built."""
        new = [(i, item) for i, item in enumerate(_items(program.rows)) if item not in self._row_of]
        if not new:
            return
        at = [i for i, _ in new]
        self._row_of |= {item: len(self._row_of) + i for i, (_, item) in enumerate(new)}
        self._matrix, self.base = (
            replace(
                narrow,
                row_lower=np.append(narrow.row_lower, matrix.row_lower[at]),
                row_upper=np.append(narrow.row_upper, matrix.row_upper[at]),
                start=np.append(narrow.start, np.full(len(at), narrow.start[-1])).astype(np.int32),
            )
            for narrow in (self._matrix, self.base)
        )

    def own(self, joint: Matrix, offer: int) -> Matrix:
        """The program in which only this offer is on its term of a joint one; coefficients may vanish or appear."""
        base, own = self.base, self.offer_of_column == offer
        parts = [(base, ~own[base.index]), (joint, own[joint.index])]
        row = np.concatenate([_row_of_each(part)[at] for part, at in parts])
        changed = replace(
            base,
            cost=np.where(own, joint.cost, base.cost),
            column_upper=np.where(own, joint.column_upper, base.column_upper),
        )
        index, value = (np.concatenate([getattr(part, of)[at] for part, at in parts]) for of in ("index", "value"))
        return _by_rows(changed, row, index, value)


def _items(blocks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and key of everything in blocks, in order."""
    return ((name, key) for name, block in blocks.items() for key in block.keys)


def _places(blocks: Mapping[str, Any]) -> dict[tuple[str, Any], int]:
    return {item: i for i, item in enumerate(_items(blocks))}


def _row_of_each(matrix: Matrix) -> Ints:
    """The row of every coefficient."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.start))


def _by_rows(matrix: Matrix, row: Ints, index: Ints, value: Floats) -> Matrix:
    """A program with these coefficients."""
    order = np.lexsort((index, row))
    start = np.searchsorted(row[order], np.arange(matrix.shape[0] + 1)).astype(np.int32)
    return replace(matrix, start=start, index=index[order].astype(np.int32), value=value[order])
