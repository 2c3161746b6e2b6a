"""Arrays in, arrays out: what hashes, hours and GPUs earn, and the scenarios they are valued in.

Façades check their arguments and call compiled kernels; :mod:`optimizer.curves.reference` holds the readable NumPy
definitions. Months come first: scenario arrays are ``[T, W]``. A missing compiled module is an import error.
"""

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
from optimizer.curves.power import (
    MiningValues,
    PowerShape,
    accumulate_scenario_margin_usd,
    envelope,
    mining_month_values,
)
from optimizer.curves.scenarios import FACTORS, NEVER, default_months, factor_multipliers, hashprice_paths
from optimizer.curves.throughput import (
    CAP_CURVES,
    CAP_FLOOR_FRAC,
    CapCurve,
    GpuValues,
    accumulate_scenario_gpu_usd,
    cap_throughput_frac,
    checkpoint_interval_s,
    goodput_frac,
    gpu_block_values,
)

__all__ = [
    "CAP_CURVES",
    "CAP_FLOOR_FRAC",
    "FACTORS",
    "NEVER",
    "CapCurve",
    "GpuValues",
    "MiningValues",
    "PowerShape",
    "accumulate_scenario_gpu_usd",
    "accumulate_scenario_margin_usd",
    "breakeven_hashprice_usd_per_ph_day",
    "breakeven_power_usd_per_mwh",
    "cap_throughput_frac",
    "checkpoint_interval_s",
    "default_months",
    "difficulty_of_hashrate",
    "envelope",
    "factor_multipliers",
    "goodput_frac",
    "gpu_block_values",
    "hashprice_btc_per_ph_day",
    "hashprice_paths",
    "hashprice_usd_per_ph_day",
    "mining_month_values",
    "monthly_subsidy_btc",
    "network_hashrate_eh_s",
    "retarget_difficulty",
    "subsidy_btc",
]
