"""Tables of the page: everything in a cell is text and is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.domain.decisions import GpuOrder
from optimizer.domain.plan import Plan
from optimizer.domain.proof import AuditReport
from optimizer.report.charts_money import LINE_NAMES, year_name
from optimizer.report.formats import MINUS, count, escape, money, month, number, percent, significant
from optimizer.report.totals import LEAST_MW, USE_NAMES, USES, Use, cash_by_year, fleet_moves, mean_by_year
from optimizer.units import MWH_PER_GWH, USD_PER_MUSD

MOST_ROWS = 500
"""Longer tables are cut, and say so."""
DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column."""

    name: str
    numeric: bool = False

    @property
    def kind(self) -> str:
        """Class of its cells."""
        return "n" if self.numeric else "w"


def words(*names: str) -> list[Column]:
    """Columns of text."""
    return [Column(name) for name in names]


def numbers(*names: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(name, numeric=True) for name in names]


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    classes: Sequence[str] | None = None,
) -> str:
    """A table in a frame that scrolls sideways on a narrow screen; the first cell of a row heads it."""
    shown = rows[:MOST_ROWS]
    if len(rows) > len(shown):
        caption += f" The first {MOST_ROWS} of {len(rows):,d} rows."
    head = "".join(f'<th scope="col" class="{column.kind}">{escape(column.name)}</th>' for column in columns)
    body = []
    for index, row in enumerate(shown):
        kind = f' class="{escape(classes[index])}"' if classes and classes[index] else ""
        first, *rest = row
        cells = "".join(
            f'<td class="{column.kind}">{escape(cell)}</td>' for column, cell in zip(columns[1:], rest, strict=True)
        )
        body.append(f'<tr{kind}><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def contracts(plan: Plan) -> str:
    """Signed contracts with dates and money."""
    columns = [
        *words("Contract", "Tenant", "Site"),
        *numbers("Critical MW", "Grid MW", "Signed", "Build from", "First live", "All live", "Ends"),
        *numbers("Capex, $M", "Debt, $M", "Rent, $M", "NPV, $M"),
    ]
    rows = [
        [
            *(item.offer, item.tenant, item.site, number(item.critical_mw), number(item.grid_mw)),
            *(month(item.sign_month), month(item.build_start_month), month(item.energize_month)),
            *(month(item.full_energize_month), month(item.end_month)),
            *(_musd(item.owner_capex_usd), _musd(item.debt_usd), _musd(item.first_year_rent_usd), _musd(item.npv_usd)),
        ]
        for item in plan.contracts
    ]
    caption = (
        "Signed contracts: capex that the owner pays, contract rent of the first twelve months at full MW, and the "
        "contract's own expected NPV, tail included, before what the site would earn otherwise."
    )
    return table(caption, columns, rows)


def other_decisions(plan: Plan) -> str:
    """GPU blocks to order, sites to open, and works at sites."""
    rows = [
        [f"Order {order.gpu_option}", order.site, month(order.order_month), _blocks(order)]
        for order in plan.decisions.gpu_orders
    ]
    rows += [[f"Open {item.site}", item.site, month(item.month), DASH] for item in plan.decisions.site_openings]
    rows += [[item.told, item.site, month(item.month), DASH] for item in plan.works]
    if not rows:
        return ""
    columns = [*words("Decision", "Site"), *numbers("Month", "How many")]
    return table("Own GPUs to order, sites to open, and works at sites.", columns, rows)


def _blocks(order: GpuOrder) -> str:
    refreshed = f", {order.refreshed_block_count:,} of them refreshed" if order.refreshed_block_count else ""
    return count(order.block_count, "block") + refreshed


def use_by_year(sites: dict[str, list[Use]]) -> str:
    """Mean MW by site, use and year."""
    years = sorted({row.month.year for use in sites.values() for row in use})
    rows = []
    for site, use in sites.items():
        means = mean_by_year(use)
        for name in USES:
            values = [means[year].of(name) if year in means else 0.0 for year in years]
            if max(values, default=0.0) >= LEAST_MW:
                rows.append([site, USE_NAMES[name], *(number(value) for value in values)])
    columns = [*words("Site", "Use"), *numbers(*(str(year) for year in years))]
    return table("Mean MW at the meter by site, use and calendar year.", columns, rows)


def fleet(plan: Plan) -> str:
    """Machines bought, sold and moved."""
    rows = [
        [
            str(item.year),
            item.site,
            item.asic_model,
            *(number(value, digits=0) for value in (item.bought, item.sold, item.moved_out, item.moved_in)),
        ]
        for item in fleet_moves(plan)
    ]
    columns = [*words("Year", "Site", "ASIC model"), *numbers("Bought", "Sold", "Moved away", "Arrived from elsewhere")]
    return table("Machines by calendar year, site and model; the plan does not round to whole machines.", columns, rows)


def _musd(usd: float) -> str:
    return f"{usd / USD_PER_MUSD:,.1f}".replace("-0.0", "0.0").replace("-", MINUS)


def cash_flow(plan: Plan) -> str:
    """Cash by line and year, with net, cash and debt at the end of the year."""
    by_year = cash_by_year(plan)
    ends = {row.month.year: row for row in plan.cash_flow}
    lines = list(next(iter(by_year.values()), {}))
    rows = [[line, *(_musd(row[line]) for row in by_year.values())] for line in lines]
    rows.append(["Net cash", *(_musd(sum(row.values())) for row in by_year.values())])
    rows.append(["Cash at the end", *(_musd(ends[year].cash_usd) for year in by_year)])
    if any(row.debt_usd for row in plan.cash_flow):
        rows.append(["Debt at the end", *(_musd(ends[year].debt_usd) for year in by_year)])
    columns = [*words("Line"), *numbers(*(str(year) for year in by_year))]
    classes = [""] * len(lines) + ["sum"] * (len(rows) - len(lines))
    return table("Expected cash by calendar year, $M; costs are negative.", columns, rows, classes)


def tax(plan: Plan) -> str:
    """Corporate tax by year."""
    if not plan.tax:
        return ""
    rows = [
        [
            str(row.year),
            *(_musd(usd) for usd in (row.income_usd, -row.written_off_usd, -row.losses_used_usd)),
            *(_musd(usd) for usd in (row.losses_left_usd, row.tax_usd)),
        ]
        for row in plan.tax
    ]
    heads = ("Income", "Written off", "Losses used", "Losses left at the end", "Tax")
    told = "Corporate tax on expected income by calendar year, $M."
    return table(told, [*words("Year"), *numbers(*heads)], rows)


def carbon(plan: Plan) -> str:
    """Carbon by year."""
    if not plan.carbon:
        return ""
    rows = [
        [
            str(row.year),
            number(row.caused_t, digits=0),
            number(row.maximum_t, digits=0) if row.maximum_t is not None else DASH,
            _musd(row.cost_usd),
        ]
        for row in plan.carbon
    ]
    columns = [*words("Year"), *numbers("Carbon, t", "Most, t", "Cost, $M")]
    return table("Expected carbon of the energy that the owner pays for and uses, by calendar year.", columns, rows)


def stresses(plan: Plan) -> str:
    """Least cash and NPV in every stress."""
    if not plan.stresses:
        return ""
    rows = [
        [
            item.stress,
            _musd(item.least_cash_usd),
            month(item.least_cash_month),
            _musd(item.minimum_liquidity_usd),
            "" if item.npv_usd is None else _musd(item.npv_usd),
        ]
        for item in plan.stresses
    ]
    columns = [*words("Stress"), *numbers("Least cash", "At the end of", "Floor", "NPV")]
    return table("Least cash and NPV of the plan in every stress, $M.", columns, rows)


def earnings(plan: Plan) -> str:
    """Earnings by year and line."""
    rows = []
    for row in plan.earnings:
        lines = (row.mining_usd, row.hosting_usd, row.gpu_usd, row.cost_usd)
        rows.append([year_name(row), *(_musd(usd) for usd in lines), _musd(sum(lines))])
    columns = [*words("Year"), *numbers("Mining", "Hosting", "Own GPUs", "Fixed costs and overhead", "Sum")]
    return table("Expected earnings by calendar year before capex, debt and discounting, $M.", columns, rows)


def mining(plan: Plan) -> str:
    """Hashrate, energy and bitcoin of all sites by year."""
    rows = []
    for year in sorted({row.month.year for row in plan.mining}):
        months = [row for row in plan.mining if row.month.year == year]
        mwh, power_usd = sum(row.energy_mwh for row in months), sum(row.power_usd for row in months)
        rows.append(
            [
                str(year),
                number(sum(row.hashrate_eh_s for row in months) / len({row.month for row in months}), digits=2),
                number(mwh / MWH_PER_GWH, digits=0),
                number(power_usd / mwh, digits=1) if mwh else DASH,
                number(sum(row.mined_btc for row in months), digits=0),
                _musd(sum(row.revenue_usd for row in months)),
                _musd(-power_usd),
            ]
        )
    columns = [
        *words("Year"),
        *numbers("EH/s", "Energy, GWh", "Realised price, USD/MWh", "Bitcoin mined", "Revenue, $M", "Energy, $M"),
    ]
    told = "Expected mining by calendar year: mean hashrate, energy at the meter, bitcoin after the pool's fee."
    return table(told, columns, rows) if rows else ""


def npv_by_line(plan: Plan) -> str:
    """Expected NPV by business line."""
    npv = plan.npv
    if npv is None:
        return ""
    rows = [[name, _musd(getattr(npv, f"{line}_usd"))] for line, name in LINE_NAMES.items()]
    rows.append(["Total", _musd(npv.total_usd)])
    classes = [""] * len(LINE_NAMES) + ["sum"]
    return table("Expected NPV by business line, $M.", [*words("Line"), *numbers("NPV")], rows, classes)


def quantiles(plan: Plan) -> str:
    """NPV by probability, with the measures of risk."""
    spread = plan.distribution
    if spread is None:
        return ""
    tail = percent(spread.tail_probability)
    rows = [[f"{percent(item.probability)} of scenarios are at most", money(item.npv_usd)] for item in spread.quantiles]
    rows += [
        ["Mean", money(spread.mean_usd)],
        ["Sampling error of the mean", money(spread.standard_error_usd)],
        ["Standard deviation", money(spread.standard_deviation_usd)],
        [f"VaR: edge of the worst {tail}", money(spread.var_usd)],
        [f"CVaR: mean of the worst {tail}", money(spread.cvar_usd)],
    ]
    if spread.cvar_standard_error_usd is not None:
        rows.append(["Sampling error of the CVaR", money(spread.cvar_standard_error_usd)])
    if plan.out_of_sample is not None:
        rows.append(["Mean over as many fresh scenarios", money(plan.out_of_sample.mean_usd)])
        rows.append(["CVaR over as many fresh scenarios", money(plan.out_of_sample.cvar_usd)])
    return table(f"NPV over {spread.scenario_count:,d} scenarios.", [*words("Measure"), *numbers("NPV")], rows)


def tail_drivers(plan: Plan) -> str:
    """What each part of the plan adds to the difference between CVaR and mean."""
    if not plan.tail_drivers or plan.distribution is None:
        return ""
    rows = [[driver.told, money(driver.difference_usd)] for driver in plan.tail_drivers]
    caption = f"Mean over the worst {percent(plan.distribution.tail_probability)} of scenarios less mean over all."
    return table(caption, [*words("Part of the plan"), *numbers("Difference")], rows)


def audit(report: AuditReport) -> str:
    """All checks, failures first."""
    checks = sorted(report.checks, key=lambda check: check.passed)
    rows = [
        [
            check.name,
            "passed" if check.passed else "FAILED",
            f"{significant(check.largest_deviation)} {'' if check.unit == '1' else check.unit}".strip(),
            f"{significant(check.tolerance)} {'' if check.unit == '1' else check.unit}".strip(),
            check.where or DASH,
        ]
        for check in checks
    ]
    columns = [*words("Check", "Result"), *numbers("Largest deviation", "Tolerance"), *words("Where it is largest")]
    classes = ["" if check.passed else "failed" for check in checks]
    return table("Every check of the independent re-calculation.", columns, rows, classes)


def assumptions(plan: Plan) -> str:
    """Defaults that were used."""
    if not plan.filled_in:
        return "<p>The portfolio states everything; no default was used.</p>"
    rows = [[item.path, item.value] for item in plan.filled_in]
    columns = [*words("Field"), *numbers("Value")]
    return table("Values that the portfolio did not state, and the defaults used.", columns, rows)
