"""The sheet of what would change the answer: what was asked about a plan, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from optimizer.domain.sweep import Sweep, SweepPoint
from optimizer.io.answers import Answers
from optimizer.report.answers import (
    CERTAIN,
    asked_of_another,
    changes_told,
    loss_told,
    placement_told,
    terms_of,
)
from optimizer.report.workbook.cells import STRONG, Head, Pages, place


class Table(NamedTuple):
    """What stands below its words."""

    told: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Any]]


def add_answers(pages: Pages, answers: Answers | None) -> None:
    """A sheet for the answers, if there are any."""
    tables = [] if answers is None else [table for table in _tables(pages, answers) if table.rows]
    if not tables:
        return
    page, below = pages.add("answers", "What would change the answer, as it was asked about this plan"), 4
    for table in tables:
        page.cell(below - 1, 1, table.told).font = STRONG
        below = place(page, below, table.heads, table.rows).last + 3


def _tables(pages: Pages, answers: Answers) -> Iterator[Table]:
    for terms in answers.break_evens:
        rows = [[item.offer, item.signed, item.told, CERTAIN[item.certainty]] for item in terms_of(terms)]
        heads = _heads("offer", "signed", "what_would_change_that", "as_stated")
        yield Table(_told("Terms that would change the contracts", pages, terms.objective_usd), heads, rows)
    whys = [[placement_told(item), item.signed, item.told, loss_told(item)] for item in answers.explanations]
    yield Table("Why this, why not that", _heads("placement", "signed", "why", "what_the_other_way_loses"), whys)
    for scarce in answers.one_more:
        more = [[item.what, item.unit, item.told, item.price_usd] for item in scarce.values]
        heads = _heads("one_more", "unit", "what_it_is_worth", "price_usd")
        yield Table(_told("Value of one more", pages, scarce.objective_usd), heads, more)
    for others in answers.alternatives:
        plans = [
            [str(number), item.audit_passed, item.told, changes_told(item), item.npv_usd, item.costs_usd]
            for number, item in enumerate(others.plans, start=1)
        ]
        heads = _heads("plan", "audit_passed", "what_is_proven", "what_it_does_otherwise", "npv_usd", "costs_usd")
        yield Table(_told("Other plans that are nearly as good", pages, others.best_objective_usd), heads, plans)
    for sweep in answers.sweeps:
        yield from _sweep(sweep)


def _heads(*names: str) -> list[Head]:
    return [Head(name) for name in names]


def _told(title: str, pages: Pages, objective_usd: float | None) -> str:
    remark = asked_of_another(pages.plan, objective_usd)
    return f"{title}. {remark}" if remark else title


def _sweep(answer: Sweep) -> Iterator[Table]:
    bars = [
        [bar.path, bar.least_factor, bar.difference.told, bar.most_factor, bar.npv_at_least_usd, bar.npv_at_most_usd]
        for bar in answer.tornado
    ]
    ends = ("from_factor", "moves_the_worth_by", "to_factor", "npv_at_first_usd", "npv_at_last_usd")
    yield Table("What each assumption does alone", _heads("assumption", *ends), bars)
    switches = [
        [item.offer, item.path, item.told, item.low_factor, item.high_factor] for item in answer.switching_points
    ]
    places = _heads("offer", "assumption", "where_it_changes", "low_factor", "high_factor")
    yield Table("Where contracts change", places, switches)
    points = [
        [_factors(point), point.reason.value, *map(", ".join, (point.signed, point.proven_signed)), point.npv_usd]
        for point in (*answer.points, *answer.between)
    ]
    heads = _heads("factors", "reason", "signed", "signed_by_every_best_plan", "npv_usd")
    yield Table("Plans under other assumptions", heads, points)


def _factors(point: SweepPoint) -> str:
    return ", ".join(f"{item.path} x {item.factor:.4g}" for item in point.factors)
