"""The audit: a plan computed again from its portfolio, without the planning model, and compared with what it claims."""

from optimizer.audit.checks import Claims, check
from optimizer.audit.paths import MarketPaths
from optimizer.audit.recalculate import Recalculation, SiteUse, Tail, recalculate
from optimizer.audit.stress import stress_outcomes
from optimizer.domain import AuditReport, Decisions, Portfolio

__all__ = [
    "Claims",
    "MarketPaths",
    "Recalculation",
    "SiteUse",
    "Tail",
    "audit",
    "check",
    "recalculate",
    "stress_outcomes",
]


def audit(
    portfolio: Portfolio, futures: MarketPaths, decisions: Decisions, claims: Claims, tail: Tail = ()
) -> tuple[Recalculation, AuditReport]:
    """Compute ``decisions`` again, with CVaR over their ``tail``, and check them and the ``claims`` made of them."""
    recalculation = recalculate(portfolio, futures, decisions, tail)
    return recalculation, check(portfolio, recalculation, claims)
