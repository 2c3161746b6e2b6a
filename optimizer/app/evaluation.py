"""Evaluate a plan that somebody else wrote: by the audit alone, nothing is searched for and nothing chosen."""

from __future__ import annotations

from optimizer.app.broken_limits import broken_limit
from optimizer.app.filled_in import filled_in
from optimizer.app.outcome import manifest_of, outcome_fields, tail_scenarios
from optimizer.app.own_hashrate import own_hashrate, planned_hashrate_eh_s
from optimizer.audit import check, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain.evaluation import Evaluation, EvaluationSpec
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan
from optimizer.domain.proof import Termination, TerminationReason


def evaluate(spec: EvaluationSpec) -> Evaluation:
    """Whether a plan keeps every limit, what it is worth and how bad it can get.

    Where hashprice answers to the owner's machines, the plan is valued under the hashprice that it makes.

    Raises:
        InvalidInputError: for names, places and months that the portfolio does not have, with those that it has.
    """
    portfolio, futures = spec.portfolio, Futures.of(spec.portfolio)
    found, own = recalculate(portfolio, futures, spec.decisions), None
    if portfolio.market.own_hashrate_feedback:
        futures = futures.answering(planned_hashrate_eh_s(portfolio, spec.decisions))
        found = recalculate(portfolio, futures, spec.decisions)
        own = own_hashrate(futures, spec.decisions, found.npv_usd)
    if portfolio.risk.counts_tail:
        found = recalculate(portfolio, futures, spec.decisions, tail_scenarios(portfolio, futures, spec.decisions))
    report = check(portfolio, found)
    plan = Plan(
        termination=Termination(reason=TerminationReason.STATED, objective_usd=found.objective_usd),
        objective=portfolio.finance.objective,
        own_hashrate=own,
        audit=report,
        filled_in=filled_in(portfolio),
        manifest=manifest_of(portfolio, SolveOptions()),
        **outcome_fields(portfolio, futures, found),
    )
    return Evaluation(feasible=report.passed, broken=tuple(map(broken_limit, report.failures)), plan=plan)
