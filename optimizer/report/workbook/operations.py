"""Sheets of what is done: contracts and other decisions, MW by month and use, machines."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from optimizer.domain.outcome import CapacityRow
from optimizer.report.totals import LEAST_MACHINES, LEAST_MW, USES, Use, use_of_company
from optimizer.report.workbook import charts
from optimizer.report.workbook.cells import Check, Formula, Head, Pages, heads_of, letters_of, place, place_all

MOVES: Final = ("bought_count", "sold_count", "moved_out_count", "moved_in_count")


def add_operations(pages: Pages) -> None:
    """The sheets of what is done."""
    _contracts(pages)
    if pages.plan.capacity:
        _power(pages)
        _sites(pages)
    _fleet(pages)
    if pages.plan.mining:
        page = pages.add("mining", "Mining by site and month: expected energy, bitcoin and revenue")
        place_all(page, 3, pages.plan.mining)
        page.freeze_panes = "C4"


def _contracts(pages: Pages) -> None:
    plan, page = pages.plan, pages.add("contracts", "What to sign, order, open and build")
    below = place_all(page, 4, plan.contracts, "Contracts") if plan.contracts else 4
    decisions = plan.decisions
    todo = [
        *((item.site, item.order_month, item.told) for item in decisions.gpu_orders),
        *((item.site, item.month, item.told) for item in decisions.site_openings),
        *((item.site, item.month, item.told) for item in plan.works),
    ]
    if todo:
        place(page, below, (Head("site"), Head("month"), Head("what")), sorted(todo, key=lambda row: row[1]), "Others")
    elif not plan.contracts:
        page["A3"] = "Sign nothing and mine on."


def _power(pages: Pages) -> None:
    """All sites together."""
    page = pages.add("power", "MW at the meter by month and use, all sites together")
    use = use_of_company(pages.plan)
    heads = [Head(item.name) for item in fields(Use)]
    placed = place(page, 3, heads, [[getattr(row, head.name) for head in heads] for row in use])
    page.freeze_panes = "B4"
    used = {f"{name}_mw": name for name in USES if max(row.of(name) for row in use) >= LEAST_MW}
    pages.charts.append(charts.use(placed, used))


def _sites(pages: Pages) -> None:
    """Every site; uses and what is idle make the import limit."""
    page = pages.add("sites", "MW at the meter by site, month and use")
    heads = heads_of(CapacityRow)
    at = letters_of(heads)
    uses = [at[f"{name}_mw"] for name in USES]
    check = Head("check_mw", "Import limit less all uses: 0.", "0.000000")
    rows = [
        [
            *(getattr(row, head.name) for head in heads),
            Formula(f"ROUND({'-'.join(f'{letter}{here}' for letter in (at['grid_mw'], *uses))},6)"),
        ]
        for here, row in enumerate(pages.plan.capacity, start=4)
    ]
    placed = place(page, 3, [*heads, check], rows)
    page.freeze_panes = "C4"
    pages.checks.append(Check("uses make the import limit, every site and month", "MW", placed.range("check_mw")))


def _fleet(pages: Pages) -> None:
    page = pages.add("fleet", "Machines bought, sold and moved by site, model and period")
    moves = [
        item for item in pages.plan.decisions.machines if any(getattr(item, name) >= LEAST_MACHINES for name in MOVES)
    ]
    if not moves:
        page["A3"] = "No machine is bought, sold or moved."
        return
    moves.sort(key=lambda item: (item.month, item.site, item.asic_model))
    place_all(page, 3, moves)
    page.freeze_panes = "A4"
