"""NumPy twins of the compiled kernels: the readable definition of what they compute. No checks; not for speed.

Each twin takes the arguments of the function of the same name, where a price shape is the hourly prices by calendar
month (``prices_by_month[0]`` is January). They are independent in method where there is a choice.
"""

from optimizer.curves.reference.clusters import best_goodput, fewest_breakpoints
from optimizer.curves.reference.elementary import exponential, logarithm
from optimizer.curves.reference.hashing import hashprice_usd_per_ph_day
from optimizer.curves.reference.network import retarget_paths
from optimizer.curves.reference.power import (
    accumulate_scenario_margin_usd,
    mining_month_values,
    positive_part_mean,
    scenario_mining_values,
    share_of_hours_below,
)
from optimizer.curves.reference.scenarios import (
    apply_overlays,
    bootstrap_multipliers,
    default_months,
    factor_multipliers,
    hashprice_paths,
    overlay_starts,
    philox4x32,
    uniform_pair,
)
from optimizer.curves.reference.throughput import (
    accumulate_scenario_gpu_usd,
    gpu_block_values,
    scenario_gpu_values,
)

__all__ = [
    "accumulate_scenario_gpu_usd",
    "accumulate_scenario_margin_usd",
    "apply_overlays",
    "best_goodput",
    "bootstrap_multipliers",
    "default_months",
    "exponential",
    "factor_multipliers",
    "fewest_breakpoints",
    "gpu_block_values",
    "hashprice_paths",
    "hashprice_usd_per_ph_day",
    "logarithm",
    "mining_month_values",
    "overlay_starts",
    "philox4x32",
    "positive_part_mean",
    "retarget_paths",
    "scenario_gpu_values",
    "scenario_mining_values",
    "share_of_hours_below",
    "uniform_pair",
]
