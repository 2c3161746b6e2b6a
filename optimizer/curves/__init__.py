"""Arrays in, arrays out: what hashes, hours and GPUs earn, and the scenarios they are valued in.

Façades check their arguments and call compiled kernels; :mod:`optimizer.curves.reference` holds the readable NumPy
definitions. Months come first: scenario arrays are ``[T, W]``. A missing compiled module is an import error.
"""

from optimizer.curves.bootstrap import bootstrap_multipliers, table_multipliers
from optimizer.curves.breakpoints import Breakpoints, function_breakpoints, piecewise_breakpoints
from optimizer.curves.calibration import Calibration, calibrate, fan
from optimizer.curves.caps import CAP_CURVES, CAP_FLOOR_FRAC, CapCurve, CapPoint, cap_throughput_frac
from optimizer.curves.climate import monthly_pue, pue_at
from optimizer.curves.cluster_value import cluster_value_breakpoints
from optimizer.curves.clusters import (
    ClusterCurve,
    ClusterTerms,
    checkpoint_interval_s,
    cluster_throughput,
    goodput_frac,
    largest_useful_gpu_count,
    scaling_efficiency_frac,
)
from optimizer.curves.hashing import (
    breakeven_hashprice_usd_per_ph_day,
    breakeven_power_usd_per_mwh,
    difficulty_of_hashrate,
    hashprice_btc_per_ph_day,
    hashprice_usd_per_ph_day,
    monthly_subsidy_btc,
    network_hashrate_eh_s,
    retarget_difficulty,
    subsidy_btc,
)
from optimizer.curves.machines import (
    BEST_HASHRATE_FRAC,
    Breakevens,
    efficiency_modes,
    machine_breakevens,
)
from optimizer.curves.margin import (
    MiningSums,
    MiningValues,
    accumulate_fleet_margin_usd,
    accumulate_scenario_margin_usd,
    fleet_month_values,
    mining_month_values,
)
from optimizer.curves.market_paths import MarketPaths
from optimizer.curves.merit_order import MeritOrder, merit_order, site_merit_orders
from optimizer.curves.network import (
    RetargetPaths,
    own_exit_hashprice_multiplier,
    own_exit_log_change,
    retarget_paths,
)
from optimizer.curves.overlays import apply_overlays, overlay_hazard_multiplier, overlay_starts
from optimizer.curves.power import PowerShape
from optimizer.curves.rental import rental_path, yearly_change_between
from optimizer.curves.scenarios import FACTORS, NEVER, default_months, factor_multipliers, hashprice_paths
from optimizer.curves.site_fleet import Machine, SiteFleet, envelope
from optimizer.curves.throughput import (
    SHARD_SCENARIOS,
    CapBreakevens,
    GpuBlockSums,
    GpuValues,
    accumulate_scenario_gpu_usd,
    cap_breakevens_usd_per_mwh,
    gpu_block_values,
    scenario_gpu_billing_usd,
)

__all__ = [
    "BEST_HASHRATE_FRAC",
    "CAP_CURVES",
    "CAP_FLOOR_FRAC",
    "FACTORS",
    "NEVER",
    "SHARD_SCENARIOS",
    "Breakevens",
    "Breakpoints",
    "Calibration",
    "CapBreakevens",
    "CapCurve",
    "CapPoint",
    "ClusterCurve",
    "ClusterTerms",
    "GpuBlockSums",
    "GpuValues",
    "Machine",
    "MarketPaths",
    "MeritOrder",
    "MiningSums",
    "MiningValues",
    "PowerShape",
    "RetargetPaths",
    "SiteFleet",
    "accumulate_fleet_margin_usd",
    "accumulate_scenario_gpu_usd",
    "accumulate_scenario_margin_usd",
    "apply_overlays",
    "bootstrap_multipliers",
    "breakeven_hashprice_usd_per_ph_day",
    "breakeven_power_usd_per_mwh",
    "calibrate",
    "cap_breakevens_usd_per_mwh",
    "cap_throughput_frac",
    "checkpoint_interval_s",
    "cluster_throughput",
    "cluster_value_breakpoints",
    "default_months",
    "difficulty_of_hashrate",
    "efficiency_modes",
    "envelope",
    "factor_multipliers",
    "fan",
    "fleet_month_values",
    "function_breakpoints",
    "goodput_frac",
    "gpu_block_values",
    "hashprice_btc_per_ph_day",
    "hashprice_paths",
    "hashprice_usd_per_ph_day",
    "largest_useful_gpu_count",
    "machine_breakevens",
    "merit_order",
    "mining_month_values",
    "monthly_pue",
    "monthly_subsidy_btc",
    "network_hashrate_eh_s",
    "overlay_hazard_multiplier",
    "overlay_starts",
    "own_exit_hashprice_multiplier",
    "own_exit_log_change",
    "piecewise_breakpoints",
    "pue_at",
    "rental_path",
    "retarget_difficulty",
    "retarget_paths",
    "scaling_efficiency_frac",
    "scenario_gpu_billing_usd",
    "site_merit_orders",
    "subsidy_btc",
    "table_multipliers",
    "yearly_change_between",
]
