"""A portfolio that states every field there is, and a plan that fills every field there is (long: every field is in it)."""

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from itertools import count
from typing import Any, Literal, get_args, get_origin

from optimizer.domain import Plan, Portfolio, SolveOptions, Value
from optimizer.domain.curves import HashingCurveSpec, ThroughputCurveSpec
from optimizer.library.overlays import overlay
from optimizer.wire.schema import item_type

HOURS = {
    "first_hour": dt.datetime(2025, 1, 1),
    "usd_per_mwh": [20.0 + hour % 24 - 30.0 * (hour % 97 == 0) for hour in range(24 * 365)],
    "filled_hour_count": 3,
}


def small_data() -> dict[str, Any]:
    """The least portfolio."""
    return {
        "name": "small",
        "horizon": {"start_month": "2027-01", "segments": [{"months_per_period": 1, "period_count": 3}]},
        "sites": [
            {
                "name": "Odessa",
                "country": "US",
                "region": "US-TX",
                "grid": [{"from_month": "2027-01", "grid_mw": 30.0}],
                "hall_mw": 28.0,
                "power": {"flat_usd_per_mwh": 42.0},
            }
        ],
        "market": {"btc_usd": 90_000.0, "network_eh_s": 1000.0, "block_height_at_start": 980_000},
        "finance": {"opening_cash_usd": 1e7},
    }


def small_portfolio() -> Portfolio:
    return Portfolio.model_validate(small_data())


def rich_portfolio() -> Portfolio:
    return Portfolio.model_validate(rich_data())


def rich_data() -> dict[str, Any]:
    """Every field of every class below Portfolio is stated somewhere."""
    return {
        "name": "rich",
        "description": "everything at once",
        "horizon": {
            "start_month": "2027-01",
            "segments": [
                {"months_per_period": 1, "period_count": 12},
                {"months_per_period": 3, "period_count": 8},
            ],
            "sign_every_months": 3,
        },
        "sites": _sites(),
        "asic_models": [
            {
                "name": "S21",
                "modes": [
                    {"hashrate_th_s": 150.0, "power_w": 2250.0, "efficiency_j_per_th": 15.0, "label": "eco"},
                    {"hashrate_th_s": 200.0, "power_w": 3500.0},
                ],
                "price_usd_per_th": {
                    "points": [{"from_month": "2027-01", "value": 14.0}, {"from_month": "2028-01", "value": 12.0}]
                },
                "purchasable": True,
                "delivery_lead_months": 2,
                "resale_frac": 0.5,
                "move_usd_per_machine": 70.0,
                "move_downtime_months": 0,
                "manufacturer": "Bitmain",
            }
        ],
        "fleets": [{"asic_model": "S21", "site": "Odessa", "count": 5000, "condition_frac": 0.95}],
        "offers": _offers(),
        "gpu_options": [_gpu_option()],
        "market": _market(),
        "finance": _finance(),
        "policy": _policy(),
        "risk": {
            "scenario_count": 500,
            "seed": 2**40,
            "tail_probability": 0.1,
            "cvar_weight_frac": 0.5,
            "minimum_cvar_usd": -1e9,
        },
        "series": [
            {"name": "hourly", "hours": HOURS, "library": "us-tx"},
            {
                "name": "by-date",
                "file": {
                    "path": "prices.csv",
                    "value_column": "lmp",
                    "date_column": "date",
                    "hour_ending_column": "he",
                    "missing_hours": "typical-hour",
                },
                "hours": HOURS,
            },
            {
                "name": "by-time",
                "file": {"path": "p.csv", "time_column": "t", "missing_hours": "error"},
                "hours": HOURS,
            },
        ],
    }


def _sites() -> list[dict[str, Any]]:
    return [
        {
            "name": "Odessa",
            "country": "US",
            "region": "US-TX",
            "grid_operator": "ERCOT",
            "grid": [
                {"from_month": "2027-01", "grid_mw": 60.0},
                {"from_month": "2027-07", "grid_mw": 90.0, "advance": _advance()},
            ],
            "hall_mw": 55.0,
            "buildings": [
                {
                    "name": "H1",
                    "critical_mw": 40.0,
                    "capex_usd": 9e7,
                    "build_months": 9,
                    "earliest_month": "2027-04",
                }
            ],
            "hall_expansion": {
                "maximum_mw": 20.0,
                "capex_usd_per_mw": 3e5,
                "lead_months": 6,
                "earliest_month": "2027-04",
            },
            "power": {
                "hourly_series": "hourly",
                "adder_usd_per_mwh": -3.0,
                "escalation_per_year_frac": 0.02,
                "market_exposure_frac": 0.8,
            },
            "transmission_credit": {"usd_per_kw_year": 30.0, "until_month": "2029-01"},
            "demand_response": {"usd_per_mw_month": 900.0, "until_month": "2029-01"},
            "mining_pue": 1.04,
            "hosting_pue": 1.3,
            "construction_outcomes": [
                {"probability_frac": 0.2, "delay_months": 6, "capex_overrun_frac": 0.15, "interconnect_slip_months": 5},
            ],
            "hosting_pue_by_month": [1.2 + month / 100 for month in range(12)],
            "mining_uptime_frac": 0.96,
            "mining_opex_usd_per_mw_month": 4000.0,
            "fixed_opex_usd_per_month": 50_000.0,
            "import_duty_frac": 0.0,
            "carbon_t_per_mwh": 0.4,
            "lease_end_month": "2040-01",
            "opening": {"earliest_month": "2027-02", "capex_usd": 1e6, "lead_months": 4},
        },
        {
            "name": "Tacuru",
            "country": "PY",
            "region": "PY",
            "grid": [{"from_month": "2027-01", "grid_mw": 40.0}],
            "hall_mw": 0.0,
            "power": {
                "flat_usd_per_mwh": 38.0,
                "sell_back": {
                    "hourly_series": "hourly",
                    "maximum_mw": 20.0,
                    "fee_usd_per_mwh": 2.0,
                    "from_month": "2027-02",
                    "until_month": "2030-01",
                },
            },
        },
    ]


def _advance() -> dict[str, Any]:
    return {"maximum_months": 5, "usd_per_month": 2e5, "fixed_usd": 1e5, "notice_months": 0}


def _offers() -> list[dict[str, Any]]:
    window = {"sign_from_month": "2027-01", "sign_until_month": "2028-01"}
    return [
        {
            "name": "Alpha",
            "tenant": "Cloud",
            "credit": {
                "default_hazard_per_year_frac": 0.03,
                "recovery_frac": 0.4,
                "backstop_share_frac": 0.5,
                "backstopper": "Giant",
                "backstop_hazard_per_year_frac": 0.01,
                "vacancy_months": 6,
            },
            "critical_mw": 20.0,
            "price_usd_per_kw_month": 150.0,
            "escalator_per_year_frac": 0.03,
            "term_months": 120,
            "phases": [{"share_frac": 0.4}, {"share_frac": 0.6, "offset_months": 3}],
            **window,
            "energize_by_month": "2029-01",
            "power_payer": "landlord",
            "landlord_opex_usd_per_kw_month": 20.0,
            "prepayment": {"rent_months": 6, "credit_months": 24},
            "renewal": {"option_count": 2, "term_months": 60, "probability_frac": 0.5, "rent_frac": 0.9},
            "rent_index": {"factor": "gpu_rental", "exposure_frac": 0.5, "growth_per_year_frac": -0.05},
            "sites": [
                {
                    "site": "Odessa",
                    "capex_usd_per_critical_mw": 9e6,
                    "tenant_capex_share_frac": 0.2,
                    "build_months": 9,
                    "pue": 1.3,
                    "grid_mw_per_critical_mw": 1.5,
                    "halls_displaced_mw_per_critical_mw": 1.1,
                    "earliest_energize_month": "2027-10",
                }
            ],
        },
        {
            "name": "Beta",
            "tenant": "Lab",
            "minimum_critical_mw": 1.0,
            "maximum_critical_mw": 15.0,
            "price_usd_per_kw_month": 130.0,
            "term_months": 60,
            "renewal": {
                "option_count": 1,
                "term_months": 36,
                "market_rent_share_frac": 0.95,
            },
            "noi_margin_frac": 0.85,
            **window,
            "sites": [
                {
                    "site": "Odessa",
                    "capex_usd_per_critical_mw": 8e6,
                    "halls_displaced_mw_per_critical_mw": 0.9,
                    "needs_building": True,
                    "halls_down_mw_per_critical_mw": 0.2,
                    "reconversion": {"usd_per_hall_mw": 2e5, "months": 4},
                    "re_lease": {
                        "vacancy_months": 6,
                        "refit_usd_per_critical_mw": 1e6,
                        "rent_share_frac": 0.9,
                        "term_months": 60,
                    },
                }
            ],
        },
    ]


def _gpu_option() -> dict[str, Any]:
    return {
        "name": "own",
        "gpu_model": "GB300",
        "sites": ["Odessa", "Tacuru"],
        "block_gpu_count": 1024,
        "maximum_block_count": 4,
        "order_from_month": "2027-01",
        "order_until_month": "2027-12",
        "capex_usd_per_gpu": 45_000.0,
        "fit_out_usd_per_critical_mw": 1e7,
        "power_kw_per_gpu": 1.9,
        "pue": 1.2,
        "grid_mw_per_critical_mw": 1.4,
        "halls_displaced_mw_per_critical_mw": 0.5,
        "lead_months": 6,
        "life_months": 60,
        "rental_usd_per_gpu_hour": {"value": 3.0, "growth_per_year_frac": -0.15},
        "utilisation_frac": 0.8,
        "goodput_frac": 0.95,
        "opex_usd_per_gpu_month": 40.0,
        "cap_curve": "a100-training",
        "residual_frac": 0.1,
        "scale_curve": [{"from_block": 1, "share_frac": 1.0}, {"from_block": 3, "share_frac": 0.8}],
        "refresh": {
            "capex_usd_per_gpu": 38_000.0,
            "downtime_months": 2,
            "life_months": 48,
            "throughput_factor": 2.5,
            "power_factor": 1.3,
        },
    }


def _market() -> dict[str, Any]:
    return {
        "btc_usd": {"value": 90_000.0, "growth_per_year_frac": 0.0},
        "network_eh_s": 1000.0,
        "fee_share_frac": 0.0,
        "block_height_at_start": 980_000,
        "pool_fee_frac": 0.0,
        "power_level": 1.1,
        "re_lease_rent_usd_per_kw_month": 110.0,
        "network_price_elasticity": 0.3,
        "network_lag_months": 0,
        "uncertainty": [
            {"factor": "btc_price", "volatility_per_year_frac": 0.6, "mean_reversion_per_year": 0.5},
            {"factor": "power_price", "volatility_per_year_frac": 0.3},
        ],
        "correlations": [{"first": "btc_price", "second": "power_price", "correlation_frac": -0.2}],
        "difficulty": "retarget",
        "own_hashrate_feedback": True,
        "bootstrap": {
            "file": {
                "path": "history.csv",
                "columns": [{"factor": "network_hashrate", "column": "hashrate"}],
                "month_column": "date",
                "scenario_column": "unused",
            },
            "history": [{"factor": "network_hashrate", "values": [100.0 + month for month in range(30)]}],
            "mean_block_months": 6.0,
        },
        "scenario_table": {
            "file": {"path": "table.csv", "columns": [{"factor": "gpu_rental", "column": "rental"}]},
            "unit": "multiplier",
            "paths": [{"factor": "gpu_rental", "scenarios": [{"values": [1.0, 0.9]}, {"values": [1.0, 1.2]}]}],
        },
        "overlays": [
            {
                "name": "bust",
                "probability_frac": 0.2,
                "begin_from_month": "2027-06",
                "begin_until_month": "2028-06",
                "preset": "ai-bust",
                "effects": [effect.model_dump(mode="json") for effect in overlay("ai-bust").effects],
                "default_hazard": [point.model_dump() for point in overlay("ai-bust").default_hazard],
            }
        ],
        "country_risks": [{"country": "PY", "hazard_per_year_frac": 0.05, "shut_months": 6}],
        "credit_factor": {
            "asset_correlation_frac": 0.3,
            "market_factor": "btc_price",
            "market_correlation_frac": 0.5,
        },
    }


def _finance() -> dict[str, Any]:
    return {
        "discount": {
            "mining_per_year_frac": 0.2,
            "hosting_per_year_frac": 0.1,
            "gpu_per_year_frac": 0.15,
            "corporate_per_year_frac": 0.11,
        },
        "opening_cash_usd": 5e7,
        "minimum_liquidity_usd": 5e6,
        "stresses": [
            {
                "name": "both",
                "minimum_liquidity_usd": 1e6,
                "shocks": [
                    {
                        "begin_month": "2027-03",
                        "preset": "ai-bust",
                        "effects": [effect.model_dump(mode="json") for effect in overlay("ai-bust").effects],
                    }
                ],
                "defaults": [{"tenant": "Lab", "default_month": "2028-01"}],
                "construction": [
                    {"site": "Odessa", "delay_months": 9, "capex_overrun_frac": 0.3, "interconnect_slip_months": 3}
                ],
                "demand_response_end_month": "2028-06",
                "transmission_credit_end_month": "2028-07",
            }
        ],
        "capex_budgets": [
            {"name": "first", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 1e8}
        ],
        "project_debt": {
            "loan_to_cost_frac": 0.7,
            "interest_per_year_frac": 0.09,
            "origination_fee_frac": 0.02,
            "amortization_months": 120,
            "minimum_dscr": 1.4,
            "maximum_debt_usd": 3e8,
            "capitalise_interest": True,
        },
        "overhead_usd_per_month": 2e5,
        "overhead_growth_per_year_frac": 0.03,
        "multiples": {
            "year": 2028,
            "hosting_multiple": 16.0,
            "mining_multiple": 7.0,
            "gpu_multiple": 9.0,
            "discount_per_year_frac": 0.1,
        },
        "objective": "enterprise_value",
        "tax": {
            "rate_frac": 0.21,
            "hosting_write_off_years": 20,
            "machine_write_off_years": 3,
            "gpu_write_off_years": 4,
            "opening_write_off_years": 10,
            "bonus_share_frac": 0.4,
            "interest_deductible": False,
            "opening_losses_usd": 1e6,
            "loss_income_share_frac": 0.7,
        },
        "terminal": {"contract_tail_frac": 0.5, "mining_tail_months": 6, "machine_resale_frac": 0.5},
    }


def _policy() -> dict[str, Any]:
    placement = {"offer": "Alpha", "site": "Odessa", "sign_month": "2027-04"}
    order = {
        "gpu_option": "own",
        "site": "Tacuru",
        "order_month": "2027-07",
        "block_count": 2,
        "refreshed_block_count": 1,
    }
    return {
        "exclusive_groups": [{"name": "one", "offers": ["Alpha", "Beta"], "maximum_count": 1}],
        "all_or_nothing_groups": [{"name": "both", "offers": ["Alpha", "Beta"]}],
        "mandatory": [placement],
        "forbidden": [{"offer": "Beta"}],
        "parallel_builds": [{"region": "US-TX", "maximum_count": 0}],
        "tenant_limits": [{"tenant": "Cloud", "maximum_share_frac": 0.7}],
        "country_limits": [{"country": "PY", "maximum_share_frac": 0.6}],
        "technology_limits": [
            {"use": "hosting", "maximum_share_frac": 0.8, "from_month": "2028-01"},
            {"asic_models": ["S21"], "maximum_share_frac": 1.0},
            {"manufacturer": "Bitmain", "maximum_share_frac": 1.0},
        ],
        "domestic_share": {
            "country": "US",
            "basis": "hashrate",
            "minimum_share_frac": 0.3,
            "from_month": "2027-06",
        },
        "minimum_hashrate": [{"minimum_eh_s": 0.1, "from_month": "2027-01", "until_month": "2027-12"}],
        "freeze_until_month": "2027-03",
        "carbon": {
            "price_usd_per_t": {"value": 60.0, "growth_per_year_frac": 0.05},
            "caps": [{"year": 2027, "maximum_t": 1e5}],
        },
        "contract_changes": {
            "previous": [placement],
            "maximum_count": 1,
            "cost_usd_per_change": 1e6,
            "counts_orders": True,
            "previous_gpu_orders": [order],
            "previous_openings": [{"site": "Odessa", "month": "2027-04"}],
        },
        "mandatory_gpu_orders": [order],
        "mandatory_openings": [{"site": "Odessa", "month": "2027-04"}],
        "freeze_orders_until_month": "2027-04",
        "mandatory_grid_advances": [{"site": "Odessa", "step_month": "2027-07", "advance_months": 3}],
        "mandatory_hall_orders": [{"site": "Odessa", "month": "2027-04", "hall_mw": 2.5}],
        "mandatory_building_orders": [{"site": "Odessa", "building": "H1", "month": "2027-04"}],
        "freeze_works_until_month": "2027-07",
    }


def options() -> SolveOptions:
    return SolveOptions(time_limit_s=12.5, gap_frac=0.01, threads=2, seed=7, solver="scip", paranoid=True)


def filled(kind: type[Value]) -> Any:
    """A ``kind`` without rules of its own, every field of it and of all below it filled, no two numbers alike."""
    return _filled(kind, count(1))


def _filled(kind: type[Value], numbers: Iterator[int]) -> Any:
    fields = {name: _item(field.annotation, numbers) for name, field in kind.model_fields.items()}
    return kind.model_validate(fields)


def _item(annotation: Any, numbers: Iterator[int]) -> Any:
    kind, many = item_type(annotation)
    if many:
        return [_item(kind, numbers), _item(kind, numbers)]
    number = next(numbers)
    if get_origin(kind) is Literal:
        return get_args(kind)[number % len(get_args(kind))]
    if issubclass(kind, Value):
        return _filled_special.get(kind, _filled)(kind, numbers)
    if issubclass(kind, StrEnum):
        return list(kind)[number % len(kind)]
    if kind is dt.date:
        return dt.date(2027 + number % 50, 1 + number % 12, 1)
    return {float: number + 0.25, int: number, str: f"text {number}", bool: True}[kind]


_filled_special: Any = {SolveOptions: lambda _kind, _numbers: options()}


def rich_plan() -> Plan:
    return filled(Plan)


def hashing_spec() -> HashingCurveSpec:
    return HashingCurveSpec.model_validate(
        {
            "modes": rich_data()["asic_models"][0]["modes"],
            "hashprice_usd_per_ph_day": [20.0, 40.0, 60.0],
            "flat_usd_per_mwh": 40.0,
            "adder_usd_per_mwh": 5.0,
            "pue": 1.1,
            "uptime_frac": 0.9,
            "pool_fee_frac": 0.02,
            "btc_usd": 90_000.0,
        }
    )


def hourly_hashing_spec() -> HashingCurveSpec:
    return HashingCurveSpec.model_validate(
        {"modes": [{"hashrate_th_s": 200.0, "power_w": 3500.0}], "hashprice_usd_per_ph_day": [40.0], "hours": HOURS}
    )


def throughput_spec(**hazard: float) -> ThroughputCurveSpec:
    return ThroughputCurveSpec.model_validate(
        {
            "gpu_count": 4096,
            "power_kw_per_gpu": 1.9,
            "cap_curve": "a100-training",
            "pue": 1.3,
            "checkpointing": {"checkpoint_save_s": 60.0, "restart_s": 600.0, **(hazard or {"mtbf_hours": 30.0})},
        }
    )


def parts(value: Value) -> Iterator[Value]:
    """A value and all values below it."""
    yield value
    for name in type(value).model_fields:
        item = getattr(value, name)
        for one in item if isinstance(item, tuple) else (item,):
            if isinstance(one, Value):
                yield from parts(one)
