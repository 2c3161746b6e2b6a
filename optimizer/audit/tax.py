"""Corporate tax: expected income year by year, what is written off of the capex, losses used as soon as they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from optimizer.audit.paths import FloatArray
from optimizer.domain import CorporateTax, Horizon
from optimizer.domain.outcome import TaxRow
from optimizer.units import MONTHS_PER_YEAR

INCOME: Final = (
    "mining_margin_usd", "machine_sales_usd", "machine_moves_usd", "hosting_noi_usd", "hosting_prepayments_usd",
    "gpu_margin_usd", "site_costs_usd", "overhead_usd", "power_sales_usd",
    "carbon_usd",
)  # fmt: skip
"""Columns of the cash flow that are income in the month in which they are paid."""
WRITTEN_OFF: Final = {
    "hosting": ("hosting_capex_usd",),
    "machine": ("machine_purchases_usd",),
    "gpu": ("gpu_spent_usd",),
    "opening": ("opening_capex_usd", "interconnect_capex_usd", "hall_capex_usd", "building_capex_usd"),
}
"""Capex by the class under which it is written off."""


def tax_rows(
    tax: CorporateTax | None, horizon: Horizon, columns: Mapping[str, FloatArray], interest_usd: FloatArray
) -> tuple[TaxRow, ...]:
    """Tax of every calendar year of the horizon; nothing without tax.

    ``columns`` are those of the cash flow, and ``gpu_spent_usd`` and ``gpu_residual_usd`` apart; costs are negative.
    """
    if tax is None:
        return ()
    earned = sum((columns[name] for name in (*INCOME, "gpu_residual_usd")), np.zeros(horizon.month_count))
    if tax.interest_deductible:
        earned = earned + interest_usd
    gone = np.zeros(horizon.month_count)
    for kind, names in WRITTEN_OFF.items():
        years = getattr(tax, f"{kind}_write_off_years")
        for name in names:
            gone += _written_off_usd(-columns[name], years, tax.bonus_share_frac)
    rows: list[TaxRow] = []
    losses = tax.opening_losses_usd
    for year in sorted({month.year for month in horizon.months}):
        inside = [index for index, month in enumerate(horizon.months) if month.year == year]
        income, deducted = float(earned[inside].sum()), float(gone[inside].sum())
        profit = max(income - deducted, 0.0)
        used = min(losses, tax.loss_income_share_frac * profit)
        losses += max(deducted - income, 0.0) - used
        rows.append(
            TaxRow(
                year=year,
                income_usd=income,
                written_off_usd=deducted,
                losses_used_usd=used,
                losses_left_usd=losses,
                tax_usd=tax.rate_frac * (profit - used),
            )
        )
    return tuple(rows)


def paid_usd(rows: tuple[TaxRow, ...], horizon: Horizon) -> FloatArray:
    """Tax by month, negative: each year's in its last month in the horizon, ``[T]``."""
    cash = np.zeros(horizon.month_count)
    for row in rows:
        last = max(index for index, month in enumerate(horizon.months) if month.year == row.year)
        cash[last] -= row.tax_usd
    return cash


def _written_off_usd(spent_usd: FloatArray, years: int, bonus_share_frac: float) -> FloatArray:
    """What is written off in each month of the horizon of what was spent in its months."""
    gone, months = np.zeros(spent_usd.size), years * MONTHS_PER_YEAR
    for month in np.flatnonzero(spent_usd):
        gone[month] += bonus_share_frac * spent_usd[month]
        gone[month : month + months] += (1.0 - bonus_share_frac) * spent_usd[month] / months
    return gone
