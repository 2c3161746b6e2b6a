"""The report: every limit of the portfolio against the recalculation, and what the model claims against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.audit.company import LINES
from optimizer.audit.limits_contracts import contract_checks
from optimizer.audit.limits_machines import machine_checks
from optimizer.audit.limits_market import market_checks
from optimizer.audit.limits_money import money_checks
from optimizer.audit.limits_policy import policy_checks
from optimizer.audit.limits_sites import site_checks
from optimizer.audit.limits_technology import technology_checks
from optimizer.audit.limits_works import work_checks
from optimizer.audit.paths import FloatArray
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import MW_TOLERANCE, Worst, money_tolerance_usd
from optimizer.domain import AuditCheck, AuditReport, Portfolio
from optimizer.errors import InvalidInputError


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """What the model says about its plan; ``None`` where it says nothing.

    ``S`` sites, ``P`` periods. Hosting and GPU MW of a period are the most in any of its months.
    """

    objective_usd: float | None = None
    cvar_usd: float | None = None
    """Mean NPV over the tail."""
    npv_by_line_usd: Mapping[str, float] | None = None
    """By ``mining``, ``hosting``, ``gpu``, ``corporate``, ``debt``, or some of them."""
    cash_usd: FloatArray | Sequence[float] | None = None
    """At the end of each period, ``[P]``."""
    stress_cash_usd: FloatArray | Sequence[Sequence[float]] | None = None
    """At the end of each period in each stress, ``[K, P]``."""
    debt_usd: FloatArray | Sequence[float] | None = None
    """Outstanding at the end of each period, ``[P]``."""
    mining_mw: FloatArray | Sequence[Sequence[float]] | None = None
    """``[S, P]``, as the two below."""
    hosting_mw: FloatArray | Sequence[Sequence[float]] | None = None
    gpu_mw: FloatArray | Sequence[Sequence[float]] | None = None


def check(portfolio: Portfolio, recalculation: Recalculation, claims: Claims = Claims()) -> AuditReport:
    """Check a recalculated plan against the limits of its portfolio and against what is claimed of it.

    What the portfolio does not limit and the model does not claim is left out.

    Raises:
        InvalidInputError: for a recalculation of another portfolio, and for claims of a wrong shape or not finite.
    """
    if recalculation.book.portfolio is not portfolio and recalculation.book.portfolio != portfolio:
        raise InvalidInputError.single(
            "recalculation", "was made from another portfolio", "recalculate the decisions with this one"
        )
    return AuditReport(
        checks=(
            *site_checks(recalculation),
            *work_checks(recalculation),
            *machine_checks(recalculation),
            *contract_checks(recalculation),
            *policy_checks(recalculation),
            *technology_checks(recalculation),
            *market_checks(recalculation),
            *money_checks(recalculation),
            *_money_claims(recalculation, claims),
            *_mw_claims(recalculation, claims),
        )
    )


def _money_claims(recalculation: Recalculation, claims: Claims) -> Iterator[AuditCheck]:
    book, found = recalculation.book, recalculation.objective_usd
    if claims.objective_usd is not None:
        objective = Worst("claimed objective", "USD")
        stated = _claimed("objective_usd", claims.objective_usd, ())
        objective.add(abs(float(stated) - found), money_tolerance_usd(found), book.portfolio.finance.objective.value)
        yield from objective.checks()
    if claims.cvar_usd is not None and recalculation.cvar_usd is not None:
        cvar = Worst("claimed CVaR", "USD")
        stated = _claimed("cvar_usd", claims.cvar_usd, ())
        apart = abs(float(stated) - recalculation.cvar_usd)
        cvar.add(apart, money_tolerance_usd(found, recalculation.cvar_usd), "the tail")
        yield from cvar.checks()
    lines = Worst("claimed NPV by business line", "USD")
    for line, usd in (claims.npv_by_line_usd or {}).items():
        if line not in LINES:
            raise InvalidInputError.single(
                f"claims.npv_by_line_usd.{line}", "is not a business line", f"lines are {', '.join(LINES)}"
            )
        stated = _claimed(f"npv_by_line_usd.{line}", usd, ())
        own = getattr(recalculation.npv, f"{line}_usd")
        lines.add(abs(float(stated) - own), money_tolerance_usd(found), line)
    yield from lines.checks()
    ends = np.array([period.last for period in book.portfolio.horizon.periods])
    for name, field, by_month in (
        ("cash", "cash_usd", recalculation.cash_usd),
        ("cash in the stresses", "stress_cash_usd", recalculation.stress_cash_usd),
        ("debt", "debt_usd", recalculation.debt_usd),
    ):
        claim = getattr(claims, field)
        if claim is not None:
            worst, own = Worst(f"claimed {name} at the end of each period", "USD"), by_month[..., ends]
            deviation = np.abs(_claimed(field, claim, own.shape) - own)
            tolerance = money_tolerance_usd(found, float(np.abs(own).max(initial=0.0)))
            worst.add_array(deviation, tolerance, lambda *at: book.month_name(int(ends[at[-1]])))
            yield from worst.checks()


def _mw_claims(recalculation: Recalculation, claims: Claims) -> Iterator[AuditCheck]:
    book, use = recalculation.book, recalculation.use
    periods = book.portfolio.horizon.periods
    for name, claim, by_month in (
        ("mining", claims.mining_mw, use.mining_mw),
        ("hosting", claims.hosting_mw, use.hosting_mw),
        ("gpu", claims.gpu_mw, use.gpu_mw),
    ):
        if claim is not None:
            own = np.column_stack([by_month[:, list(period.months)].max(axis=1) for period in periods])
            worst = Worst(f"claimed MW of {'own GPUs' if name == 'gpu' else name}", "MW")
            worst.add_array(
                np.abs(_claimed(f"{name}_mw", claim, own.shape) - own),
                MW_TOLERANCE,
                lambda s, p: book.where(s, periods[p].first),
            )
            yield from worst.checks()


def _claimed(name: str, value: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A claim as an array of the right shape."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape != shape:
        raise InvalidInputError.single(f"claims.{name}", f"has shape {array.shape}", f"give {shape}")
    if not np.isfinite(array).all():
        raise InvalidInputError.single(f"claims.{name}", "is not finite", "claim numbers only")
    return array
