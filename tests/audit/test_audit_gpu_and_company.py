"""Own GPUs, site openings, fixed costs, earnings and enterprise value against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import asic, market_of, month, offer, place, portfolio, site

from optimizer.audit import Claims, audit, recalculate
from optimizer.curves import CAP_CURVES
from optimizer.domain import (
    ContractDecision,
    Decisions,
    GpuOrder,
    MachineDecision,
    ModeCount,
    SiteOpening,
)


def option(**changes):
    """Blocks of 1,000 GPUs of 1 kW: a megawatt of critical IT."""
    return {
        "name": "G",
        "gpu_model": "GB300",
        "sites": ["A"],
        "block_gpu_count": 1000,
        "maximum_block_count": 3,
        "order_from_month": "2027-01",
        "order_until_month": "2027-12",
        "capex_usd_per_gpu": 1000.0,
        "fit_out_usd_per_critical_mw": 200_000.0,
        "power_kw_per_gpu": 1.0,
        "pue": 1.2,
        "grid_mw_per_critical_mw": 1.5,
        "halls_displaced_mw_per_critical_mw": 2.0,
        "lead_months": 2,
        "life_months": 4,
        "rental_usd_per_gpu_hour": 0.5,
        "utilisation_frac": 0.8,
        "goodput_frac": 0.9,
        "opex_usd_per_gpu_month": 10.0,
        "residual_frac": 0.2,
        **changes,
    }


def ordered(when="2027-02", block_count=2):
    return Decisions(gpu_orders=(GpuOrder(gpu_option="G", site="A", order_month=month(when), block_count=block_count),))


def column(recalculation, name):
    return np.array([getattr(row, name) for row in recalculation.cash_flow])


def test_block_with_residual_inside_the_horizon():
    case = portfolio(months=10, gpu_options=[option()])
    # In one scenario the rental is so low that the block stays off: 0.036 USD of billing against 0.048 of energy.
    market = market_of(case, scenario_count=2, gpu_multiplier=[1.0, 0.1])
    found, report = audit(case, market, ordered(), Claims())
    # Ordered in month 1: 2,000 GPUs and 2 MW of fit-out. Earns in months 3 to 6; then a fifth of the GPUs' price.
    assert column(found, "gpu_capex_usd") == pytest.approx([0, -2.4e6, 0, 0, 0, 0, 0, 0.4e6, 0, 0])
    assert found.capex_usd == pytest.approx([0, 2.4e6, 0, 0, 0, 0, 0, 0, 0, 0])
    hours = np.array([720, 744, 720, 744.0])  # April to July
    per_gpu = 0.5 * hours * (0.5 * 0.8 * 0.9 - 0.001 * 1.2 * 40) - 10
    assert column(found, "gpu_margin_usd") == pytest.approx([0, 0, 0, *(2000 * per_gpu), 0, 0, 0])
    assert found.use.gpu_mw[0] == pytest.approx([0, 0, 0, 3, 3, 3, 3, 0, 0, 0])
    assert found.use.displaced_hall_mw[0] == pytest.approx([0, *[4] * 9])
    assert found.terminal_npv_usd["gpu"] == 0.0
    assert report.passed, report.failures


@pytest.mark.parametrize(("months", "age"), [(6, 3), (7, 4)])
def test_residual_at_the_end_of_the_horizon(months, age):
    case = portfolio(months=months, discount_per_year_frac=0.1, gpu_options=[option()])
    found = recalculate(case, market_of(case), ordered())
    # Earns from month 3; 2 M less 0.4 M for each month of age, not in the cash.
    value = 2e6 - 0.4e6 * age
    assert column(found, "gpu_capex_usd")[2:] == pytest.approx([0.0] * (months - 2))
    assert found.terminal_npv_usd["gpu"] == pytest.approx(value * 1.1 ** (-months / 12))
    assert found.npv_after_horizon.gpu_usd == found.npv_after_horizon.total_usd == found.terminal_npv_usd["gpu"]
    factors = 1.1 ** (-(np.arange(months) + 1) / 12)
    in_horizon = factors @ (column(found, "gpu_capex_usd") + column(found, "gpu_margin_usd"))
    assert found.npv.gpu_usd == pytest.approx(in_horizon + found.npv_after_horizon.gpu_usd)


def test_the_best_power_cap_of_each_month():
    case = portfolio(months=4, gpu_options=[option(cap_curve="a100-training")])
    prices = [[300.0, 60.0, 300.0, 500.0] + [300.0] * 8, list(range(1, 13))]
    found = recalculate(case, market_of(case, prices={"A": prices}), ordered("2027-01", 1))
    curve = CAP_CURVES["a100-training"]
    march, april = (
        [0.36 * th - 0.0012 * price * kw for th, kw in zip(curve.throughput_frac, curve.power_frac, strict=True)]
        for price in (300.0, 500.0)
    )
    # In March full power only just pays for itself and a cap earns more; in April nothing pays.
    assert max(march) > march[-1] == pytest.approx(0.0)
    assert max(april) < 0.0
    assert column(found, "gpu_margin_usd")[2:] == pytest.approx([1000 * (744 * max(march) - 10), -10_000])


def test_opening_fixed_costs_and_overhead():
    case = portfolio(
        months=6,
        sites=[
            site("A", fixed_opex_usd_per_month=100.0, lease_end_month="2027-05"),
            site(
                "B",
                fixed_opex_usd_per_month=10.0,
                opening={"earliest_month": "2027-01", "capex_usd": 5000.0, "lead_months": 2},
            ),
            site("C", fixed_opex_usd_per_month=1.0, opening={"earliest_month": "2027-01", "capex_usd": 7.0}),
        ],
        finance={"overhead_usd_per_month": 1000.0, "overhead_growth_per_year_frac": 0.21},
    )
    decisions = Decisions(site_openings=(SiteOpening(site="B", month=month("2027-02")),))
    found, report = audit(case, market_of(case), decisions, Claims())
    # A until its lease ends with month 3, B from month 3, C never.
    assert column(found, "site_costs_usd") == pytest.approx([-100, -100, -100, -110, -10, -10])
    assert column(found, "opening_capex_usd") == pytest.approx([0, -5000, 0, 0, 0, 0])
    assert column(found, "overhead_usd") == pytest.approx(-1000 * 1.21 ** (np.arange(6) / 12))
    assert found.capex_usd == pytest.approx([0, 5000, 0, 0, 0, 0])
    assert [row.grid_mw for row in found.capacity] == [100] * 4 + [0] * 2 + [0] * 3 + [100] * 3 + [0] * 6
    assert found.npv.corporate_usd == pytest.approx(found.cash_usd[-1] - 1e8)
    assert report.passed, report.failures


def test_earnings_and_enterprise_value():
    case = portfolio(
        months=15,
        sites=[site(fixed_opex_usd_per_month=100.0)],
        asic_models=[asic()],
        fleets=[{"asic_model": "M", "site": "A", "count": 10}],
        offers=[offer(prepayment={"rent_months": 1}, sites=[place(build_months=2)])],
        finance={"multiples": {"year": 2027, "hosting_multiple": 18.0, "mining_multiple": 8.0}},
    )
    decisions = Decisions(
        contracts=(ContractDecision(offer="O", site="A", sign_month=month("2027-01"), critical_mw=10.0),),
        machines=tuple(
            MachineDecision(
                site="A",
                asic_model="M",
                month=when,
                stock_count=10,
                running=(ModeCount(mode=2, machine_count=10),),
            )
            for when in case.horizon.months
        ),
    )
    found = recalculate(case, market_of(case), decisions)
    mining = 10 * (50 / 24 / 1000 * 160 - 0.21) * 24
    first, second = found.earnings
    assert (first.year, first.month_count, second.year, second.month_count) == (2027, 12, 2028, 3)
    assert first.hosting_usd == pytest.approx(10e6)  # without prepayment and credits
    assert first.mining_usd == pytest.approx(mining * 365)
    assert first.cost_usd == pytest.approx(-1200)
    assert second.hosting_usd == pytest.approx(3e6)
    assert found.enterprise_value_usd == pytest.approx(18 * 10e6 + 8 * mining * 365)


def test_no_enterprise_value_outside_the_horizon_or_without_multiples():
    for finance in ({}, {"multiples": {"year": 2031}}):
        case = portfolio(finance=finance)
        assert recalculate(case, market_of(case), Decisions()).enterprise_value_usd is None
