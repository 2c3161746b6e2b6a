"""Twins of the price look-up and of the mining margin: the loop over hours and modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.margin import MiningValues
from optimizer.units import HOURS_PER_DAY, TH_PER_PH, W_PER_MW


def positive_part_mean(price_usd_per_mwh: Float64Array, z_usd_per_mwh: Float64Array) -> Float64Array:
    """Mean over the hours ``[H]`` of ``max(0, z - price)``, for each ``z``."""
    return np.asarray(np.maximum(z_usd_per_mwh[..., None] - price_usd_per_mwh, 0.0).mean(axis=-1))


def share_of_hours_below(price_usd_per_mwh: Float64Array, z_usd_per_mwh: Float64Array) -> Float64Array:
    """Share of the hours ``[H]`` with a price below ``z``, for each ``z``."""
    return np.asarray((price_usd_per_mwh < z_usd_per_mwh[..., None]).mean(axis=-1))


def scenario_mining_values(
    prices_by_month: Sequence[Float64Array],
    *,
    calendar_month: Int64Array,
    hours_in_month: Float64Array,
    hashprice_usd_per_ph_day: Float64Array,
    level: Float64Array,
    adder_usd_per_mwh: Float64Array,
    hashrate_th_s: Float64Array,
    power_w: Float64Array,
    pue: float,
    uptime_frac: float,
    pool_fee_frac: float,
    hash_factor: float = 1.0,
    btc_usd: Float64Array | None = None,
) -> MiningValues:
    """Do the hour loop of :func:`mining_month_values`, before the mean over scenarios: fields ``[J, T, W]``.

    ``running_hours`` is ``[T, W]``.
    """
    ceilings, (months, scenarios) = hashrate_th_s.size, level.shape
    hash_ph_s = np.append(0.0, hashrate_th_s) / TH_PER_PH * hash_factor  # mode 0 is off
    power_mw = np.append(0.0, power_w) / W_PER_MW * pue
    revenue, cost, energy, hashed = np.zeros((4, ceilings, months, scenarios))
    running = np.zeros((months, scenarios))
    for t in range(months):
        price = level[t] * prices_by_month[calendar_month[t] - 1][:, None] + adder_usd_per_mwh[t]  # [H, W]
        income = hashprice_usd_per_ph_day[t] / HOURS_PER_DAY * (1.0 - pool_fee_frac)  # [W] USD per PH/s-hour
        margin = hash_ph_s[:, None, None] * income - power_mw[:, None, None] * price  # [J + 1, H, W]
        machine_hours = hours_in_month[t] * uptime_frac
        running[t] = (margin.argmax(axis=0) > 0).mean(axis=0) * machine_hours
        for j in range(ceilings):
            mode = margin[: j + 2].argmax(axis=0)  # [H, W]; a tie goes to the mode of less power
            revenue[j, t] = (hash_ph_s[mode] * income).mean(axis=0) * machine_hours
            cost[j, t] = (power_mw[mode] * price).mean(axis=0) * machine_hours
            energy[j, t] = power_mw[mode].mean(axis=0) * machine_hours
            hashed[j, t] = hash_ph_s[mode].mean(axis=0) * machine_hours / HOURS_PER_DAY
    mined = None if btc_usd is None else revenue / (1.0 - pool_fee_frac) / btc_usd
    return MiningValues(revenue - cost, revenue, cost, energy, hashed, running, mined)


def mining_month_values(prices_by_month: Sequence[Float64Array], **arguments: Any) -> MiningValues:
    """Mean over scenarios of :func:`scenario_mining_values`, ``[J, T]``."""
    values = scenario_mining_values(prices_by_month, **arguments)
    means = {
        name: by_scenario.mean(axis=-1)
        for name in (field.name for field in fields(values))
        if (by_scenario := getattr(values, name)) is not None
    }
    return MiningValues(**means)


def accumulate_scenario_margin_usd(
    out: Float64Array, prices_by_month: Sequence[Float64Array], *, weight: Float64Array, **arguments: Any
) -> None:
    """Add the weighted margins of all ceilings and months to ``out[W]``."""
    out += np.einsum("jt,jtw->w", weight, scenario_mining_values(prices_by_month, **arguments).margin_usd)
