"""Project debt of one contract: draws with the owner's capex, level instalments, the rest at the end of the term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.audit.contract import Contract, ContractMoney
from optimizer.audit.paths import FloatArray
from optimizer.domain import ProjectDebt
from optimizer.units import MONTHS_PER_YEAR


@dataclass(frozen=True, slots=True, eq=False)
class DebtMoney:
    """Debt of one contract in each month of the horizon."""

    draws_usd: FloatArray
    service_usd: FloatArray
    """Fees, interest and principal that are paid; negative."""
    balance_usd: FloatArray
    """Outstanding at the end of the month."""
    cost_usd: FloatArray
    """Fees and interest as they accrue, paid or added to the balance; negative."""


def debt_money(contract: Contract, capex_usd: FloatArray, terms: ProjectDebt | None, month_count: int) -> DebtMoney:
    """Draws and service of a contract's debt; ``capex_usd`` is the owner's, negative, by month."""
    draws, service, balances, cost = np.zeros((4, month_count))
    total_capex = -capex_usd.sum()
    if terms is None or contract.debt_usd == 0.0 or total_capex == 0.0:
        return DebtMoney(draws, service, balances, cost)
    balance, at_full = 0.0, full_balance_usd(contract, capex_usd, terms)
    for month in range(month_count):
        interest = balance * terms.interest_per_year_frac / MONTHS_PER_YEAR
        kept = interest if terms.capitalise_interest and month <= contract.full else 0.0
        draws[month] = contract.debt_usd * -capex_usd[month] / total_capex
        balance += draws[month] + kept
        principal = 0.0
        if month == contract.end - 1:
            principal = balance
        elif month < contract.end and contract.full < month <= contract.full + terms.amortization_months:
            principal = at_full / terms.amortization_months
        balance -= principal
        cost[month] = -(draws[month] * terms.origination_fee_frac + interest)
        service[month] = cost[month] + kept - principal
        balances[month] = balance
    return DebtMoney(draws, service, balances, cost)


def full_balance_usd(contract: Contract, capex_usd: FloatArray, terms: ProjectDebt) -> float:
    """Debt at the end of the month of full energization: all that is drawn, with the interest that was capitalised."""
    if not terms.capitalise_interest:
        return contract.debt_usd
    monthly = 1.0 + terms.interest_per_year_frac / MONTHS_PER_YEAR
    drawn = contract.debt_usd * capex_usd / capex_usd.sum()
    return float(sum(usd * monthly ** (contract.full - month) for month, usd in enumerate(drawn) if usd))


def coverage_shortfall_usd(contract: Contract, money: ContractMoney, terms: ProjectDebt) -> tuple[float, int]:
    """Largest monthly income that is missing for the least coverage of debt service, and its month.

    Negative where income is more than enough. Counts every month from the one after full energization to the last
    instalment or the end of the term, also after the horizon; the balloon is not part of the service.
    """
    worst, worst_month = -np.inf, contract.full + 1
    balance = full_balance_usd(contract, money.capex_usd, terms)
    instalment = balance / terms.amortization_months
    until = min(contract.end, contract.full + 1 + terms.amortization_months, money.contracted_noi_usd.size)
    for month in range(max(contract.full + 1, 0), until):
        interest = balance * terms.interest_per_year_frac / MONTHS_PER_YEAR
        missing = terms.minimum_dscr * (interest + instalment) - money.contracted_noi_usd[month]
        if missing > worst:
            worst, worst_month = missing, month
        balance -= instalment
    return float(worst), worst_month
