"""A plan as text: proof, contracts with dates, MW by use, key figures, audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from optimizer.domain.outcome import NORMAL_95, ContractOutcome
from optimizer.domain.plan import NPV, Plan
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.units import MWH_PER_GWH, USD_PER_MUSD

USES = ("mining_mw", "hosting_mw", "gpu_mw", "sold_mw", "idle_mw")
REASONS = {
    TerminationReason.OPTIMAL: "proven within the gap asked for",
    TerminationReason.FEASIBLE: "a plan, stopped before the gap asked for",
    TerminationReason.INFEASIBLE: "infeasible: no plan satisfies all statements",
    TerminationReason.UNBOUNDED: "unbounded: something is missing from the statements",
    TerminationReason.NO_PLAN_FOUND: "no plan found before the limit; there may be one",
    TerminationReason.STATED: "stated, nothing was searched for",
}
LIMITS = {Limit.NONE: "", Limit.TIME: " (time limit)", Limit.INTERRUPTED: " (interrupted)"}


WIDE = 110
"""Columns of a terminal from which on all of a contract is shown."""
CONTRACT_COLUMNS: tuple[tuple[str, Callable[[ContractOutcome], str]], ...] = (
    ("offer", lambda item: item.offer),
    ("site", lambda item: item.site),
    ("MW", lambda item: f"{item.critical_mw:,.1f}"),
    ("sign", lambda item: f"{item.sign_month:%Y-%m}"),
    ("build", lambda item: f"{item.build_start_month:%Y-%m}"),
    ("energize", lambda item: f"{item.energize_month:%Y-%m}"),
    ("full", lambda item: f"{item.full_energize_month:%Y-%m}"),
    ("end", lambda item: f"{item.end_month:%Y-%m}"),
    ("capex M$", lambda item: f"{item.owner_capex_usd / USD_PER_MUSD:,.1f}"),
    ("debt M$", lambda item: f"{item.debt_usd / USD_PER_MUSD:,.1f}"),
    ("NPV M$", lambda item: f"{item.npv_usd / USD_PER_MUSD:,.1f}"),
)
ONLY_WIDE = frozenset({"build", "full", "debt M$"})


def _whole(mw: float) -> str:
    return f"{mw:,.0f}" if round(mw) else ""


def million(usd: float | None) -> str:
    """Money in million USD."""
    return "-" if usd is None else f"{usd / USD_PER_MUSD:,.1f} M USD"


def proof_line(termination: Termination, objective: str = NPV) -> str:
    """How the search ended, in words with bound and gap."""
    text = REASONS[termination.reason] + LIMITS[termination.limit]
    if termination.reason is TerminationReason.STATED:
        text += f": {objective} {million(termination.objective_usd)}"
    elif termination.objective_usd is not None:
        text += f": {objective} {million(termination.objective_usd)}, bound {million(termination.bound_usd)}"
    elif termination.bound_usd is not None:
        text += f": bound {million(termination.bound_usd)}"
    if termination.gap_frac is not None:
        text += f", gap {termination.gap_frac:.2%}"
    return text + (f"; {termination.detail}" if termination.detail else "")


def audit_line(plan: Plan) -> str:
    """The audit in one line."""
    if plan.audit is None:
        return "audit: nothing to audit"
    if plan.audit.passed:
        own = f"; not audited: {', '.join(plan.audit.not_audited)}" if plan.audit.not_audited else ""
        return f"audit: passed, {len(plan.audit.checks)} checks{own}"
    if plan.termination.reason is TerminationReason.STATED:
        return f"NOT FEASIBLE: limits that are broken: {len(plan.audit.failures)}"
    told = "; ".join(
        f"{check.name} by {check.largest_deviation:,.6g} {check.unit}{f' at {check.where}' if check.where else ''}"
        for check in plan.audit.failures
    )
    return f"AUDIT FAILED: {told}"


def print_plan(plan: Plan, console: Console) -> None:
    """Print a readable summary."""
    console.print(
        Text(f"{plan.manifest.portfolio_name}: {proof_line(plan.termination, plan.objective_told)}", style="bold")
    )
    if plan.termination.has_plan:
        _print_contracts(plan, console)
        _print_capacity(plan, console)
        _print_key_figures(plan, console)
    if plan.filled_in:
        console.print(f"{len(plan.filled_in)} defaults were filled in; see filled_in in the plan, or the report")
    if plan.manifest.reused_from:
        console.print(f"the answer of {plan.manifest.reused_from}, which was asked the same", markup=False)
    style = "bold red" if plan.audit_failed else "green" if plan.audit is not None else ""
    console.print(Text(audit_line(plan), style=style))


def titled_table(title: str, *columns: str) -> Table:
    """An empty table in the style of all of them."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right", overflow="fold")
    return table


def _print_contracts(plan: Plan, console: Console) -> None:
    decided = plan.decisions
    if not (plan.contracts or decided.gpu_orders or decided.site_openings or decided.works):
        final = plan.termination.reason in (TerminationReason.OPTIMAL, TerminationReason.STATED)
        console.print(
            "Sign nothing." if final else "No contract in the best plan so far; search longer before you act on it."
        )
    if plan.contracts:
        columns = [column for column in CONTRACT_COLUMNS if console.width >= WIDE or column[0] not in ONLY_WIDE]
        table = titled_table("Contracts", *[heading for heading, _ in columns])
        for item in plan.contracts:
            table.add_row(*[Text(cell(item)) for _, cell in columns])
        console.print(table)
    for order in plan.decisions.gpu_orders:
        console.print(order.told)
    for opening in plan.decisions.site_openings:
        console.print(opening.told)
    for work in plan.works:
        console.print(work.told)


def _print_capacity(plan: Plan, console: Console) -> None:
    """Mean MW by use of each site and year."""
    total: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0] * (len(USES) + 1))
    for row in plan.capacity:
        cell = total[row.site, row.month.year]
        for position, use in enumerate(USES):
            cell[position] += getattr(row, use)
        cell[-1] += 1.0
    years = sorted({year for _, year in total})
    table = titled_table("MW by use (mean of the year)", "site", "use", *map(str, years))
    for site in dict.fromkeys(row.site for row in plan.capacity):
        label = site
        for position, use in enumerate(USES):
            cells = [total[site, year] for year in years]
            means = [cell[position] / cell[-1] if cell[-1] else 0.0 for cell in cells]
            if any(mean > 0.05 for mean in means):
                table.add_row(Text(label), use.removesuffix("_mw"), *[_whole(mean) for mean in means])
                label = ""
    console.print(table)


def _print_key_figures(plan: Plan, console: Console) -> None:
    table = titled_table("Key figures", "figure", "value")
    twin, npv, tail = plan.business_as_usual, plan.npv, plan.distribution
    _add_enterprise(plan, table)
    table.add_row("expected NPV", million(npv.total_usd if npv is not None else plan.termination.objective_usd))
    if npv is not None:
        for line in ("mining", "hosting", "gpu", "corporate", "debt"):
            table.add_row(f"  of which {line}", million(getattr(npv, f"{line}_usd")))
    if twin is not None:
        told = twin.detail
        if twin.feasible:
            less = (twin.difference_usd or 0.0) >= 0.0
            told = f"{million(twin.npv_usd)}, {million(abs(twin.difference_usd or 0.0))} {'less' if less else 'more'}"
        table.add_row("mining on, signing nothing", told)
    if tail is not None:
        told = f"mean of the worst {tail.tail_probability:.0%} of {tail.scenario_count:,} futures"
        table.add_row(told, _estimate(tail.cvar_usd, tail.cvar_standard_error_usd))
    if plan.cvar is not None and plan.cvar.minimum_cvar_usd is not None:
        table.add_row("  floor", million(plan.cvar.minimum_cvar_usd))
    if plan.out_of_sample is not None:
        fresh = plan.out_of_sample
        table.add_row("  of as many fresh futures", _estimate(fresh.cvar_usd, fresh.cvar_standard_error_usd))
        table.add_row("  expected NPV in these", _estimate(fresh.mean_usd, fresh.standard_error_usd))
    if plan.cash_flow:
        least = min(plan.cash_flow, key=lambda row: row.cash_usd)
        most = max(plan.cash_flow, key=lambda row: row.debt_usd)
        table.add_row("least cash", f"{million(least.cash_usd)} in {least.month:%Y-%m}")
        if plan.liquidity is not None and plan.liquidity.below_floor_frac > 0.0:
            table.add_row("  below its floor at some time", f"in {plan.liquidity.below_floor_frac:.0%} of futures")
            if plan.liquidity.worst_month is not None:
                deep = f"by {million(plan.liquidity.shortfall_usd)}, most often in {plan.liquidity.worst_month:%Y-%m}"
                table.add_row("  at its worst, on average", deep)
        table.add_row("most debt", f"{million(most.debt_usd)} in {most.month:%Y-%m}")
    if plan.carbon:
        caused, cost = sum(row.caused_t for row in plan.carbon), sum(row.cost_usd for row in plan.carbon)
        table.add_row("carbon", f"{caused:,.0f} t for {million(cost)}")
    if plan.tax:
        table.add_row("corporate tax paid", million(sum(row.tax_usd for row in plan.tax)))
    for item in plan.stresses:
        cash = f"{million(item.least_cash_usd)} in {item.least_cash_month:%Y-%m}"
        table.add_row(Text(f"  in stress {item.stress}"), f"{cash}, floor {million(item.minimum_liquidity_usd)}")
        if item.npv_usd is not None:
            table.add_row("  NPV in it", million(item.npv_usd))
    mwh = sum(row.energy_mwh for row in plan.mining)
    if mwh:
        btc, power_usd = sum(row.mined_btc for row in plan.mining), sum(row.power_usd for row in plan.mining)
        energy = f"{mwh / MWH_PER_GWH:,.0f} GWh at {power_usd / mwh:,.1f} USD/MWh"
        table.add_row("bitcoin mined", f"{btc:,.0f} BTC with {energy}")
    own = plan.own_hashrate
    if own is not None:
        moved = max(own.months, key=lambda row: abs(row.hashprice_multiplier - 1.0))
        hashprice = f"hashprice {moved.hashprice_multiplier - 1.0:+.2%} in {moved.month:%Y-%m}"
        table.add_row("own weight in the network", f"{million(own.npv_effect_usd)}; {hashprice}")
    if plan.enterprise_value_usd is not None:
        table.add_row("enterprise value at the stated multiples", million(plan.enterprise_value_usd))
    console.print(table)


def _estimate(usd: float, standard_error_usd: float | None) -> str:
    """An estimate, and how far its interval of 95 % confidence reaches."""
    return million(usd) + (f" ± {million(NORMAL_95 * standard_error_usd)}" if standard_error_usd else "")


def _add_enterprise(plan: Plan, table: Table) -> None:
    """The enterprise value that the plan was chosen for, and what it is made of."""
    made = plan.enterprise
    if made is None:
        return
    table.add_row(f"enterprise value at the end of {made.year}", million(made.value_usd))
    table.add_row("  earnings times multiples", million(made.multiple_value_usd))
    table.add_row("  cash less debt", million(made.cash_usd - made.debt_usd))
    table.add_row("  discounted: the objective", million(made.discounted_usd))
    twin = plan.business_as_usual
    if twin is not None and twin.discounted_value_usd is not None:
        table.add_row("  of mining on, discounted", million(twin.discounted_value_usd))
