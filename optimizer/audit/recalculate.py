"""The plan computed again from its decisions and the portfolio: MW, cash, NPV, month by month and in expectation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from optimizer.audit.book import Book, read_decisions
from optimizer.audit.carbon import CarbonTonnes, carbon_cost_usd, carbon_rows, carbon_tonnes
from optimizer.audit.changes import hurdle_cost_usd
from optimizer.audit.company import (
    EARNINGS,
    Columns,
    company_columns,
    contract_npv_usd,
    discount_factors,
    horizon_npv_usd,
    terminal_npv_usd,
)
from optimizer.audit.contract import Contract, ContractMoney, contract_money
from optimizer.audit.debt import DebtMoney, debt_money
from optimizer.audit.enterprise import enterprise_objective, multiple_value_usd
from optimizer.audit.gpu import GpuMoney, gpu_money
from optimizer.audit.mining import MiningMoney, mining_money
from optimizer.audit.paths import EnergyPrices, FloatArray, MarketPaths
from optimizer.audit.selling import SaleMoney, sale_money
from optimizer.audit.stress import in_stresses
from optimizer.audit.tax import paid_usd, tax_rows
from optimizer.audit.works import halls_mw, import_limit_mw, space_mw
from optimizer.domain import Decisions, Portfolio
from optimizer.domain.finance import NPV_WEIGHT_AMONG_EQUALS
from optimizer.domain.outcome import (
    CapacityRow,
    CarbonRow,
    CashFlowRow,
    ContractOutcome,
    EarningsRow,
    MiningRow,
    NpvBreakdown,
    ObjectiveOutcome,
    TaxRow,
)
from optimizer.errors import InvalidInputError
from optimizer.units import KW_PER_MW, MONTHS_PER_YEAR

Tail = Sequence[tuple[MarketPaths, float]]
_Money = TypeVar("_Money", MiningMoney, GpuMoney, SaleMoney, CarbonTonnes, ContractMoney)


@dataclass(frozen=True, slots=True, eq=False)
class SiteUse:
    """Use of the sites by site and month, ``[S, T]`` each."""

    grid_mw: FloatArray
    """Import limit, 0 while a site cannot be used."""
    mining_mw: FloatArray
    hosting_mw: FloatArray
    gpu_mw: FloatArray
    sold_mw: FloatArray
    """Sold back: no use, but no longer there for one."""
    hall_mw: FloatArray
    """Mining halls, those added included."""
    space_mw: FloatArray
    """Critical MW that finished buildings have space for."""
    in_buildings_mw: FloatArray
    """Critical MW that need it."""
    running_hall_mw: FloatArray
    """Power of the running machines before pue."""
    displaced_hall_mw: FloatArray
    hashrate_eh_s: FloatArray

    @property
    def used_mw(self) -> FloatArray:
        """All uses together."""
        return self.mining_mw + self.hosting_mw + self.gpu_mw


@dataclass(frozen=True, slots=True, eq=False)
class Recalculation:
    """What follows from the decisions of a plan, month by month and in expectation."""

    book: Book
    cash_flow: tuple[CashFlowRow, ...]
    npv: NpvBreakdown
    terminal_npv_usd: Mapping[str, float]
    """The part of the NPV of each line that falls after the horizon."""
    capacity: tuple[CapacityRow, ...]
    mining: tuple[MiningRow, ...]
    earnings: tuple[EarningsRow, ...]
    contracts: tuple[ContractOutcome, ...]
    contract_money: tuple[ContractMoney, ...]
    enterprise_value_usd: float | None
    """Earnings of the stated year times the multiples; ``None`` without multiples or outside the horizon."""
    enterprise: ObjectiveOutcome | None
    """The enterprise value where it is the objective."""
    cvar_usd: float | None
    """Mean NPV over the tail that was given; ``None`` without one."""
    use: SiteUse
    """MW and hashrate by site and month."""
    cash_usd: FloatArray
    """Cash at the end of each month, ``[T]``."""
    stress_cash_usd: FloatArray
    """The same in each stress, ``[K, T]``."""
    stress_npv_usd: FloatArray
    """NPV in each stress, ``[K]``."""
    carbon: tuple[CarbonRow, ...]
    """Carbon by calendar year, where there is a rule on it."""
    tax: tuple[TaxRow, ...]
    """Corporate tax by calendar year."""
    debt_usd: FloatArray
    """Debt outstanding at the end of each month, ``[T]``."""
    own_hashprice_multiplier: FloatArray
    """What the hashprice that it was computed with contains of the market's answer to the plan, ``[T]``."""
    capex_usd: FloatArray
    """Capital expenditure that budgets count, positive, ``[T]``."""

    @property
    def decisions(self) -> Decisions:
        """The decisions that it was computed from."""
        return self.book.decisions

    @property
    def npv_usd(self) -> float:
        """Expected NPV."""
        return self.npv.total_usd

    @property
    def npv_after_horizon(self) -> NpvBreakdown:
        """The part of the NPV that falls after the horizon."""
        return _breakdown(self.terminal_npv_usd)

    @property
    def objective_usd(self) -> float:
        """What the plan is worth: its expected NPV, or what else the objective is."""
        beside = self.book.portfolio.risk.cvar_weight_frac * (self.cvar_usd or 0.0)
        beside -= hurdle_cost_usd(self.book)
        if self.enterprise is None:
            return self.npv_usd + beside
        return self.enterprise.discounted_usd + NPV_WEIGHT_AMONG_EQUALS * self.npv_usd + beside


def recalculate(portfolio: Portfolio, futures: MarketPaths, decisions: Decisions, tail: Tail = ()) -> Recalculation:
    """Compute everything that follows from ``decisions``, as ``docs/explanation/economics.md`` says.

    ``tail`` are scenarios with their shares of a mass, over which CVaR is the mean NPV.

    Raises:
        InvalidInputError: for names that do not exist, and for market paths of another horizon.
    """
    _check_horizon(portfolio, futures)
    book = read_decisions(portfolio, decisions)
    length = portfolio.horizon.month_count
    mining, gpu, sales, carbon, contracts = _expected(book, futures)
    terms = portfolio.finance.project_debt
    debts = [
        debt_money(*pair, terms, length) for pair in zip(book.contracts, [c.capex_usd for c in contracts], strict=True)
    ]
    balance = _sum([debt.balance_usd for debt in debts], length)
    columns = _columns(book, mining, contracts, gpu, sales, debts) | {
        "carbon_usd": carbon_cost_usd(portfolio, carbon.caused_t),
    }
    apart = {"gpu_spent_usd": gpu.spent_usd, "gpu_residual_usd": gpu.residual_usd}
    interest = _sum([debt.cost_usd for debt in debts], length)
    tax = tax_rows(portfolio.finance.tax, portfolio.horizon, columns | apart, interest)
    columns["corporate_tax_usd"] = paid_usd(tax, portfolio.horizon)
    stress_cash, stress_npv = in_stresses(portfolio, futures, decisions, recalculate)
    taxed = discount_factors(portfolio.finance, "corporate", length) @ columns["corporate_tax_usd"]
    terminal = terminal_npv_usd(book, mining, contracts, gpu, float(balance[-1]))
    use = _site_use(book, mining, gpu)
    earnings = _earnings(portfolio, columns)
    cash = portfolio.finance.opening_cash_usd + np.cumsum(_sum([*columns.values()], length))
    return Recalculation(
        book=book,
        cash_flow=_cash_flow_rows(portfolio, columns, cash, balance),
        npv=_breakdown(horizon_npv_usd(portfolio.finance, columns), terminal),
        terminal_npv_usd=terminal,
        capacity=_capacity_rows(portfolio, use),
        mining=_mining_rows(portfolio, mining),
        earnings=earnings,
        contracts=tuple(_outcome(portfolio, *pair) for pair in zip(book.contracts, contracts, strict=True)),
        contract_money=contracts,
        enterprise_value_usd=multiple_value_usd(portfolio.finance.multiples, earnings),
        enterprise=enterprise_objective(portfolio, earnings, cash, balance),
        cvar_usd=_cvar_usd(book, tail, debts, columns, float(balance[-1])),
        use=use,
        cash_usd=cash,
        stress_cash_usd=stress_cash + columns["corporate_tax_usd"].cumsum(),
        stress_npv_usd=stress_npv + taxed,
        tax=tax,
        carbon=carbon_rows(portfolio, carbon.caused_t, columns["carbon_usd"]),
        debt_usd=balance,
        own_hashprice_multiplier=futures.own_hashprice_multiplier,
        capex_usd=_capex_usd(columns, gpu),
    )


def _capex_usd(columns: Columns, gpu: GpuMoney) -> FloatArray:
    """Capital expenditure that budgets count, positive; residual values of GPUs are no part of it."""
    names = ("hosting", "opening", "interconnect", "hall", "building")
    return np.asarray(
        -sum(columns[f"{name}_capex_usd"] for name in names) - columns["machine_purchases_usd"] - gpu.spent_usd
    )


def _check_horizon(portfolio: Portfolio, futures: MarketPaths) -> None:
    if futures.month_count != portfolio.horizon.month_count:
        raise InvalidInputError.single(
            "futures.month_count",
            f"{futures.month_count} months of market paths for a horizon of {portfolio.horizon.month_count}",
            "make the market paths from this portfolio",
        )


def _expected(
    book: Book, futures: MarketPaths
) -> tuple[MiningMoney, GpuMoney, SaleMoney, CarbonTonnes, tuple[ContractMoney, ...]]:
    """Everything that depends on the scenarios, as the mean over all of them, part by part."""
    means: list[Any] = []
    for shard in futures.shards():
        energy, share = EnergyPrices(shard), shard.scenario_count / futures.scenario_count
        contracts = [contract_money(contract, energy) for contract in book.contracts]
        sales = sale_money(book.portfolio, book.sold_mw, energy)
        mining = mining_money(book, energy)
        parts = [mining, gpu_money(book, energy), sales, carbon_tonnes(book, energy, mining), *contracts]
        means = [_added(part, share, before) for part, before in zip(parts, means or [None] * len(parts), strict=True)]
    mining, gpu, sales, carbon, *money = means
    return mining, gpu, sales, carbon, tuple(money)


def _added(part: _Money, share: float, before: _Money | None) -> _Money:
    """A part's share of the mean on top of that of the parts before, field by field."""
    names = [item.name for item in fields(part)]
    return type(part)(
        **{name: share * getattr(part, name) + (getattr(before, name) if before is not None else 0.0) for name in names}
    )


def _sum(parts: Sequence[FloatArray], length: int) -> FloatArray:
    total = np.zeros(length)
    for part in parts:
        total += part[:length]
    return total


def _columns(
    book: Book,
    mining: MiningMoney,
    contracts: Sequence[ContractMoney],
    gpu: GpuMoney,
    sales: SaleMoney,
    debts: Sequence[DebtMoney],
) -> Columns:
    length = book.portfolio.horizon.month_count
    return {
        "mining_margin_usd": mining.margin_usd.sum(axis=0),
        "machine_purchases_usd": mining.purchases_usd,
        "machine_sales_usd": mining.sales_usd,
        "machine_moves_usd": mining.moves_usd,
        "hosting_noi_usd": _sum([money.noi_usd + money.re_lease_usd for money in contracts], length),
        "hosting_prepayments_usd": _sum([money.prepayment_usd for money in contracts], length),
        "hosting_capex_usd": _sum([money.capex_usd + money.refit_usd for money in contracts], length),
        "power_sales_usd": sales.earned_usd,
        "gpu_margin_usd": gpu.margin_usd,
        "gpu_capex_usd": gpu.spent_usd + gpu.residual_usd,
        **company_columns(book),
        "debt_draws_usd": _sum([debt.draws_usd for debt in debts], length),
        "debt_service_usd": _sum([debt.service_usd for debt in debts], length),
    }


def _cvar_usd(book: Book, tail: Tail, debts: Sequence[DebtMoney], columns: Columns, debt_usd: float) -> float | None:
    """Mean NPV over a tail; debt, carbon and tax stay what they are in expectation."""
    if not tail:
        return None
    unmoved, found = {name: columns[name] for name in ("carbon_usd", "corporate_tax_usd")}, 0.0
    for part, share in tail:
        mining, gpu, sales, _, contracts = _expected(book, part)
        paid = _columns(book, mining, contracts, gpu, sales, debts) | unmoved
        after = terminal_npv_usd(book, mining, contracts, gpu, debt_usd)
        found += share * _breakdown(horizon_npv_usd(book.portfolio.finance, paid), after).total_usd
    return found


def _breakdown(*parts: Mapping[str, float]) -> NpvBreakdown:
    by_line = {line: sum(part[line] for part in parts) for line in parts[0]}
    return NpvBreakdown(**{f"{line}_usd": usd for line, usd in by_line.items()}, total_usd=sum(by_line.values()))


def _site_use(book: Book, mining: MiningMoney, gpu: GpuMoney) -> SiteUse:
    months = range(book.portfolio.horizon.month_count)
    limit = import_limit_mw(book.portfolio, book.grid_advances)
    hosting, displaced = np.zeros(limit.shape), gpu.displaced_halls_mw.copy()
    inside = np.zeros(limit.shape)
    for contract in book.contracts:
        inside[contract.site_index] += [contract.in_buildings_mw(t) for t in months]
        hosting[contract.site_index] += [
            contract.grid_mw(month) + contract.re_leased_grid_mw(month) for month in months
        ]
        displaced[contract.site_index] += [contract.displaced_halls_mw(month) for month in months]
    return SiteUse(
        grid_mw=np.where(book.usable(), limit, 0.0),
        mining_mw=mining.mining_mw,
        hosting_mw=hosting,
        gpu_mw=gpu.gpu_mw,
        sold_mw=book.sold_mw,
        hall_mw=halls_mw(book.portfolio, book.added_halls),
        space_mw=space_mw(book.portfolio, book.buildings),
        in_buildings_mw=inside,
        running_hall_mw=mining.hall_mw,
        displaced_hall_mw=displaced,
        hashrate_eh_s=mining.hashrate_eh_s,
    )


def _capacity_rows(portfolio: Portfolio, use: SiteUse) -> tuple[CapacityRow, ...]:
    idle = use.grid_mw - use.used_mw - use.sold_mw
    return tuple(
        CapacityRow(
            site=site.name,
            month=month,
            grid_mw=float(use.grid_mw[s, t]),
            mining_mw=float(use.mining_mw[s, t]),
            hosting_mw=float(use.hosting_mw[s, t]),
            gpu_mw=float(use.gpu_mw[s, t]),
            idle_mw=float(idle[s, t]),
            hashrate_eh_s=float(use.hashrate_eh_s[s, t]),
            sold_mw=float(use.sold_mw[s, t]),
        )
        for s, site in enumerate(portfolio.sites)
        for t, month in enumerate(portfolio.horizon.months)
    )


def _mining_rows(portfolio: Portfolio, mining: MiningMoney) -> tuple[MiningRow, ...]:
    """Only where machines run."""
    return tuple(
        MiningRow(
            site=site.name,
            month=month,
            hashrate_eh_s=float(mining.hashrate_eh_s[s, t]),
            energy_mwh=float(mining.energy_mwh[s, t]),
            mined_btc=float(mining.mined_btc[s, t]),
            revenue_usd=float(mining.revenue_usd[s, t]),
            power_usd=float(mining.power_usd[s, t]),
        )
        for s, site in enumerate(portfolio.sites)
        for t, month in enumerate(portfolio.horizon.months)
        if mining.mining_mw[s, t] > 0.0
    )


def _cash_flow_rows(
    portfolio: Portfolio, columns: Columns, cash: FloatArray, balance: FloatArray
) -> tuple[CashFlowRow, ...]:
    shown = {**columns, "net_cash_usd": _sum([*columns.values()], cash.size), "cash_usd": cash, "debt_usd": balance}
    return tuple(
        CashFlowRow(month=month, **{name: float(array[t]) for name, array in shown.items()})
        for t, month in enumerate(portfolio.horizon.months)
    )


def _earnings(portfolio: Portfolio, columns: Columns) -> tuple[EarningsRow, ...]:
    years = np.array([month.year for month in portfolio.horizon.months])
    earned = {f"{line}_usd": sum(columns[name] for name in names) for line, names in EARNINGS.items()}
    return tuple(
        EarningsRow(
            year=int(year),
            month_count=int((years == year).sum()),
            **{name: float(np.asarray(usd)[years == year].sum()) for name, usd in earned.items()},
        )
        for year in np.unique(years)
    )


def _outcome(portfolio: Portfolio, contract: Contract, money: ContractMoney) -> ContractOutcome:
    month_at = portfolio.horizon.month_at
    full_kw = contract.critical_mw * KW_PER_MW
    return ContractOutcome(
        offer=contract.offer.name,
        tenant=contract.offer.tenant,
        site=contract.site.name,
        critical_mw=contract.critical_mw,
        grid_mw=contract.critical_mw * contract.place.grid_mw_per_critical_mw,
        sign_month=month_at(contract.sign),
        build_start_month=month_at(contract.build_start),
        energize_month=month_at(contract.energize),
        full_energize_month=month_at(contract.full),
        end_month=month_at(contract.end),
        owner_capex_usd=contract.owner_capex_usd,
        debt_usd=contract.debt_usd,
        first_year_rent_usd=MONTHS_PER_YEAR * contract.offer.price_usd_per_kw_month * full_kw * money.locked_in_frac,
        npv_usd=contract_npv_usd(portfolio.finance, money, portfolio.horizon.month_count),
        reconverted_mw=contract.reconverted_mw,
        re_leased_mw=contract.re_leased_mw,
    )
