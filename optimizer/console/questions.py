"""Questions about plans that are there: what another assumption changes, what two plans differ in, why and why not."""

from __future__ import annotations

from typing import Any

from optimizer.client import PlanRecord
from optimizer.console.answers import portfolio_data
from optimizer.console.calls import Call
from optimizer.console.papers import answer_of
from optimizer.domain.base import validated
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.explanation import Explanation, ExplanationSpec
from optimizer.domain.portfolio import Portfolio


def create_variant(call: Call) -> dict[str, Any]:
    """Stores a portfolio with some numbers multiplied: factors in ``scale`` by the paths of what-ifs."""
    from optimizer.app.changes import changed  # with it comes the planner, which the console rarely needs

    call.stated(frozenset({"scale"}), frozenset({"scale"}))
    portfolio = call.client.get_portfolio(f"portfolios/{call.path['portfolio']}").portfolio
    variant = changed(portfolio, call.numbers("scale"), {})
    return portfolio_data(call.client.create_portfolio(variant))


def compare(call: Call) -> Comparison:
    """How ``plan`` differs from the plan ``other``, or from a ``baseline``."""
    stated = call.stated(frozenset({"plan", "other", "baseline"}), frozenset({"plan"}))
    record = _record(call, stated["plan"])
    question: dict[str, Any] = {
        "portfolio": _portfolio(call, record),
        "decisions": answer_of(record).decisions,
        "options": record.options,
    }
    if "other" in stated:
        other = _record(call, stated["other"])
        question["other"] = answer_of(other).decisions
        if other.portfolio_name != record.portfolio_name:
            question["other_portfolio"] = _portfolio(call, other)
    if "baseline" in stated:
        question["baseline"] = stated["baseline"]
    return call.client.compare(validated(ComparisonSpec, question, "comparison"))


def explain(call: Call) -> Explanation:
    """Why the ``placement`` of an offer is in ``plan``, or why not."""
    stated = call.stated(frozenset({"plan", "placement"}), frozenset({"plan", "placement"}))
    record = _record(call, stated["plan"])
    answer = answer_of(record)
    question = {
        "portfolio": _portfolio(call, record),
        "decisions": answer.decisions,
        "bound_usd": answer.termination.bound_usd,
        "placement": stated["placement"],
        "options": record.options,
    }
    return call.client.explain(validated(ExplanationSpec, question, "question"))


def _record(call: Call, name: object) -> PlanRecord:
    return call.client.get_plan(str(name))


def _portfolio(call: Call, record: PlanRecord) -> Portfolio:
    return call.client.get_portfolio(record.portfolio_name).portfolio
