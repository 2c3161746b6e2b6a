"""Cases of machines at a site, shared by the tests of margins."""

from __future__ import annotations

import numpy as np

from optimizer.curves import Machine, MarketPaths, PowerShape, SiteFleet

# Antminer S19j Pro, measured with live firmware: TH/s and W, lowest step first.
S19J_PRO_TH_S = np.array([28.1, 42.7, 52.4, 62.1, 71.8, 81.6, 105.8])
S19J_PRO_W = np.array([997.0, 1244.0, 1466.0, 1714.0, 1994.0, 2297.0, 3126.0])
PATHS = ("hashprice_usd_per_ph_day", "level", "btc_usd")
MACHINE = ("hashrate_th_s", "power_w", "hash_factor")


def mining_case(rng, months=4, scenarios=7, modes=3, hours=40):
    """Arguments of a random machine, and its prices by month with ties, zeros and negatives."""
    by_month = [np.round(rng.normal(30.0, 25.0, int(rng.integers(1, hours + 1))), 0) for _ in range(12)]
    step_w = rng.uniform(200.0, 1200.0, modes)
    efficiency = np.sort(rng.uniform(12.0, 45.0, modes))
    arguments = {
        "calendar_month": rng.integers(1, 13, months),
        "hours_in_month": rng.choice([672.0, 720.0, 744.0], months),
        "hashprice_usd_per_ph_day": rng.choice([0.0, 1.0, 1.0, 1.0], (months, scenarios))
        * rng.uniform(5.0, 120.0, (months, scenarios)),
        "level": np.exp(rng.normal(0.0, 0.4, (months, scenarios))),
        "adder_usd_per_mwh": rng.choice([0.0, 7.5, -12.0], months),
        "hashrate_th_s": np.cumsum(step_w / efficiency),
        "power_w": np.cumsum(step_w),
        "pue": rng.uniform(1.0, 1.3),
        "uptime_frac": rng.uniform(0.5, 1.0),
        "pool_fee_frac": rng.uniform(0.0, 0.05),
        "hash_factor": rng.uniform(0.8, 1.2),
    }
    shape = PowerShape.from_hourly(
        np.concatenate(by_month), np.repeat(np.arange(1, 13), [price.size for price in by_month])
    )
    return shape, by_month, arguments


def fleet_and_paths(shape, arguments, *, machines=None, ordered=False):
    """The same case in the form for fleets; of the one machine of the arguments if no others are given."""
    paths = MarketPaths.of(**{name: arguments[name] for name in PATHS if name in arguments}, ordered=ordered)
    own = [Machine(*(arguments[name] for name in MACHINE if name in arguments))]
    site = {name: value for name, value in arguments.items() if name not in PATHS + MACHINE}
    return SiteFleet.of(shape, own if machines is None else machines, **site), paths
