"""Enterprise value: earnings of a stated year times multiples, and, as an objective, with cash and debt, discounted."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.audit.paths import FloatArray
from optimizer.domain import Multiples, Objective, Portfolio
from optimizer.domain.outcome import EarningsRow, ObjectiveOutcome
from optimizer.units import MONTHS_PER_YEAR


def multiple_value_usd(multiples: Multiples | None, earnings: Sequence[EarningsRow]) -> float | None:
    """Earnings of the stated year times the multiples; ``None`` without multiples or outside the horizon."""
    if multiples is None:
        return None
    for row in earnings:
        if row.year == multiples.year:
            return (
                row.hosting_usd * multiples.hosting_multiple
                + row.mining_usd * multiples.mining_multiple
                + row.gpu_usd * multiples.gpu_multiple
            )
    return None


def enterprise_objective(
    portfolio: Portfolio, earnings: Sequence[EarningsRow], cash_usd: FloatArray, debt_usd: FloatArray
) -> ObjectiveOutcome | None:
    """What the enterprise value is made of where it is the objective; ``None`` where it is not."""
    finance = portfolio.finance
    value = multiple_value_usd(finance.multiples, earnings)
    if finance.objective is not Objective.ENTERPRISE_VALUE or finance.multiples is None or value is None:
        return None
    year = finance.multiples.year
    last = max(index for index, month in enumerate(portfolio.horizon.months) if month.year == year)
    cash, debt = float(cash_usd[last]), float(debt_usd[last])
    years = (last + 1) / MONTHS_PER_YEAR
    return ObjectiveOutcome(
        year=year,
        multiple_value_usd=value,
        cash_usd=cash,
        debt_usd=debt,
        value_usd=value + cash - debt,
        discounted_usd=(value + cash - debt) / (1.0 + finance.multiples.discount_per_year_frac) ** years,
    )
