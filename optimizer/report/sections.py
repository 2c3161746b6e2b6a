"""Sections of the page: title, content and charts, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optimizer.domain.plan import Plan
from optimizer.report import charts_money, charts_operations, tables
from optimizer.report.figure import Figure
from optimizer.report.formats import (
    count,
    escape,
    gap,
    listed,
    money,
    month,
    mw,
    number,
    percent,
    prose,
    seconds,
)
from optimizer.report.totals import LEAST_MW, USE_NAMES, USES, lowest_cash, owner_capex_usd, use_of_company
from optimizer.report.words import in_terms, own_constraints, proof, worth_usd


@dataclass(frozen=True, slots=True)
class Section:
    """One section."""

    slug: str
    title: str
    html: str
    figures: tuple[Figure, ...] = ()


def sections(plan: Plan) -> list[Section]:
    """What the page shows for ``plan``: without decisions only how the search ended and what it was given."""
    if not plan.termination.has_plan:
        return [_search(plan), _assumptions(plan), _manifest(plan)]
    parts = [
        _key_figures(plan),
        _power(plan),
        _contracts(plan),
        _fleet(plan),
        _cash(plan),
        _earnings(plan),
        _risk(plan),
        _audit(plan),
        _assumptions(plan),
        _manifest(plan),
    ]
    return [part for part in parts if part.html]


def figure_html(figure: Figure) -> str:
    """The place of a chart, with its words."""
    return (
        f'<figure id="figure-{figure.slug}"><h3>{escape(figure.title)}</h3>'
        f'<div class="chart" id="chart-{figure.slug}" role="img" aria-label="{escape(figure.alternative)}" '
        f'style="height:{figure.height_px}px"></div><figcaption>{escape(figure.caption)}</figcaption></figure>'
    )


def _charts(figures: Iterable[Figure | None]) -> tuple[str, tuple[Figure, ...]]:
    drawn = tuple(figure for figure in figures if figure is not None)
    return "\n".join(figure_html(figure) for figure in drawn), drawn


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{content}</details>" if content else ""


def _paragraph(text: str) -> str:
    return f"<p>{prose(text)}</p>" if text else ""


Card = tuple[str, str, str]
"""Name, value, and a remark."""


def key_figures(plan: Plan) -> list[Card]:
    """What a reader wants to know first."""
    return [card for card in (*_worth_cards(plan), *_company_cards(plan), *_proof_cards(plan)) if card is not None]


def _key_figures(plan: Plan) -> Section:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd{_card_class(name, value)}>{escape(value)}</dd>"
        + (f"<dd>{prose(remark)}</dd>" if remark else "")
        + "</div>"
        for name, value, remark in key_figures(plan)
    )
    return Section("key-figures", "Key figures", f'<dl class="key-figures">{items}</dl>')


def _card_class(name: str, value: str) -> str:
    if name != "Audit":
        return ""
    return ' class="passed"' if value == "passed" else ' class="failed"'


def _worth_cards(plan: Plan) -> list[Card | None]:
    worth, twin, spread = worth_usd(plan), plan.business_as_usual, plan.distribution
    against: Card | None = None
    if twin is not None and twin.difference_usd is not None and twin.npv_usd is not None:
        against = ("Against mining on", _signed(twin.difference_usd), f"mining on is worth {money(twin.npv_usd)}")
    elif twin is not None:
        against = ("Against mining on", "no comparison", twin.detail)
    error = f"standard error {money(spread.standard_error_usd)}" if spread is not None else ""
    tail: Card | None = None
    if spread is not None:
        share = percent(spread.tail_probability)
        told = f"edge (VaR) {money(spread.var_usd)}"
        if plan.cvar is not None and plan.cvar.minimum_cvar_usd is not None:
            told += f", floor {money(plan.cvar.minimum_cvar_usd)}"
        if plan.cvar is not None and plan.cvar.cvar_weight_frac:
            told += f", counts {number(plan.cvar.cvar_weight_frac)} times in the objective"
        tail = (f"Mean of the worst {share} (CVaR)", money(spread.cvar_usd), told)
    enterprise = plan.enterprise_value_usd
    return [
        ("Expected NPV", money(worth), error) if worth is not None else None,
        against,
        tail,
        ("Enterprise value", money(enterprise), "stated earnings multiples") if enterprise is not None else None,
        _objective_card(plan),
    ]


def _objective_card(plan: Plan) -> Card | None:
    made = plan.enterprise
    if made is None:
        return None
    told = (
        f"{money(made.value_usd)} at the end of {made.year}: earnings times multiples {money(made.multiple_value_usd)}"
    )
    told += f", cash {money(made.cash_usd)}, debt {money(made.debt_usd)}"
    return ("Objective: discounted enterprise value", money(made.discounted_usd), told)


def _signed(usd: float) -> str:
    return f"+{money(usd)}" if usd >= 0.5 else money(usd)


def _company_cards(plan: Plan) -> list[Card | None]:
    use, low = use_of_company(plan), lowest_cash(plan)
    critical = sum(item.critical_mw for item in plan.contracts)
    debt = max(plan.cash_flow, key=lambda row: row.debt_usd, default=None)
    blocks = sum(order.block_count for order in plan.decisions.gpu_orders)
    spent = owner_capex_usd(plan)
    return [
        (
            "Contracts",
            number(len(plan.contracts)),
            f"{mw(critical)} of critical IT" if plan.contracts else "none signed",
        ),
        ("Own GPUs", count(blocks, "block"), "to order") if blocks else None,
        ("Capital spent", money(spent), "builds, machines, GPUs, openings, works at sites; before debt")
        if plan.cash_flow
        else None,
        ("Lowest cash", money(low.cash_usd), f"end of {month(low.month)}") if low is not None else None,
        ("Most debt", money(debt.debt_usd), f"end of {month(debt.month)}")
        if debt is not None and debt.debt_usd
        else None,
        (
            "Hashrate at the end",
            number(use[-1].hashrate_eh_s, "EH/s", 2),
            f"{number(use[0].hashrate_eh_s, 'EH/s', 2)} in {month(use[0].month)}",
        )
        if use
        else None,
    ]


def _proof_cards(plan: Plan) -> list[Card | None]:
    end, audit = plan.termination, plan.audit
    bound: Card | None = None
    if end.bound_usd is not None:
        asked = percent(plan.manifest.options.gap_frac, 4)
        distance = f"gap {gap(end.gap_frac)}, asked for {asked}" if end.gap_frac is not None else "gap not known"
        bound = (f"No plan is worth more than{in_terms(plan)}", money(end.bound_usd), distance)
    if audit is None:
        return [bound, ("Audit", "missing", "no independent re-calculation")]
    failed, total = len(audit.failures), len(audit.checks)
    checked = f"{failed} of {count(total, 'check')}" if failed else count(total, "check")
    return [bound, ("Audit", "passed" if audit.passed else "FAILED", checked)]


def _power(plan: Plan) -> Section:
    company = charts_operations.capacity_of_company(plan)
    if company is None:
        return Section("power", "Use of power", "")
    sites, closed, left = charts_operations.drawn_sites(plan)
    first, drawn = _charts([company])
    rest, drawn_sites = _charts(charts_operations.capacity_of_sites(plan))
    summary = "MW by site, use and year as a table"
    remarks = []
    if closed:
        remarks.append(f"Without a grid connection throughout, so not drawn: {listed(closed)}.")
    if left:
        remarks.append(f"The {len(sites)} sites with the largest connections are drawn, {left} smaller ones are not.")
    if len(sites) + len(closed) == 1:
        return Section("power", "Use of power", first + _folded(summary, tables.use_by_year(sites)), drawn)
    used = [use for use in USES if any(row.of(use) >= LEAST_MW for rows in sites.values() for row in rows)]
    keys = "".join(
        f'<li><span class="key-{key}" aria-hidden="true"></span>{name}</li>'
        for key, name in (*((use, USE_NAMES[use]) for use in used), ("limit", "Grid limit"))
    )
    html = (
        f'{first}<h3>Site by site</h3><ul class="colour-key">{keys}</ul>'
        f'<div class="small-charts">{rest}</div>{_paragraph(" ".join(remarks))}'
        + _folded(summary, tables.use_by_year(sites))
    )
    return Section("power", "Use of power", html, (*drawn, *drawn_sites))


def _contracts(plan: Plan) -> Section:
    html, drawn = _charts([charts_operations.timeline(plan)])
    content = html + tables.contracts(plan) if plan.contracts else _paragraph("No contract is signed.")
    return Section("contracts", "Contracts", content + tables.other_decisions(plan), drawn)


def _fleet(plan: Plan) -> Section:
    machines = charts_operations.machines_by_year(plan)
    html, drawn = _charts([charts_operations.hashrate(plan), machines])
    moves = _folded("Moves by year, site and model as a table", tables.fleet(plan)) if machines is not None else ""
    moves = moves or _paragraph("No machine is bought, sold or moved.")
    energy = _folded("Energy and bitcoin by year as a table", tables.mining(plan))
    return Section("fleet", "Fleet", html + moves + energy, drawn)


def _cash(plan: Plan) -> Section:
    html, drawn = _charts([charts_money.cash_flow(plan), charts_money.cash_and_debt(plan)])
    table = _folded("Cash by year as a table", tables.cash_flow(plan)) if drawn else ""
    return Section("cash", "Cash", html + tables.stresses(plan) + table, drawn)


def _earnings(plan: Plan) -> Section:
    html, drawn = _charts([charts_money.earnings(plan)])
    table = _folded("Earnings as a table", tables.earnings(plan)) if drawn else ""
    table += _folded("Corporate tax as a table", tables.tax(plan))
    table += _folded("Carbon as a table", tables.carbon(plan))
    return Section("earnings", "Earnings", html + table, drawn)


def _risk(plan: Plan) -> Section:
    html, drawn = _charts(
        [charts_money.npv_by_line(plan), charts_money.npv_distribution(plan), charts_money.tail_drivers(plan)]
    )
    folded = _folded("NPV by line and by probability as tables", tables.npv_by_line(plan) + tables.quantiles(plan))
    folded += _folded("What drives the tail as a table", tables.tail_drivers(plan))
    return Section("risk", "Worth and risk", html + folded, drawn)


def _audit(plan: Plan) -> Section:
    report = plan.audit
    if report is None:
        return Section("audit", "Audit", _paragraph("This plan was not audited."))
    failed = len(report.failures)
    verdict = (
        f'<p class="failed">{failed} of {count(len(report.checks), "check")} FAILED.</p>'
        if failed
        else f'<p class="passed">All {count(len(report.checks), "check")} passed.</p>'
    )
    what = (
        "MW, machines, contracts, cash and the objective were calculated again from the portfolio and the decisions "
        "alone, by code that shares nothing with the model that found them."
    )
    told = verdict + _paragraph(what) + (_paragraph(own_constraints(plan)) if report.not_audited else "")
    return Section("audit", "Audit", told + _paragraph(proof(plan)) + tables.audit(report))


def _search(plan: Plan) -> Section:
    end = plan.termination
    facts = [("Result", end.reason.value), ("Limit reached", end.limit.value), ("Detail", end.detail or "none given")]
    if end.bound_usd is not None:
        facts.append(("Bound: no plan is worth more than", money(end.bound_usd)))
    facts.append(("Nodes searched", f"{end.node_count:,d}"))
    return Section("search", "How the search ended", _facts(facts))


def _assumptions(plan: Plan) -> Section:
    return Section("assumptions", "Assumptions filled in", tables.assumptions(plan))


def _manifest(plan: Plan) -> Section:
    return Section("manifest", "How this was made", _facts(manifest_facts(plan)))


def manifest_facts(plan: Plan) -> list[tuple[str, str]]:
    """What reproduces the plan, by name."""
    manifest, options, end = plan.manifest, plan.manifest.options, plan.termination
    facts = [
        ("Portfolio", manifest.portfolio_name),
        ("SHA-256 of the portfolio", manifest.portfolio_sha256),
        ("Versions", ", ".join(f"{item.component} {item.version}" for item in manifest.versions)),
        (
            "Options",
            f"time limit {seconds(options.time_limit_s)}, gap {percent(options.gap_frac, 4)}, "
            f"{count(options.threads, 'thread')}, seed {options.seed}",
        ),
        ("Termination", f"{end.reason.value}, limit {end.limit.value}, {count(end.node_count, 'node')}"),
    ]
    size = manifest.model_size
    if size is not None:
        parts = {"rows": size.rows, "columns": size.columns, "integers": size.integers, "nonzeros": size.nonzeros}
        facts.append(("Model", ", ".join(f"{total:,d} {name}" for name, total in parts.items())))
    if manifest.own_constraints:
        told = [f"{item.name} ({count(item.row_count, 'row')})" for item in manifest.own_constraints]
        facts.append(("Own constraints", ", ".join(told)))
    if manifest.reused_from:
        facts.append(("Answer of", manifest.reused_from))
    if manifest.timings:
        facts.append(("Wall time", ", ".join(f"{item.stage} {seconds(item.seconds)}" for item in manifest.timings)))
    return facts


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f'<dl class="facts">{items}</dl>'
