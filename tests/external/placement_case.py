"""Three sites, six contracts, two years: a portfolio as a plain statement, with every part that bends the answer.

Numbers of US, Norwegian and Canadian sites are plausible, not anybody's. Nothing is uncertain.
"""

from __future__ import annotations

import math
from typing import Any

MONTH_COUNT = 24
YEAR_OF_HOURS = [
    round(28.0 + 22.0 * math.sin(2.0 * math.pi * (hour % 24 - 12) / 24.0) + 60.0 * (hour % 173 == 0) - hour / 1000.0, 3)
    for hour in range(8760)
]
"""A daily swing, a spike a week and a slow fall, in USD/MWh; some hours are negative."""

SITES: list[dict[str, Any]] = [
    {
        "name": "Mesa",
        "country": "US",
        "region": "US-TX",
        "grid": [{"from_month": "2027-01", "grid_mw": 62.0}, {"from_month": "2027-07", "grid_mw": 104.0}],
        "hall_mw": 58.0,
        "power": {"hourly_series": "west", "adder_usd_per_mwh": 9.0, "escalation_per_year_frac": 0.02},
        "demand_response": {"usd_per_mw_month": 1500.0, "until_month": "2028-07"},
        "transmission_credit": {"usd_per_kw_year": 12.0},
        "mining_pue": 1.05,
        "hosting_pue": 1.3,
        "mining_uptime_frac": 0.96,
        "mining_opex_usd_per_mw_month": 3000.0,
        "fixed_opex_usd_per_month": 100_000.0,
    },
    {
        "name": "Fjord",
        "country": "NO",
        "region": "NO-N",
        "grid": [{"from_month": "2027-01", "grid_mw": 44.0}],
        "hall_mw": 38.0,
        "power": {"flat_usd_per_mwh": 29.0, "escalation_per_year_frac": 0.01},
        "mining_pue": 1.03,
        "hosting_pue_by_month": [1.1, 1.1, 1.12, 1.15, 1.2, 1.24, 1.26, 1.25, 1.2, 1.15, 1.12, 1.1],
        "mining_uptime_frac": 0.98,
        "mining_opex_usd_per_mw_month": 3500.0,
        "fixed_opex_usd_per_month": 70_000.0,
        "import_duty_frac": 0.1,
    },
    {
        "name": "Prairie",
        "country": "CA",
        "region": "CA-AB",
        "grid": [{"from_month": "2027-01", "grid_mw": 40.0}],
        "hall_mw": 36.0,
        "power": {"flat_usd_per_mwh": 46.0, "adder_usd_per_mwh": 3.0},
        "mining_pue": 1.06,
        "hosting_pue": 1.2,
        "mining_uptime_frac": 0.97,
        "mining_opex_usd_per_mw_month": 2500.0,
        "fixed_opex_usd_per_month": 50_000.0,
        "lease_end_month": "2030-06",
    },
]

MACHINES: list[dict[str, Any]] = [
    {
        "name": "new",
        "modes": [{"hashrate_th_s": 190.0, "power_w": 2660.0}, {"hashrate_th_s": 234.0, "power_w": 3510.0}],
        "price_usd_per_th": {"value": 7.0, "growth_per_year_frac": -0.1},
        "purchasable": True,
        "delivery_lead_months": 2,
        "resale_frac": 0.6,
        "move_usd_per_machine": 60.0,
        "move_downtime_months": 1,
    },
    {
        "name": "old",
        "modes": [{"hashrate_th_s": 104.0, "power_w": 3068.0}],
        "price_usd_per_th": {"value": 3.0, "growth_per_year_frac": -0.4},
        "purchasable": False,
        "delivery_lead_months": 2,
        "resale_frac": 0.5,
        "move_usd_per_machine": 40.0,
        "move_downtime_months": 2,
    },
]
FLEETS: list[dict[str, Any]] = [
    {"asic_model": "new", "site": "Mesa", "count": 9000},
    {"asic_model": "old", "site": "Mesa", "count": 8000, "condition_frac": 0.95},
    {"asic_model": "new", "site": "Fjord", "count": 6000},
    {"asic_model": "old", "site": "Prairie", "count": 11000, "condition_frac": 0.95},
]


def _place(site: str, capex_musd: float, build_months: int, halls: float, grid: float = 1.43, **more: Any) -> dict:
    return {
        "site": site,
        "capex_usd_per_critical_mw": capex_musd * 1e6,
        "build_months": build_months,
        "halls_displaced_mw_per_critical_mw": halls,
        "grid_mw_per_critical_mw": grid,
        **more,
    }


OFFERS: list[dict[str, Any]] = [
    {
        "name": "cloud",
        "critical_mw": 30.0,
        "price_usd_per_kw_month": 172.0,
        "escalator_per_year_frac": 0.03,
        "term_months": 120,
        "phases": [{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 4}],
        "sign_from_month": "2027-04",
        "sign_until_month": "2027-10",
        "noi_margin_frac": 0.85,
        "prepayment": {"rent_months": 3, "credit_months": 12},
        "sites": [_place("Mesa", 9.5, 8, 0.6), _place("Fjord", 8.8, 10, 1.0, 1.3)],
    },
    {
        "name": "lab",
        "minimum_critical_mw": 5.0,
        "maximum_critical_mw": 20.0,
        "price_usd_per_kw_month": 105.0,
        "term_months": 36,
        "sign_from_month": "2027-01",
        "sign_until_month": "2027-06",
        "landlord_opex_usd_per_kw_month": 18.0,
        "sites": [_place("Fjord", 1.9, 5, 1.2, 1.25), _place("Mesa", 2.1, 6, 0.6)],
    },
    {
        "name": "burst",
        "critical_mw": 10.0,
        "price_usd_per_kw_month": 118.0,
        "escalator_per_year_frac": 0.02,
        "term_months": 10,
        "sign_from_month": "2027-10",
        "sign_until_month": "2028-04",
        "power_payer": "landlord",
        "landlord_opex_usd_per_kw_month": 9.0,
        "renewal": {"option_count": 2, "term_months": 12, "probability_frac": 0.5, "rent_frac": 0.9},
        "sites": [_place("Fjord", 0.7, 2, 1.1, 1.3), _place("Prairie", 0.6, 2, 1.1, 1.35)],
    },
    {
        "name": "retrofit",
        "critical_mw": 12.0,
        "price_usd_per_kw_month": 95.0,
        "term_months": 24,
        "sign_from_month": "2027-01",
        "sign_until_month": "2027-06",
        "noi_margin_frac": 0.8,
        "sites": [
            _place("Prairie", 2.6, 4, 1.0, 1.3, tenant_capex_share_frac=0.5, earliest_energize_month="2027-08"),
            _place("Mesa", 2.4, 4, 0.8, 1.4),
        ],
    },
    {
        "name": "anchor",
        "critical_mw": 36.0,
        "price_usd_per_kw_month": 158.0,
        "escalator_per_year_frac": 0.025,
        "term_months": 144,
        "sign_from_month": "2027-01",
        "sign_until_month": "2027-08",
        "energize_by_month": "2028-10",
        "noi_margin_frac": 0.9,
        "sites": [_place("Mesa", 9.9, 12, 0.5)],
    },
    {
        "name": "edge",
        "critical_mw": 6.0,
        "price_usd_per_kw_month": 120.0,
        "term_months": 32,
        "sign_from_month": "2027-01",
        "sign_until_month": "2027-06",
        "landlord_opex_usd_per_kw_month": 15.0,
        "sites": [_place("Mesa", 2.5, 6, 0.6), _place("Fjord", 2.2, 6, 1.0, 1.3), _place("Prairie", 2.0, 6, 1.0, 1.3)],
    },
]
"""A contract of 32 months fits before Prairie's lease ends if it is signed early enough."""

MARKET: dict[str, Any] = {
    "btc_usd": {"value": 95_000.0, "growth_per_year_frac": 0.1},
    "network_eh_s": {"value": 1000.0, "growth_per_year_frac": 0.15},
    "fee_share_frac": 0.007,
    "block_height_at_start": 990_000,
    "pool_fee_frac": 0.01,
    "power_level": {"value": 1.0, "growth_per_year_frac": 0.03},
}
FINANCE: dict[str, Any] = {
    "discount": {
        "mining_per_year_frac": 0.15,
        "hosting_per_year_frac": 0.09,
        "corporate_per_year_frac": 0.1,
    },
    "opening_cash_usd": 245e6,
    "minimum_liquidity_usd": 40e6,
    "capex_budgets": [
        {"name": "2027", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 280e6},
        {"name": "all", "from_month": "2027-01", "until_month": "2028-12", "maximum_capex_usd": 360e6},
    ],
    "overhead_usd_per_month": 400_000.0,
    "overhead_growth_per_year_frac": 0.03,
    "terminal": {"contract_tail_frac": 0.8, "mining_tail_months": 3, "machine_resale_frac": 0.9},
}


def statement(**changes: Any) -> dict[str, Any]:
    """The whole portfolio; ``changes`` replace its parts."""
    return {
        "name": "placement",
        "horizon": {
            "start_month": "2027-01",
            "segments": [{"months_per_period": 1, "period_count": MONTH_COUNT}],
            "sign_every_months": 1,
        },
        "sites": SITES,
        "asic_models": MACHINES,
        "fleets": FLEETS,
        "offers": [{"tenant": f"tenant of {item['name']}", **item} for item in OFFERS],
        "market": MARKET,
        "finance": FINANCE,
        "risk": {"scenario_count": 1},
        "series": [{"name": "west", "hours": {"first_hour": "2025-01-01T00:00", "usd_per_mwh": YEAR_OF_HOURS}}],
        **changes,
    }
