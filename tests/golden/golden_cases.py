"""Portfolios whose answers are pinned, by the name of their file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support import asic, fleet, gpu_option, offer, opening, place, portfolio, scalable, site

from optimizer.domain import Portfolio
from optimizer.io import load_portfolio


def two_sites() -> Portfolio:
    """Contracts under a budget and two crews; nothing else."""
    offers = [
        offer(f"O{i}", price_usd_per_kw_month=60.0 + 7 * i, term_months=6, sign_until_month="2027-04",
              sites=[place("A", build_months=2), place("B", capex_usd_per_critical_mw=8e4, build_months=3)])
        for i in range(5)
    ]  # fmt: skip
    return portfolio(
        14,
        sites=[site("A", grid_mw=18.0), site("B", grid_mw=24.0, region="US-NY")],
        offers=offers,
        discount_per_year_frac=0.1,
        finance={
            "opening_cash_usd": 4e6,
            "capex_budgets": [
                {"name": "first", "from_month": "2027-01", "until_month": "2027-03", "maximum_capex_usd": 1.5e6}
            ],
        },
        policy={"parallel_builds": [{"maximum_count": 2}]},
    )


def late_building() -> Portfolio:
    """Two sites at which building can be late and dearer, and a stress in which it is."""
    data = two_sites().model_dump(exclude_unset=True)
    data["sites"][0]["construction_outcomes"] = [
        {"probability_frac": 0.3, "delay_months": 2},
        {"probability_frac": 0.2, "delay_months": 4, "capex_overrun_frac": 0.5},
    ]
    data["sites"][1]["construction_outcomes"] = [{"probability_frac": 0.4, "capex_overrun_frac": 0.3}]
    data["finance"]["stresses"] = [{"name": "late", "construction": [{"delay_months": 3, "capex_overrun_frac": 0.4}]}]
    data["risk"] = {"scenario_count": 200}
    return Portfolio.model_validate(data)


def futures() -> Portfolio:
    """The two sites, of which one may be shut, with tenants that fail together, rents that move and a late interconnect."""
    data = two_sites().model_dump(exclude_unset=True)
    data["sites"][1]["country"] = "CA"
    data["sites"][0]["construction_outcomes"] = [{"probability_frac": 0.3, "interconnect_slip_months": 6}]
    for item in data["offers"]:
        item["credit"] = {
            "default_hazard_per_year_frac": 0.2,
            "backstop_share_frac": 0.5,
            "backstopper": "G",
            "backstop_hazard_per_year_frac": 0.1,
        }
        item["rent_index"] = {"growth_per_year_frac": 0.4}
        item["renewal"] = {"option_count": 1, "term_months": 4, "probability_frac": 0.5, "market_rent_share_frac": 0.9}
        item["sites"][0]["earliest_energize_month"] = "2027-02"
    data["market"] |= {
        "uncertainty": [{"factor": "re_lease_rent", "volatility_per_year_frac": 0.4}],
        "credit_factor": {
            "asset_correlation_frac": 0.4,
            "market_factor": "re_lease_rent",
            "market_correlation_frac": 0.5,
        },
        "country_risks": [{"country": "CA", "hazard_per_year_frac": 0.3, "shut_months": 3}],
    }
    data["risk"] = {"scenario_count": 200}
    return Portfolio.model_validate(data)


def everything() -> Portfolio:
    """Months, then quarters; every family has something to do."""
    modes = [{"hashrate_th_s": 120.0, "power_w": 2500.0}, {"hashrate_th_s": 200.0, "power_w": 5000.0}]
    return portfolio(
        segments=[(1, 6), (3, 4)],
        discount_per_year_frac=0.12,
        sites=[
            site("A", grid_mw=20.0, hall_mw=12.0),
            site("B", grid_mw=15.0, hall_mw=8.0, country="CA", region="CA-QC", power={"flat_usd_per_mwh": 32.0}),
            site("C", grid_mw=25.0, hall_mw=5.0, opening=opening(4e5, 1), fixed_opex_usd_per_month=2e4),
        ],
        asic_models=[
            asic(modes=modes, price_usd_per_th=2.0, purchasable=True, resale_frac=0.5, move_downtime_months=1,
                 move_usd_per_machine=20.0, delivery_lead_months=2)
        ],
        fleets=[fleet(2400), fleet(900, "B", condition_frac=0.9)],
        offers=[
            offer("north", tenant="T", term_months=24, sign_until_month="2027-06",
                  sites=[place("A", halls_displaced_mw_per_critical_mw=0.4, build_months=3), place("C", build_months=2)]),
            scalable("lab", term_months=18, price_usd_per_kw_month=85.0, sign_until_month="2027-04", least=3.0, most=9.0,
                     sites=[place("A", build_months=2), place("B", build_months=4)]),
            offer("late", tenant="T", critical_mw=8.0, term_months=12, price_usd_per_kw_month=70.0,
                  sign_from_month="2027-04", sign_until_month="2027-12", sites=[place("C"), place("B")]),
        ],
        gpu_options=[
            gpu_option(sites=["A", "B"], block_gpu_count=2000, maximum_block_count=3, order_until_month="2027-05",
                       capex_usd_per_gpu=4000.0, life_months=14, lead_months=2, residual_frac=0.1)
        ],
        finance={
            "opening_cash_usd": 6e6,
            "minimum_liquidity_usd": 5e5,
            "overhead_usd_per_month": 1e5,
            "project_debt": {
                "loan_to_cost_frac": 0.6, "interest_per_year_frac": 0.09, "amortization_months": 12, "maximum_debt_usd": 8e5
            },
            "capex_budgets": [
                {"name": "H1", "from_month": "2027-01", "until_month": "2027-06", "maximum_capex_usd": 2e7}
            ],
            "terminal": {"contract_tail_frac": 0.8, "mining_tail_months": 6, "machine_resale_frac": 0.5},
        },
        policy={
            "parallel_builds": [{"region": "US-TX", "maximum_count": 1}],
            "tenant_limits": [{"tenant": "T", "maximum_share_frac": 0.45}],
            "country_limits": [{"country": "CA", "maximum_share_frac": 0.3}],
            "domestic_share": {"country": "US", "minimum_share_frac": 0.4},
            "minimum_hashrate": [{"minimum_eh_s": 0.2, "until_month": "2027-06"}],
            "exclusive_groups": [{"name": "one lab", "offers": ["lab", "late"]}],
        },
    )  # fmt: skip


def money() -> Portfolio:
    """Everything that is about money: floors in stresses, corporate tax, capitalised interest, power sold back, carbon."""
    winter = {
        "factor": "btc_price",
        "points": [{"month_offset": 0, "multiplier": 1.0}, {"month_offset": 6, "multiplier": 0.4}],
    }
    case = everything()
    data = case.model_dump(exclude_unset=True)
    data["finance"]["stresses"] = [
        {"name": "winter", "minimum_liquidity_usd": 3e5, "shocks": [{"begin_month": "2027-02", "effects": [winter]}]},
        {"name": "T fails", "minimum_liquidity_usd": 2e5, "defaults": [{"tenant": "T", "default_month": "2027-09"}]},
    ]
    data["finance"]["project_debt"]["capitalise_interest"] = True
    hours = [30.0 + 40.0 * (hour % 24 in (17, 18, 19)) for hour in range(24 * 365)]
    data["series"] = [{"name": "market", "hours": {"first_hour": "2025-01-01T00:00", "usd_per_mwh": hours}}]
    data["sites"][1]["power"]["sell_back"] = {"hourly_series": "market", "maximum_mw": 6.0}
    for item in data["sites"]:
        item["carbon_t_per_mwh"] = 0.4
    data["policy"]["carbon"] = {"price_usd_per_t": 3.0, "caps": [{"year": 2028, "maximum_t": 1.5e4}]}
    data["finance"]["tax"] = {"rate_frac": 0.25, "gpu_write_off_years": 2, "opening_losses_usd": 2e6}
    return Portfolio.model_validate(data)


def averse() -> Portfolio:
    """Everything that is about money, chosen with an eye on the worst tenth of the futures."""
    data = money().model_dump(exclude_unset=True)
    data["risk"] = {"scenario_count": 45, "tail_probability": 0.1, "cvar_weight_frac": 1.0}
    data["market"]["uncertainty"] = [
        {"factor": "btc_price", "volatility_per_year_frac": 0.6},
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.4},
    ]
    for item in data["offers"]:
        item["credit"] = {"default_hazard_per_year_frac": 0.3, "recovery_frac": 0.2, "vacancy_months": 2}
    return Portfolio.model_validate(data)


def site_works() -> Portfolio:
    """Sites that can be changed: more power earlier, halls, buildings, and what follows the ends of contracts."""
    ends: dict[str, Any] = {
        "reconversion": {"usd_per_hall_mw": 4e4, "months": 2},
        "re_lease": {
            "vacancy_months": 2,
            "refit_usd_per_critical_mw": 2e5,
            "rent_share_frac": 0.6,
            "term_months": 12,
        },
    }
    buildings = [
        {"name": "H1", "critical_mw": 9.0, "capex_usd": 8e4, "build_months": 2, "earliest_month": "2027-01"},
        {"name": "H2", "critical_mw": 6.0, "capex_usd": 2e5, "build_months": 4, "earliest_month": "2027-03"},
    ]
    halls = {"maximum_mw": 6.0, "capex_usd_per_mw": 1.2e5, "lead_months": 2, "earliest_month": "2027-02"}
    advance = {"maximum_months": 6, "usd_per_month": 6e4, "fixed_usd": 1e5, "notice_months": 2}
    grid = [
        {"from_month": "2026-01", "grid_mw": 8.0},
        {"from_month": "2027-09", "grid_mw": 16.0, "advance": advance},
        {"from_month": "2028-01", "grid_mw": 30.0, "advance": {**advance, "usd_per_month": 3e4}},
    ]
    return portfolio(
        segments=[(1, 8), (2, 8)],
        sign_every_months=2,
        discount_per_year_frac=0.1,
        sites=[
            site("A", grid=grid, hall_mw=4.0, hall_expansion=halls, buildings=buildings),
            site("B", grid=grid, hall_mw=2.0, hall_expansion=halls, opening=opening(3e5, 1), power={"flat_usd_per_mwh": 35.0}),
        ],
        asic_models=[asic(price_usd_per_th=2.0, purchasable=True, resale_frac=0.5, delivery_lead_months=1)],
        fleets=[fleet(1800)],
        offers=[
            offer("one", critical_mw=9.0, term_months=8, sign_until_month="2027-05",
                  sites=[place("A", halls_displaced_mw_per_critical_mw=0.2, needs_building=True,
                               halls_down_mw_per_critical_mw=0.1, **ends), place("B", re_lease=ends["re_lease"])]),
            scalable("two", least=4.0, most=12.0, price_usd_per_kw_month=85.0, term_months=20,
                     sign_until_month="2027-09", sites=[place("A", halls_displaced_mw_per_critical_mw=0.4), place("B")]),
        ],
        finance={
            "opening_cash_usd": 4e6,
            "minimum_liquidity_usd": 5e5,
            "overhead_usd_per_month": 5e4,
            "terminal": {"contract_tail_frac": 0.8, "mining_tail_months": 3},
            "capex_budgets": [
                {"name": "2027", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 2.5e6}
            ],
        },
    )  # fmt: skip


def ruled_works() -> Portfolio:
    """Site works of which some must be and others are frozen."""
    data = site_works().model_dump(exclude_unset=True)
    data["policy"] = {
        "mandatory_hall_orders": [{"site": "A", "month": "2027-05", "hall_mw": 1.5}],
        "mandatory_building_orders": [{"site": "A", "building": "H1", "month": "2027-03"}],
        "freeze_works_until_month": "2027-07",
    }
    return Portfolio.model_validate(data)


def enterprise() -> Portfolio:
    """Everything, for its enterprise value at the end of 2027."""
    data = everything().model_dump(exclude_unset=True)
    data["finance"] |= {"objective": "enterprise_value", "multiples": {"year": 2027, "hosting_multiple": 12.0}}
    return Portfolio.model_validate(data)


def rules() -> Portfolio:
    """Everything, with less of any one technology, an order that must be, and few changes to it."""
    data = everything().model_dump(exclude_unset=True)
    old = asic("old", modes=[{"hashrate_th_s": 100.0, "power_w": 3000.0}], move_usd_per_machine=10.0)
    data["asic_models"] = [*data["asic_models"], old]
    data["fleets"] = [*data["fleets"], fleet(700, model="old")]
    data["policy"]["technology_limits"] = [
        {"use": "hosting", "maximum_share_frac": 0.3, "from_month": "2027-06"},
        {"asic_models": ["M"], "maximum_share_frac": 0.9},
    ]
    data["finance"]["opening_cash_usd"] = 1.4e7
    order = {"gpu_option": "G", "site": "B", "order_month": "2027-03", "block_count": 1}
    data["policy"]["mandatory_gpu_orders"] = [order]
    data["policy"]["freeze_orders_until_month"] = "2027-04"
    data["policy"]["contract_changes"] = {
        "previous": [],
        "maximum_count": 3,
        "counts_orders": True,
        "previous_gpu_orders": [order],
        "previous_openings": [{"site": "C", "month": "2027-07"}],
    }
    return Portfolio.model_validate(data)


def priced_changes() -> Portfolio:
    """The same rules, with a price of changes instead of a budget."""
    data = rules().model_dump(exclude_unset=True)
    data["policy"]["contract_changes"] |= {"maximum_count": None, "cost_usd_per_change": 2.5e5}
    return Portfolio.model_validate(data)


def clusters() -> Portfolio:
    """Everything, with GPU blocks that are worth less the more there are at a site, and enough of them for it to matter."""
    data = everything().model_dump(exclude_unset=True)
    data["gpu_options"] = [
        {
            **data["gpu_options"][0],
            "block_gpu_count": 1000,
            "maximum_block_count": 9,
            "rental_usd_per_gpu_hour": 0.9,
            "cap_curve": "a100-training",
            "scale_curve": [
                {"from_block": 1, "share_frac": 1.0},
                {"from_block": 3, "share_frac": 0.8},
                {"from_block": 5, "share_frac": 0.5},
            ],
        }
    ]
    data["finance"]["opening_cash_usd"] = 5e7
    data["finance"]["capex_budgets"] = []
    return Portfolio.model_validate(data)


def refreshed() -> Portfolio:
    """Clusters whose blocks live for half a year and can be refreshed, some of them where there is power for it."""
    data = clusters().model_dump(exclude_unset=True)
    again = {
        "capex_usd_per_gpu": 1500.0,
        "downtime_months": 1,
        "life_months": 9,
        "throughput_factor": 1.8,
        "power_factor": 1.4,
    }
    terms = {"life_months": 6, "capex_usd_per_gpu": 2000.0, "refresh": again}
    data["gpu_options"] = [{**data["gpu_options"][0], **terms}]
    return Portfolio.model_validate(data)


CASES: dict[str, Callable[[], Portfolio]] = {
    "tiny": lambda: load_portfolio("tiny"),
    "two-sites": two_sites,
    "late-building": late_building,
    "futures": futures,
    "everything": everything,
    "money": money,
    "averse": averse,
    "enterprise": enterprise,
    "site-works": site_works,
    "ruled-works": ruled_works,
    "rules": rules,
    "priced-changes": priced_changes,
    "clusters": clusters,
    "refreshed": refreshed,
}
