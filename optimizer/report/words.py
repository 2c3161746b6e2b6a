"""The plan in plain words: what to do, what it is worth, how far that is proven."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.domain.outcome import ContractOutcome
from optimizer.domain.plan import NPV, Plan
from optimizer.domain.proof import Limit, TerminationReason
from optimizer.report.formats import count, gap, listed, money, month, mw, percent, sentences
from optimizer.report.totals import LEAST_MW, USE_NAMES, USES, fleet_moves, lowest_cash, use_of_company

NAMED_CONTRACTS = 3
"""More contracts than this are counted, and only the largest are named."""
NOTHING_USD = 1_000.0
"""A difference below this is none."""


def worth_usd(plan: Plan) -> float | None:
    """Expected NPV of the plan."""
    return plan.npv.total_usd if plan.npv is not None else plan.termination.objective_usd


def headline(plan: Plan) -> str:
    """The answer in one line."""
    if not plan.termination.has_plan:
        return _NO_PLAN[plan.termination.reason][0]
    todo = [_signing(plan.contracts)] if plan.contracts else []
    blocks = sum(order.block_count for order in plan.decisions.gpu_orders)
    if blocks:
        todo.append(f"order {count(blocks, 'GPU block')}")
    if plan.decisions.site_openings:
        todo.append(f"open {count(len(plan.decisions.site_openings), 'site')}")
    changed = {item.site for item in plan.decisions.works}
    if changed:
        todo.append(f"change {count(len(changed), 'site')}")
    text = (listed(todo) if todo else "sign nothing and mine on") + _against_mining_on(plan, bool(todo))
    if plan.audit_failed:
        return f"Audit failed; the plan would {text}"
    return text[:1].upper() + text[1:]


def _signing(contracts: Sequence[ContractOutcome]) -> str:
    return f"sign {count(len(contracts), 'contract')} for {mw(sum(item.critical_mw for item in contracts))}"


def _against_mining_on(plan: Plan, acts: bool) -> str:
    twin = plan.business_as_usual
    if twin is None or twin.difference_usd is None or not acts:
        return ""
    if twin.difference_usd > NOTHING_USD:
        return f", {money(twin.difference_usd)} better than mining on"
    if twin.difference_usd < -NOTHING_USD:
        return f", {money(-twin.difference_usd)} worse than mining on"
    return ", as good as mining on"


def recommendation(plan: Plan) -> str:
    """The answer in one paragraph; for a search without a plan, why there is none."""
    if not plan.termination.has_plan:
        return no_plan(plan)
    return sentences(
        (
            _contracts(plan.contracts),
            _other_decisions(plan),
            _use(plan),
            _machines(plan),
            _worth(plan),
            proof(plan),
            _audit(plan),
            own_constraints(plan),
            _tail(plan),
            _liquidity(plan),
        )
    )


def _contracts(contracts: Sequence[ContractOutcome]) -> str:
    if not contracts:
        return "Sign no contract."
    if len(contracts) <= NAMED_CONTRACTS:
        return f"Sign {listed([_contract(item) for item in contracts])}."
    sites = {item.site for item in contracts}
    largest = sorted(contracts, key=lambda item: -item.critical_mw)[:NAMED_CONTRACTS]
    return (
        f"S{_signing(contracts)[1:]} of critical IT at {count(len(sites), 'site')}, from "
        f"{month(min(item.sign_month for item in contracts))} to {month(max(item.sign_month for item in contracts))}. "
        f"The largest are {listed([_contract(item) for item in largest])}."
    )


def _contract(item: ContractOutcome) -> str:
    live = f"live from {month(item.energize_month)}"
    if item.full_energize_month > item.energize_month:
        live += f" and in full from {month(item.full_energize_month)}"
    return (
        f"{item.offer} at {item.site} ({mw(item.critical_mw)} of critical IT for {item.tenant}, "
        f"signed {month(item.sign_month)}, {live})"
    )


def _other_decisions(plan: Plan) -> str:
    parts = [
        f"Order {count(item.block_count, 'block')} of {item.gpu_option} at {item.site} in {month(item.order_month)}"
        + (
            f", and replace the GPUs of {item.refreshed_block_count:,} at the end of their life."
            if item.refreshed_block_count
            else "."
        )
        for item in plan.decisions.gpu_orders
    ]
    if len(parts) > NAMED_CONTRACTS:
        orders = plan.decisions.gpu_orders
        sites = len({order.site for order in orders})
        blocks = count(sum(order.block_count for order in orders), "GPU block")
        parts = [f"Order {blocks} at {count(sites, 'site')}, the first in {month(min(o.order_month for o in orders))}."]
    parts += [f"Open {opening.site} in {month(opening.month)}." for opening in plan.decisions.site_openings]
    parts += [f"{item.told}." for item in plan.works]
    return " ".join(parts)


def _use(plan: Plan) -> str:
    use = use_of_company(plan)
    if not use:
        return ""
    first, last = use[0], use[-1]
    parts = []
    for name in USES:
        before, after = first.of(name), last.of(name)
        if max(before, after) < LEAST_MW:
            continue
        change = f"stays at {mw(after)}" if abs(after - before) < LEAST_MW else f"goes from {mw(before)} to {mw(after)}"
        parts.append(f"{USE_NAMES[name] if name == 'gpu' else USE_NAMES[name].lower()} {change}")
    if not parts:
        return "No MW is used."
    return f"Between {month(first.month)} and {month(last.month)}, {listed(parts)} at the meter."


def _machines(plan: Plan) -> str:
    moves = fleet_moves(plan)
    sums = {
        "bought": sum(item.bought for item in moves),
        "sold": sum(item.sold for item in moves),
        "moved between sites": sum(item.moved_out for item in moves),
    }
    parts = [f"{round(total):,d} {what}" for what, total in sums.items() if round(total)]
    return f"Machines: {listed(parts)}." if parts else ""


def _worth(plan: Plan) -> str:
    worth = worth_usd(plan)
    if worth is None:
        return ""
    text = f"In expectation the plan is worth {money(worth)} (net present value)"
    twin = plan.business_as_usual
    if twin is None:
        return text + "."
    if not twin.feasible or twin.npv_usd is None or twin.difference_usd is None:
        why = f" ({twin.detail})" if twin.detail else ""
        return text + f"; there is no plan without contracts to compare it with{why}."
    if abs(twin.difference_usd) <= NOTHING_USD:
        return text + f", the same as mining on without contracts ({money(twin.npv_usd)})."
    word = "more" if twin.difference_usd > 0 else "less"
    return (
        text + f": {money(abs(twin.difference_usd))} {word} than mining on without contracts ({money(twin.npv_usd)})."
    )


def in_terms(plan: Plan) -> str:
    """In terms of what a plan is worth, where that is not the NPV."""
    return f" in {plan.objective_told}" if plan.objective_told != NPV else ""


def proof(plan: Plan) -> str:
    """How good the plan is proven to be."""
    end = plan.termination
    if end.reason is TerminationReason.STATED:
        return "It was stated, not searched for, so nothing is proven about better plans."
    if end.bound_usd is None or end.gap_frac is None:
        return f"{_stopped(end.limit)} No bound was found, so nothing is proven about better plans."
    if end.reason is TerminationReason.OPTIMAL or end.gap_frac <= plan.manifest.options.gap_frac:
        return (
            f"No plan can be worth more than {money(end.bound_usd)}{in_terms(plan)}: "
            f"this one is proven to be within {gap(end.gap_frac)} of the best possible."
        )
    worth = end.objective_usd if end.objective_usd is not None else worth_usd(plan)
    more = f" A plan worth up to {money(end.bound_usd - worth)} more may exist" if worth is not None else ""
    return f"{_stopped(end.limit)}{more} (bound {money(end.bound_usd)}, gap {gap(end.gap_frac)})."


def _stopped(limit: Limit) -> str:
    return {
        Limit.TIME: "The search reached its time limit before the proof was complete.",
        Limit.INTERRUPTED: "The search was interrupted before the proof was complete.",
        Limit.NONE: "The search ended before the proof was complete.",
    }[limit]


def _audit(plan: Plan) -> str:
    if plan.audit is None:
        return "The plan was not audited."
    total = len(plan.audit.checks)
    failed = len(plan.audit.failures)
    if failed:
        return f"THE AUDIT FAILED: {failed} of {count(total, 'check')} did not pass, so do not act on this plan."
    return f"An independent re-calculation from the portfolio confirms it in all {count(total, 'check')}."


def own_constraints(plan: Plan) -> str:
    """What the plan was held to that the audit cannot check."""
    names = [f"\u201c{name}\u201d" for name in plan.audit.not_audited] if plan.audit is not None else []
    if not names:
        return ""
    return f"The plan was also held to {listed(names)}, stated by the user in code; the audit cannot check that."


def _tail(plan: Plan) -> str:
    spread = plan.distribution
    if spread is None:
        return ""
    verb = "is worth" if spread.cvar_usd >= 0 else "loses"
    return (
        f"In the worst {percent(spread.tail_probability)} of {count(spread.scenario_count, 'scenario')} "
        f"it {verb} {money(abs(spread.cvar_usd))} on average."
    )


def _liquidity(plan: Plan) -> str:
    low = lowest_cash(plan)
    return "" if low is None else f"Expected cash is lowest in {month(low.month)}, at {money(low.cash_usd)}."


_NO_PLAN = {
    TerminationReason.INFEASIBLE: (
        "No plan is possible",
        "It is proven that no plan satisfies everything that the portfolio states: at least one limit, policy or "
        "mandatory contract has to give way. There are therefore no decisions to show.",
    ),
    TerminationReason.UNBOUNDED: (
        "Something is missing from the portfolio",
        "As stated, the portfolio allows unlimited profit, which means that a limit, a cost or a price is missing. "
        "There are therefore no decisions to show.",
    ),
    TerminationReason.NO_PLAN_FOUND: (
        "No plan was found",
        "The search ended before any plan was found. This does not mean that there is none: "
        "a longer time limit may find one. There are no decisions to show.",
    ),
}


def no_plan(plan: Plan) -> str:
    """Why there is no plan, and what is known all the same."""
    end = plan.termination
    limit = {Limit.TIME: "The time limit was reached.", Limit.INTERRUPTED: "The search was interrupted."}
    bound = f"Any plan would be worth at most {money(end.bound_usd)}." if end.bound_usd is not None else ""
    detail = f"The solver says: {end.detail.rstrip('.')}." if end.detail.strip() else ""
    if end.reason is TerminationReason.INFEASIBLE:
        bound = ""
    elif end.bound_usd is None and end.reason is TerminationReason.NO_PLAN_FOUND:
        bound = "No bound on what a plan could be worth is known either."
    return sentences((_NO_PLAN[end.reason][1], limit.get(end.limit, ""), detail, bound))


def audit_alarm(plan: Plan) -> tuple[str, str] | None:
    """Title and text of what stands first on the page when the plan cannot be trusted."""
    if not plan.termination.has_plan:
        return None
    if plan.audit is None:
        return (
            "This plan was not audited",
            "No independent re-calculation confirms its numbers. Audit it before acting on it.",
        )
    failures = plan.audit.failures
    if not failures:
        return None
    worst = listed([f"\u201c{check.name}\u201d" for check in failures[:NAMED_CONTRACTS]])
    more = len(failures) - NAMED_CONTRACTS
    rest = f", and {more} more" if more > 0 else ""
    return (
        "Audit failed: do not act on this plan",
        f"{len(failures)} of {count(len(plan.audit.checks), 'check')} of the independent re-calculation did not pass: "
        f"{worst}{rest}. The numbers below are the re-calculation's; "
        "the decisions break a limit, or what the model claims of them is wrong.",
    )
