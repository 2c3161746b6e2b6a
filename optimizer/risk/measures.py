"""Measures of a vector of equally likely NPVs; the tail is the lower one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.outcome import NpvDistribution, Quantile

PROBABILITIES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)


def cvar_usd(npv_usd: NDArray[np.float64], tail_probability: float) -> tuple[float, float]:
    r"""VaR and CVaR of the lower tail of mass ``tail_probability``.

    With outcomes :math:`x_{(1)} \le \dots \le x_{(W)}` of weight :math:`1/W` and tail mass :math:`a`, CVaR is the
    mean of the worst
    :math:`aW` outcomes, the last of them counted in part (Rockafellar and Uryasev 2000); VaR is that last one. At
    :math:`a = 1` CVaR is the mean.
    """
    ordered = np.sort(npv_usd)
    mass = tail_probability * len(ordered)
    whole = min(math.floor(mass + 1e-9), len(ordered))
    part = max(mass - whole, 0.0) if whole < len(ordered) else 0.0
    edge = ordered[min(max(math.ceil(mass - 1e-9) - 1, 0), len(ordered) - 1)]
    total = float(ordered[:whole].sum()) + (part * float(ordered[whole]) if part > 0 else 0.0)
    return float(edge), total / (whole + part)


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
