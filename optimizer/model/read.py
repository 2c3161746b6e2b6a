"""From a solution vector back to decisions, and to what the model claims about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.domain.decisions import (
    BuildingOrder,
    ContractDecision,
    Decisions,
    GpuOrder,
    GridAdvance,
    HallOrder,
    MachineDecision,
    ModeCount,
    PowerSale,
    SiteOpening,
)
from optimizer.model.calendar import LINES, Floats, Ints
from optimizer.model.families.mining_fleet import class_epochs
from optimizer.model.machine_classes import MACHINES_PER_UNIT
from optimizer.model.posting import contract_quantity
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program
from optimizer.units import USD_PER_MUSD

FEWEST_MACHINES = 1e-4
"""Fewer machines than this are numerical dust."""
LEAST_MW = 1e-7
"""Less power likewise."""


@dataclass(frozen=True, eq=False)
class Reading:
    """A solution in planner's words, and the totals that the model believes."""

    decisions: Decisions
    """What to do."""
    objective_usd: float
    """What the plan is worth: its expected NPV, or what else the objective is."""
    npv_usd: float
    """Expected NPV."""
    cvar_usd: float | None
    """CVaR of the NPV, where it counts."""
    enterprise_usd: float | None
    """Discounted enterprise value, where it is the objective."""
    npv_by_line_usd: dict[str, float]
    """Expected NPV by business line."""
    cash_usd: Floats
    """Cash at the end of each period, ``[P]``."""
    stress_cash_usd: Floats
    """Cash at the end of each period in each stress, ``[K, P]``."""
    debt_usd: Floats
    """Debt outstanding at the end of each period, ``[P]``."""
    mining_mw: Floats
    """Mining by site and period, ``[S, P]``."""
    hosting_mw: Floats
    """Reserved for contracts, the most in the period, ``[S, P]``."""
    gpu_mw: Floats
    """Reserved for own GPUs, the most in the period, ``[S, P]``."""


def read_solution(program: Program, problem: PlanningProblem, solution: Floats) -> Reading:
    """The decisions and claims of a solution vector."""
    npv = program.account_value("npv_musd", solution) * USD_PER_MUSD
    enterprise, risk, hurdle = (
        float(program.account_value(name, solution).sum()) * USD_PER_MUSD
        for name in ("enterprise_musd", "risk_musd", "hurdle_musd")
    )
    shortfall = solution[program.variables["cvar_shortfall_musd"].columns] * USD_PER_MUSD
    mining, hosting, gpu = _use_by_kind(program, problem, solution)
    return Reading(
        decisions=Decisions(
            contracts=_contracts(program, problem, solution),
            machines=_machines(program, problem, solution),
            gpu_orders=_gpu_orders(program, problem, solution),
            site_openings=_openings(program, problem, solution),
            grid_advances=_grid_advances(program, problem, solution),
            hall_orders=_hall_orders(program, problem, solution),
            power_sales=_power_sales(program, problem, solution),
            building_orders=_building_orders(program, problem, solution),
        ),
        objective_usd=program.npv_weight * float(npv.sum()) + enterprise + risk + hurdle,
        npv_usd=float(npv.sum()),
        cvar_usd=float(npv.sum() + shortfall.sum()) if shortfall.size else None,
        enterprise_usd=enterprise if problem.value_year.any() else None,
        npv_by_line_usd=dict(zip(LINES, npv.tolist(), strict=True)),
        cash_usd=solution[program.variables["cash_musd"].columns] * USD_PER_MUSD,
        stress_cash_usd=_stress_cash_usd(program, problem, solution),
        debt_usd=program.account_value("debt_musd", solution) * USD_PER_MUSD,
        mining_mw=mining,
        hosting_mw=hosting,
        gpu_mw=gpu,
    )


def read_use(
    program: Program, problem: PlanningProblem, solution: Floats
) -> tuple[tuple[ContractDecision, ...], tuple[Floats, Floats, Floats]]:
    """The contracts of a solution vector alone, and MW of mining, contracts and GPUs by site and period, ``[S, P]``."""
    return _contracts(program, problem, solution), _use_by_kind(program, problem, solution)


def read_relaxed(program: Program, problem: PlanningProblem, solution: Floats) -> Decisions:
    """What matters to the spread of the NPV in a solution of the relaxation: parts of contracts, whole GPU blocks."""
    return Decisions(
        contracts=_contracts(program, problem, solution, relaxed=True),
        machines=_machines(program, problem, solution),
        gpu_orders=_gpu_orders(program, problem, solution),
        power_sales=_power_sales(program, problem, solution),
    )


def _contracts(
    program: Program, problem: PlanningProblem, solution: Floats, *, relaxed: bool = False
) -> tuple[ContractDecision, ...]:
    starts, portfolio = problem.starts, problem.portfolio
    sign = solution[program.variables["sign"].columns]
    signed = sign * starts.maximum_mw > LEAST_MW if relaxed else sign > 0.5
    critical = starts.maximum_mw * sign if relaxed else starts.maximum_mw.copy()
    critical[starts.scalable] = solution[program.variables["critical_mw"].columns]
    debt = dict(
        zip(
            program.variables["debt_musd"].keys,
            solution[program.variables["debt_musd"].columns].tolist(),
            strict=True,
        )
    )
    ends = {
        name: dict(zip(program.variables[name].keys, solution[program.variables[name].columns].tolist(), strict=True))
        for name in ("reconverted_mw", "re_leased_mw")
    }
    keys = program.variables["sign"].keys
    chosen = [
        ContractDecision(
            offer=portfolio.offers[starts.offer[i]].name,
            site=portfolio.sites[starts.site[i]].name,
            sign_month=portfolio.horizon.month_at(int(starts.sign_month[i])),
            critical_mw=float(critical[i]),
            debt_usd=max(debt.get(keys[i], 0.0), 0.0) * USD_PER_MUSD,
            **{name: mw for name, by_key in ends.items() if (mw := by_key.get(keys[i], 0.0)) > LEAST_MW},
        )
        for i in np.flatnonzero(signed)
    ]
    return tuple(sorted(chosen, key=lambda item: (item.sign_month, item.offer)))


def _stress_cash_usd(program: Program, problem: PlanningProblem, solution: Floats) -> Floats:
    cash_musd = solution[program.variables["stress_cash_musd"].columns]
    return np.asarray(cash_musd.reshape(-1, problem.calendar.period_count) * USD_PER_MUSD)


def _openings(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[SiteOpening, ...]:
    site, month = problem.openings
    portfolio = problem.portfolio
    return tuple(
        SiteOpening(site=portfolio.sites[site[i]].name, month=portfolio.horizon.month_at(int(month[i])))
        for i in np.flatnonzero(solution[program.variables["open_site"].columns] > 0.5)
    )


def _grid_advances(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[GridAdvance, ...]:
    advances, sites = problem.grid_advances, problem.portfolio.sites
    return tuple(
        GridAdvance(
            site=sites[advances.site[i]].name,
            step_month=sites[advances.site[i]].grid[advances.step[i]].from_month,
            advance_months=int(advances.months[i]),
        )
        for i in np.flatnonzero(solution[program.variables["advance_step"].columns] > 0.5)
    )


def _power_sales(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[PowerSale, ...]:
    calendar, portfolio = problem.calendar, problem.portfolio
    sold = solution[program.variables["sold_mw"].columns].reshape(-1, calendar.period_count)
    return tuple(
        PowerSale(
            site=portfolio.sites[problem.sales.site[i]].name,
            month=portfolio.horizon.month_at(int(calendar.period_first[p])),
            sold_mw=float(sold[i, p]),
        )
        for i, p in np.argwhere(sold > LEAST_MW)
    )


def _hall_orders(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[HallOrder, ...]:
    orders, portfolio = problem.hall_orders, problem.portfolio
    added = solution[program.variables["added_hall_mw"].columns]
    return tuple(
        HallOrder(
            site=portfolio.sites[orders.site[i]].name,
            month=portfolio.horizon.month_at(int(orders.order_month[i])),
            hall_mw=float(added[i]),
        )
        for i in np.flatnonzero(added > LEAST_MW)
    )


def _building_orders(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[BuildingOrder, ...]:
    orders, portfolio = problem.building_orders, problem.portfolio
    return tuple(
        BuildingOrder(
            site=portfolio.sites[orders.site[i]].name,
            building=portfolio.sites[orders.site[i]].buildings[orders.building[i]].name,
            month=portfolio.horizon.month_at(int(orders.order_month[i])),
        )
        for i in np.flatnonzero(solution[program.variables["build_building"].columns] > 0.5)
    )


def _gpu_orders(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[GpuOrder, ...]:
    orders, portfolio = problem.gpu_orders, problem.portfolio
    count = np.rint(solution[program.variables["gpu_blocks"].columns]).astype(int)
    refreshed = np.zeros_like(count)
    refreshed[problem.gpu_refreshes.order] = np.rint(solution[program.variables["refreshed_gpu_blocks"].columns])
    return tuple(
        GpuOrder(
            gpu_option=portfolio.gpu_options[orders.option[i]].name,
            site=portfolio.sites[orders.site[i]].name,
            order_month=portfolio.horizon.month_at(int(orders.order_month[i])),
            block_count=int(count[i]),
            refreshed_block_count=int(refreshed[i]),
        )
        for i in np.flatnonzero(count)
    )


def _machines(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[MachineDecision, ...]:
    """One decision a (site, class, period) in which there are machines or trades."""
    machines, calendar, portfolio = problem.machines, problem.calendar, problem.portfolio
    epochs = class_epochs(problem)
    months = [portfolio.horizon.month_at(int(first)) for first in calendar.period_first]
    amounts = {name: _amounts(program, name, solution) for name in ("bought", "sold", "moved_out", "moved_in", "stock")}
    running = solution[program.variables["running_machines"].columns] * MACHINES_PER_UNIT
    chosen: list[MachineDecision] = []
    first_run = 0
    for pair in range(machines.count):
        item = machines.classes[machines.machine_class[pair]]
        site = portfolio.sites[machines.site[pair]].name
        name = (site, item.model.name, item.condition_frac)
        modes = item.modes.tolist()
        runs = running[first_run : first_run + len(modes) * calendar.period_count].reshape(len(modes), -1)
        first_run += runs.size
        clock = epochs[machines.machine_class[pair]]
        for period, month in enumerate(months):
            changed = months[clock.period[clock.of_period[period]]]
            stock = amounts["stock"].get((*name, f"{changed:%Y-%m}"), 0.0)
            trades = {
                f"{kind}_count": amounts[kind].get((*name, f"{month:%Y-%m}"), 0.0)
                for kind in ("bought", "sold", "moved_out", "moved_in")
            }
            if max(stock, *trades.values()) > 0.0:
                ran = tuple(
                    ModeCount(mode=mode, machine_count=float(count))
                    for mode, count in zip(modes, runs[:, period], strict=True)
                    if count > FEWEST_MACHINES
                )
                chosen.append(
                    MachineDecision(
                        site=site,
                        asic_model=item.model.name,
                        condition_frac=item.condition_frac,
                        month=month,
                        running=ran,
                        stock_count=stock,
                        **trades,
                    )
                )
    return tuple(chosen)


def _amounts(program: Program, name: str, solution: Floats) -> dict[object, float]:
    """Machines by key, dust left out."""
    block = program.variables[f"{name}_machines"]
    counts = solution[block.columns] * MACHINES_PER_UNIT
    return {block.keys[i]: float(counts[i]) for i in np.flatnonzero(counts > FEWEST_MACHINES)}


def _use_by_kind(program: Program, problem: PlanningProblem, solution: Floats) -> tuple[Floats, Floats, Floats]:
    """MW of mining, contracts and GPUs by site and period, ``[S, P]``; of the last two the most in any month."""
    calendar, starts, orders = problem.calendar, problem.starts, problem.gpu_orders
    sites = len(problem.portfolio.sites)
    row, column, coefficient = program.ledger["power_mw"].terms.arrays()
    running = np.isin(column, program.variables["running_machines"].columns)
    amount = (coefficient * solution[column])[running]
    mining = np.bincount(row[running], weights=amount, minlength=sites * calendar.period_count).astype(float)

    def monthly(site: Ints, reserved: Floats, quantity: Floats) -> Floats:
        total = np.zeros((sites, calendar.month_count))
        np.add.at(total, site, reserved * quantity[:, None])
        return total

    again, let = problem.re_leases, solution[program.variables["re_leased_mw"].columns]
    columns, factor = contract_quantity(program, problem)
    blocks, refreshes = solution[program.variables["gpu_blocks"].columns], problem.gpu_refreshes
    refreshed = solution[program.variables["refreshed_gpu_blocks"].columns]
    return (
        mining.reshape(sites, calendar.period_count),
        calendar.period_max(
            monthly(starts.site, starts.reserved_mw, solution[columns] * factor)
            + monthly(starts.site[again.start], again.reserved_mw, let)
        ),
        calendar.period_max(
            monthly(orders.site, orders.reserved_mw, blocks) + monthly(refreshes.site, refreshes.reserved_mw, refreshed)
        ),
    )
