r"""Machines: running, stored, bought, sold and moved, by site, class and period.

.. math::
   \mathrm{stock}_{s,k,e} &= \mathrm{stock}_{s,k,e-1} + \sum_{p \to e} \mathrm{bought}_{s,k,p} + \mathrm{in}_{s,k,e}
   - \mathrm{sold}_{s,k,e} - \mathrm{out}_{s,k,e} \\
   \sum_j \mathrm{run}_{s,k,j,p} &\le \mathrm{stock}_{s,k,e(p)} \qquad
   \sum_s \mathrm{in}_{s,k,e} = \sum_s \sum_{p \to e} \mathrm{out}_{s,k,p}

======================================  =========  =======================================================
symbol                                  unit       meaning
======================================  =========  =======================================================
:math:`\mathrm{run}_{s,k,j,p}`          thousands  machines of class *k* that run up to mode *j* in period *p*
:math:`\mathrm{stock}_{s,k,e}`          thousands  machines at the site from epoch *e* to the next; epochs are the periods in which stock can change
:math:`\mathrm{bought}, \mathrm{sold}`  thousands  trades, in periods that start on the signing grid
:math:`\mathrm{out}, \mathrm{in}`       thousands  machines that leave for, and arrive from, another site
:math:`p \to e`                                    what is ordered or sent in *p* arrives in *e*
======================================  =========  =======================================================

Curtailment and the choice of mode in every hour are inside the margin of ``run`` (see :mod:`optimizer.curves.margin`).

Dual of ``running_within_stock``: NPV of a thousand more machines of the class at that site in that period.
Dual of ``stock_balance``: NPV of a thousand more machines from that epoch on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.model.calendar import EARNINGS, Calendar, Floats, Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, period_keys, post_income, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets, VariableBlock

# One family of 300 lines: the six kinds of variables are one stock balance and make no sense apart.


@dataclass(frozen=True, eq=False)
class Epochs:
    """When the stock of a class can change, and what arrives when."""

    period: Ints
    """Periods in which the stock can change, ascending, the first is 0."""
    of_period: Ints
    """Epoch of each period, ``[P]``."""
    trade: Ints
    """Periods in which machines can be bought, sold and sent."""
    purchase_arrival: dict[int, int]
    """Period of order to period of arrival."""
    move_arrival: dict[int, int]
    """Period of leaving to period of arrival."""

    @classmethod
    def of(cls, calendar: Calendar, lead_months: int, downtime_months: int) -> Epochs:
        """Epochs of a class with that delivery lead and that downtime."""
        trade = np.flatnonzero(np.isin(calendar.period_first, calendar.sign_months))
        bought, moved = {}, {}
        for period in trade.tolist():
            first = int(calendar.period_first[period])
            arrival = calendar.first_period_from(first + lead_months)
            if arrival is not None:
                bought[period] = arrival
            arrival = calendar.first_period_from(first + downtime_months)
            if arrival is not None:
                moved[period] = arrival
        change = np.unique([0, *trade, *bought.values(), *moved.values()])
        of_period = np.searchsorted(change, np.arange(calendar.period_count), side="right") - 1
        return cls(change, of_period, trade, bought, moved)


def class_epochs(problem: PlanningProblem) -> list[Epochs]:
    """Epochs of every machine class."""
    return [
        Epochs.of(problem.calendar, item.model.delivery_lead_months, item.model.move_downtime_months)
        for item in problem.machines.classes
    ]


@dataclass(frozen=True, eq=False)
class _Columns:
    """Columns of one kind, with the pair and the time index of each."""

    block: VariableBlock
    pair: Ints
    time: Ints

    @property
    def columns(self) -> Ints:
        return self.block.columns


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    machines, calendar = problem.machines, problem.calendar
    epochs = class_epochs(problem)
    movable = _movable(problem)
    landings = [sorted(set(clock.move_arrival.values())) for clock in epochs]
    everywhere = range(machines.count)
    kinds = {
        "stock": [(q, e) for q in everywhere for e in range(len(epochs[machines.machine_class[q]].period))],
        "bought": [
            (q, p)
            for q in everywhere
            if machines.classes[machines.machine_class[q]].can_be_bought
            and problem.portfolio.sites[machines.site[q]].can_mine
            for p in epochs[machines.machine_class[q]].purchase_arrival
        ],
        "sold": [(q, int(p)) for q in everywhere for p in epochs[machines.machine_class[q]].trade],
        "moved_out": [(q, p) for q in everywhere if movable[q] for p in epochs[machines.machine_class[q]].move_arrival],
        "moved_in": [(q, p) for q in everywhere if movable[q] for p in landings[machines.machine_class[q]]],
    }
    columns = {name: _declare(program, problem, epochs, name, pairs) for name, pairs in kinds.items()}
    running = _add_running(program, problem)
    _balance(program, problem, epochs, columns)
    _transit(program, problem, epochs, columns)
    _run_within_stock(program, problem, epochs, columns["stock"], running)
    _post_trades(program, problem, columns)
    _post_running(program, problem, running)
    last = calendar.month_count - 1
    stock = columns["stock"]
    final = stock.time == [len(epochs[machines.machine_class[q]].period) - 1 for q in stock.pair]
    value = machines.resale_musd[stock.pair, last] * problem.portfolio.finance.terminal.machine_resale_frac
    post_npv(program, "mining", stock.columns, final * value * calendar.discount("mining")[last])


def _movable(problem: PlanningProblem) -> list[bool]:
    """Which pairs have somewhere else to go."""
    counts = np.bincount(problem.machines.machine_class, minlength=len(problem.machines.classes))
    return [bool(counts[k] > 1) for k in problem.machines.machine_class]


def _pair_keys(problem: PlanningProblem) -> list[tuple[str, str, float]]:
    """Site, model and condition of every pair."""
    machines = problem.machines
    sites = [problem.portfolio.sites[s].name for s in machines.site]
    classes = [machines.classes[k] for k in machines.machine_class]
    return [(name, item.model.name, item.condition_frac) for name, item in zip(sites, classes, strict=True)]


def _declare(
    program: Program, problem: PlanningProblem, epochs: list[Epochs], name: str, pairs: list[tuple[int, int]]
) -> _Columns:
    """One variable a (pair, time); the time of a stock is an epoch, of the others a period."""
    names, months = _pair_keys(problem), period_keys(problem)
    if name == "stock":
        periods = [epochs[k].period.tolist() for k in problem.machines.machine_class]
        keys = [(*names[pair], months[periods[pair][epoch]]) for pair, epoch in pairs]
    else:
        keys = [(*names[pair], months[period]) for pair, period in pairs]
    index = np.fromiter(chain.from_iterable(pairs), np.int64, 2 * len(pairs)).reshape(-1, 2)
    block = program.add_variables(f"{name}_machines", keys, site=problem.machines.site[index[:, 0]])
    return _Columns(block, index[:, 0], index[:, 1])


def _add_running(program: Program, problem: PlanningProblem) -> _Columns:
    """One variable a (pair, ceiling mode, period), in that order."""
    machines, calendar = problem.machines, problem.calendar
    months = period_keys(problem)
    keys, pairs = [], []
    for pair, name in enumerate(_pair_keys(problem)):
        modes = machines.classes[machines.machine_class[pair]].modes
        keys += [(*name, int(mode), month) for mode in modes for month in months]
        pairs += [pair] * (len(modes) * calendar.period_count)
    of = np.array(pairs, dtype=np.int64)
    block = program.add_variables("running_machines", keys, site=machines.site[of])
    time = np.arange(len(keys)) % calendar.period_count
    return _Columns(block, of, time)


def _balance(program: Program, problem: PlanningProblem, epochs: list[Epochs], columns: dict[str, _Columns]) -> None:
    machines, stock = problem.machines, columns["stock"]
    first_row = np.searchsorted(stock.pair, np.arange(machines.count))
    terms, later = Triplets(), np.flatnonzero(stock.time > 0)
    rows = np.arange(len(stock.columns))
    terms.add(rows, stock.columns, 1.0)
    terms.add(rows[later], stock.columns[later - 1], -1.0)
    for name, sign in (("bought", -1.0), ("moved_in", -1.0), ("sold", 1.0), ("moved_out", 1.0)):
        item, periods = columns[name], range(problem.calendar.period_count)
        arrival = [clock.purchase_arrival if name == "bought" else {} for clock in epochs]
        epoch = np.array(
            [clock.of_period[[lands.get(p, p) for p in periods]] for clock, lands in zip(epochs, arrival, strict=True)],
            dtype=np.int64,
        ).reshape(-1, len(periods))
        terms.add(first_row[item.pair] + epoch[machines.machine_class[item.pair], item.time], item.columns, sign)
    initial = np.where(stock.time == 0, machines.initial[stock.pair], 0.0)
    program.add_rows("stock_balance", stock.block.keys, terms, lower=initial, upper=initial)


def _transit(program: Program, problem: PlanningProblem, epochs: list[Epochs], columns: dict[str, _Columns]) -> None:
    """What leaves in some periods arrives in one, somewhere."""
    machines = problem.machines
    row_of: dict[tuple[int, int], int] = {}
    terms = Triplets()
    for name, sign in (("moved_in", 1.0), ("moved_out", -1.0)):
        item = columns[name]
        kinds = machines.machine_class[item.pair]
        rows = []
        for kind, period in zip(kinds.tolist(), item.time.tolist(), strict=True):
            lands = period if name == "moved_in" else epochs[kind].move_arrival[period]
            rows.append(row_of.setdefault((kind, lands), len(row_of)))
        terms.add(np.array(rows, dtype=np.int64), item.columns, sign)
    classes, calendar = machines.classes, problem.calendar
    keys = [
        (classes[k].model.name, classes[k].condition_frac, month_key(problem, calendar.period_first[period]))
        for k, period in row_of
    ]
    program.add_rows("machines_in_transit_arrive", keys, terms, lower=0.0, upper=0.0)


def _run_within_stock(
    program: Program, problem: PlanningProblem, epochs: list[Epochs], stock: _Columns, running: _Columns
) -> None:
    machines, periods = problem.machines, problem.calendar.period_count
    first = np.searchsorted(stock.pair, np.arange(machines.count))
    terms = Triplets()
    terms.add(running.pair * periods + running.time, running.columns, 1.0)
    epoch = np.array([epochs[k].of_period for k in machines.machine_class], dtype=np.int64).reshape(-1, periods)
    terms.add(np.arange(epoch.size), stock.columns[(first[:, None] + epoch).ravel()], -1.0)
    keys = [(*name, month) for name in _pair_keys(problem) for month in period_keys(problem)]
    program.add_rows("running_within_stock", keys, terms, upper=0.0)


def _post_trades(program: Program, problem: PlanningProblem, columns: dict[str, _Columns]) -> None:
    machines, calendar = problem.machines, problem.calendar
    discount = calendar.discount("mining")
    leaving = np.repeat(machines.move_musd[:, None], calendar.month_count, axis=1)
    flows = {
        "bought": -machines.purchase_musd,
        "sold": machines.resale_musd,
        "moved_out": -leaving,
        "moved_in": -machines.duty_musd,
    }
    for name, flow in flows.items():
        item = columns[name]
        month = calendar.period_first[item.time]
        cash = flow[item.pair, month]
        program.post("cash_musd", item.time, item.columns, cash)
        post_income(program, problem, item.columns, _in_month(month, cash, calendar.month_count))
        post_npv(program, "mining", item.columns, cash * discount[month])
        if name == "bought":
            program.post("capex_musd", month, item.columns, -cash)


def _post_running(program: Program, problem: PlanningProblem, running: _Columns) -> None:
    machines, calendar = problem.machines, problem.calendar
    if not machines.count:
        return
    discount = calendar.discount("mining")[: calendar.month_count]
    classes = [machines.classes[k] for k in machines.machine_class]
    cash = np.concatenate([calendar.period_sum(margin).ravel() for margin in machines.mode_margin_musd])
    npv = np.concatenate([calendar.period_sum(margin * discount).ravel() for margin in machines.mode_margin_musd])
    tail = np.concatenate([np.repeat(value, calendar.period_count) for value in machines.tail_npv_musd])
    npv += tail * (running.time == calendar.period_count - 1)
    row = machines.site[running.pair] * calendar.period_count + running.time
    program.post("cash_musd", running.time, running.columns, cash)
    _post_running_by_year(program, problem, running)
    post_npv(program, "mining", running.columns, npv)
    for account, by_pair in (
        ("power_mw", machines.mode_grid_mw),
        ("halls_mw", [item.power_mw for item in classes]),
        ("hashrate_eh_s", [item.hashrate_eh_s for item in classes]),
    ):
        amounts = np.concatenate([np.repeat(value, calendar.period_count) for value in by_pair])
        program.post(account, row, running.columns, amounts)


def _in_month(month: Ints, amount: Floats, month_count: int) -> Floats:
    """Amounts of N columns, each in its month, as ``[N, T]``."""
    monthly = np.zeros((len(amount), month_count))
    monthly[np.arange(len(amount)), month] = amount
    return monthly


def _post_running_by_year(program: Program, problem: PlanningProblem, running: _Columns) -> None:
    """The same cash by calendar year: a period may begin in one and end in the next."""

    def within(months: NDArray[Any]) -> Floats:
        margins = problem.machines.mode_margin_musd
        return np.concatenate([problem.calendar.period_sum(margin * months).ravel() for margin in margins])

    if problem.portfolio.finance.tax is not None:
        for year in range(len(problem.tax_years)):
            program.post("income_musd", year, running.columns, within(problem.tax_year == year))
    if problem.value_year.any():
        program.post("earnings_musd", EARNINGS.index("mining"), running.columns, within(problem.value_year))


MINING_FLEET = ConstraintFamily(
    "mining_fleet",
    (),
    (
        "stock_machines", "bought_machines", "sold_machines", "moved_out_machines", "moved_in_machines", "running_machines",
        "stock_balance", "machines_in_transit_arrive", "running_within_stock",
    ),
    build,
)  # fmt: skip
