"""Measures of equally likely outcomes: of a vector of NPVs, whose tail is the lower one, and of cash by period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.liquidity import LiquidityRisk, LiquidityRow
from optimizer.domain.outcome import NpvDistribution, Quantile

LIQUIDITY_PROBABILITIES = (0.05, 0.50, 0.95)
PROBABILITIES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)


def cvar_usd(npv_usd: NDArray[np.float64], tail_probability: float) -> tuple[float, float]:
    r"""VaR and CVaR of the lower tail of mass ``tail_probability``.

    With outcomes :math:`x_{(1)} \le \ldots \le x_{(W)}` of weight :math:`1/W` and tail mass :math:`a`, CVaR is the
    mean of the worst
    :math:`aW` outcomes, the last of them counted in part (Rockafellar and Uryasev 2000); VaR is that last one. At
    :math:`a = 1` CVaR is the mean.
    """
    ordered = np.sort(npv_usd)
    whole, part = _tail_mass(len(ordered), tail_probability)
    edge = ordered[whole if part > 0 else max(whole - 1, 0)]
    total = float(ordered[:whole].sum()) + (part * float(ordered[whole]) if part > 0 else 0.0)
    return float(edge), total / (whole + part)


def tail_of(futures: Futures, npv_usd: NDArray[np.float64], tail_probability: float) -> list[tuple[Futures, float]]:
    """The scenarios over which CVaR is the mean: the worst, and the last one that is counted in part, with shares."""
    order = np.argsort(npv_usd, kind="stable")
    whole, part = _tail_mass(len(order), tail_probability)
    found = [(futures.only(np.sort(order[:whole])), whole / (whole + part))] if whole else []
    return [*found, (futures.only(order[whole : whole + 1]), part / (whole + part))] if part > 0 else found


def tail_shares(npv_usd: NDArray[np.float64], tail_probability: float) -> NDArray[np.float64]:
    """What every scenario counts in CVaR, ``[W]``: shares that add up to 1, of the same scenarios as the tail."""
    order = np.argsort(npv_usd, kind="stable")
    whole, part = _tail_mass(len(order), tail_probability)
    found = np.zeros(len(order))
    found[order[:whole]] = 1.0
    found[order[whole : whole + 1]] = part
    return found / (whole + part)


def _tail_mass(count: int, tail_probability: float) -> tuple[int, float]:
    """Whole scenarios in the tail, and the part of the next one."""
    mass = tail_probability * count
    whole = min(math.floor(mass + 1e-9), count)
    part = mass - whole if whole < count else 0.0
    return whole, part if part > 1e-9 else 0.0


def cvar_standard_error_usd(npv_usd: NDArray[np.float64], tail_probability: float) -> float | None:
    r"""Sampling error of the CVaR of independent scenarios; None if the tail holds fewer than two of them.

    CVaR is :math:`v - \operatorname{mean}(v - x)^+ / a` with :math:`v` the VaR, where it is flat in :math:`v`, so its
    error is that of the mean of the shortfalls, :math:`\operatorname{sd}\,(v - x)^+ / (a \sqrt W)`, for many
    scenarios (Trindade et al. 2007, Financial prediction with constrained tail risk). At :math:`a = 1` it is that of
    the mean.
    """
    count = len(npv_usd)
    if count < 2 or tail_probability * count < 2.0 - 1e-9:
        return None
    var, _ = cvar_usd(npv_usd, tail_probability)
    shortfall = np.maximum(var - npv_usd, 0.0)
    return float(np.std(shortfall, ddof=1)) / (tail_probability * math.sqrt(count))


def distribution_of(npv_usd: NDArray[np.float64], tail_probability: float) -> NpvDistribution:
    """Moments, quantiles and tail of a plan's NPV over its scenarios."""
    count = len(npv_usd)
    deviation = float(np.std(npv_usd, ddof=1)) if count > 1 else 0.0
    var, cvar = cvar_usd(npv_usd, tail_probability)
    return NpvDistribution(
        scenario_count=count,
        mean_usd=float(np.mean(npv_usd)),
        standard_error_usd=deviation / math.sqrt(count),
        standard_deviation_usd=deviation,
        quantiles=tuple(
            Quantile(probability=probability, npv_usd=float(value))
            for probability, value in zip(PROBABILITIES, np.quantile(npv_usd, PROBABILITIES), strict=True)
        ),
        tail_probability=tail_probability,
        var_usd=var,
        cvar_usd=cvar,
        cvar_standard_error_usd=cvar_standard_error_usd(npv_usd, tail_probability),
    )


def liquidity_of(
    cash_usd: NDArray[np.float64], floor_usd: float, months: Sequence[dt.date], tail_probability: float
) -> LiquidityRisk:
    """Cash ``[P, W]`` at the ends of periods, whose last ``months`` are given, against a floor, and its lower tail.

    A dollar below the floor is not below it: the plan is chosen for the floor in expectation, and often ends on it.
    """
    short = np.maximum(floor_usd - cash_usd, 0.0)
    below: NDArray[np.bool_] = short > 1.0
    share, quantiles = below.mean(axis=1), np.quantile(cash_usd, LIQUIDITY_PROBABILITIES, axis=1)
    return LiquidityRisk(
        scenario_count=cash_usd.shape[1],
        below_floor_frac=float(below.any(axis=0).mean()),
        shortfall_usd=_mean_of(short.max(axis=0), np.asarray(below.any(axis=0))),
        worst_month=months[int(np.argmax(share))] if below.any() else None,
        tail_probability=tail_probability,
        periods=tuple(
            LiquidityRow(
                month=month,
                low_usd=float(low),
                median_usd=float(median),
                high_usd=float(high),
                below_floor_frac=float(share[period]),
                shortfall_usd=_mean_of(short[period], below[period]),
                cvar_usd=cvar_usd(cash_usd[period], tail_probability)[1],
                least_usd=float(cash_usd[period].min()),
            )
            for period, (month, (low, median, high)) in enumerate(zip(months, quantiles.T, strict=True))
        ),
    )


def _mean_of(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float | None:
    """Mean of the chosen values; None if none is."""
    return float(values[chosen].mean()) if chosen.any() else None
