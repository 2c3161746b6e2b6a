"""What questions that are answered by linear programs and searches of HiGHS, in expectation, refuse to start from."""

from __future__ import annotations

from optimizer.domain.base import problem
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio


def check_in_expectation(what: str, portfolio: Portfolio, options: SolveOptions) -> None:
    """Refuse another solver, a second search, and objectives that are not linear in the plan."""
    if options.solver != "highs" or options.paranoid:
        raise problem("options", f"{what} are searched by HiGHS, once each", "leave solver and paranoid out")
    if portfolio.risk.counts_tail or portfolio.market.own_hashrate_feedback:
        told = f"{what} are in expectation, under a hashprice that does not answer to the plan"
        raise problem("portfolio", told, "leave CVaR out of the objective and own_hashrate_feedback off")
