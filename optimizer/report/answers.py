"""What would change the answer: sections of a report from what was asked about its plan."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.domain.alternatives import Alternative
from optimizer.domain.break_evens import BreakEvens, PriceBreakEven, TermBreakEven
from optimizer.domain.explanation import Explanation
from optimizer.domain.plan import Plan
from optimizer.domain.proof import Certainty
from optimizer.io.answers import Answers
from optimizer.report.formats import escape, money, prose
from optimizer.report.sections import Section
from optimizer.report.sweep_sections import sweep_sections
from optimizer.report.tables import numbers, table, words

NEXT = "audit"
"""Section before which the answers stand."""
SAME_FRAC = 1e-4
"""Two plans whose worth differs by less, relatively, are taken for one."""
CERTAIN = {
    Certainty.PROVEN: "proven",
    Certainty.WITHIN_GAP: "only within the gap",
    Certainty.EITHER_SIGN: "could be of the other sign",
}
"""What of an answer stands, in words."""


def with_answers(parts: list[Section], plan: Plan, answers: Answers | None) -> list[Section]:
    """The sections of a plan with those of answers about it among them."""
    if answers is None:
        return parts
    asked = _break_evens(plan, answers), _whys(answers), _one_more(plan, answers), _alternatives(plan, answers)
    made = [part for part in asked if part.html]
    for number, sweep in enumerate(answers.sweeps, start=1):
        prefix = f"sweep-{number}-" if len(answers.sweeps) > 1 else "sweep-"
        made += sweep_sections(sweep, prefix)
    place = next((place for place, part in enumerate(parts) if part.slug == NEXT), len(parts))
    return [*parts[:place], *made, *parts[place:]]


def asked_of_another(plan: Plan, objective_usd: float | None) -> str:
    """What to say where an answer is not about this plan but one that is worth something else."""
    ours = plan.termination.objective_usd
    if ours is None or objective_usd is None or abs(objective_usd - ours) <= SAME_FRAC * max(abs(ours), 1.0):
        return ""
    return (
        f"This was asked of a plan that is worth {money(objective_usd)}; the one of this report is worth {money(ours)}."
    )


def _break_evens(plan: Plan, answers: Answers) -> Section:
    html = ""
    for answer in answers.break_evens:
        rows = [[item.offer, _now(item), item.told, CERTAIN[item.certainty]] for item in terms_of(answer)]
        columns = words("Contract", "In the plan", "What would change that", "As it is stated")
        html += _remark(asked_of_another(plan, answer.objective_usd))
        html += table("Terms on which each contract enters the plan or leaves it.", columns, rows)
    return Section("break-evens", "Terms that would change the contracts", html)


def terms_of(answer: BreakEvens) -> Sequence[PriceBreakEven | TermBreakEven]:
    """All terms that were asked about."""
    return [*answer.prices, *answer.terms]


def _now(item: PriceBreakEven | TermBreakEven) -> str:
    return "signed" if item.signed else "not signed"


def _whys(answers: Answers) -> Section:
    rows = [[placement_told(item), item.told, loss_told(item)] for item in answers.explanations]
    columns = words("Contract", "Why, or why not", "What the other way loses")
    told = table("Placements that were asked about.", columns, rows) if rows else ""
    return Section("why", "Why this, why not that", told)


def placement_told(item: Explanation) -> str:
    """Where and when a placement that was explained is."""
    asked = item.explained
    site = f" at {asked.site}" if asked.site is not None else ""
    return f"{asked.offer}{site}" + (f" in {asked.sign_month:%Y-%m}" if asked.sign_month is not None else "")


def loss_told(item: Explanation) -> str:
    """What a placement the other way loses, as far as it is proven."""
    if item.possible is False:
        return "not possible (proven)"
    return "no plan was found" if item.lost is None else item.lost.told


def _one_more(plan: Plan, answers: Answers) -> Section:
    html = ""
    for answer in answers.one_more:
        rows = [
            [item.what, item.unit, f"${item.price_usd:,.0f}", item.told.removeprefix(f"{item.what}: ")]
            for item in answer.values
        ]
        columns = [*words("More of", "Unit"), *numbers("At the margin"), *words("What one more is worth")]
        html += _remark(asked_of_another(plan, answer.objective_usd))
        html += table("What more of something scarce is worth.", columns, rows)
    return Section("one-more", "Value of one more", html)


def _alternatives(plan: Plan, answers: Answers) -> Section:
    html = ""
    for answer in answers.alternatives:
        rows = [
            [
                f"{number}.",
                money(item.npv_usd),
                money(item.costs_usd),
                item.told,
                changes_told(item),
            ]
            for number, item in enumerate(answer.plans, start=1)
        ]
        columns = [*words("Plan"), *numbers("NPV", "Costs"), *words("What is proven", "What it does otherwise")]
        html += _remark(asked_of_another(plan, answer.best_objective_usd)) + f"<p>{prose(answer.told)}</p>"
        html += table("Other plans that are nearly as good, as they were found.", columns, rows) if rows else ""
    return Section("alternatives", "Other plans that are nearly as good", html)


def changes_told(item: Alternative) -> str:
    """What an alternative does otherwise than the best plan."""
    return "; ".join(change.told for change in item.changes)


def _remark(told: str) -> str:
    return f'<p class="failed">{escape(told)}</p>' if told else ""
