"""What the JSON API answers: portfolios and plans, in the words of their files."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from optimizer.client import PlanRecord, PortfolioRecord
from optimizer.console.calls import Call
from optimizer.domain.base import validated
from optimizer.domain.options import SolveOptions
from optimizer.errors import NotFoundError
from optimizer.gateway.failures import error_data
from optimizer.io import dump_without_files, load_portfolio, parse_portfolio, portfolio_schema
from optimizer.library.portfolios import example_names

MOST_LISTED: Final = 200
"""Plans in the list: the newest."""


def schema(_: Call) -> dict[str, Any]:
    """The JSON Schema of portfolios."""
    return portfolio_schema()


def examples(_: Call) -> dict[str, Any]:
    """The names of the example portfolios."""
    return {"examples": example_names()}


def example(call: Call) -> dict[str, Any]:
    """An example portfolio."""
    name = call.path["example"]
    if name not in example_names():  # else it would be taken for a file
        raise NotFoundError("example", name, example_names())
    return {"portfolio": dump_without_files(load_portfolio(name))}


def create_portfolio(call: Call) -> dict[str, Any]:
    """Stores a portfolio, or only checks it where ``validate_only`` is true."""
    stated = call.stated(frozenset({"portfolio", "validate_only"}), frozenset({"portfolio"}))
    portfolio = parse_portfolio(stated["portfolio"], None, "portfolio")
    validate_only = stated.get("validate_only", False) is True
    return portfolio_data(call.client.create_portfolio(portfolio, validate_only=validate_only))


def portfolio(call: Call) -> dict[str, Any]:
    """A stored portfolio."""
    return portfolio_data(call.client.get_portfolio(f"portfolios/{call.path['portfolio']}"))


def create_plan(call: Call) -> dict[str, Any]:
    """Asks for the plan of a stored portfolio, within ``options`` if they are stated."""
    stated = call.stated(frozenset({"portfolio", "options"}), frozenset({"portfolio"}))
    options = validated(SolveOptions, stated.get("options", {}), "options")
    return {"name": call.client.create_plan(str(stated["portfolio"]), options)}


def plans(call: Call) -> dict[str, Any]:
    """The newest plans, without their answers."""
    listed = [_plan_data(record) for record, _ in zip(call.client.list_plans(), range(MOST_LISTED), strict=False)]
    return {"plans": listed}


def plan(call: Call) -> dict[str, Any]:
    """A plan as it is now, with its answer once it has one."""
    return _plan_data(plan_record_of(call))


def plan_record_of(call: Call) -> PlanRecord:
    """The record of the plan in the path."""
    return call.client.get_plan(f"plans/{call.path['plan']}")


def portfolio_data(record: PortfolioRecord) -> dict[str, Any]:
    """A stored portfolio as plain data."""
    return {
        "name": record.name,
        "create_time": _time(record.create_time),
        "portfolio": dump_without_files(record.portfolio),
    }


def _plan_data(record: PlanRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "portfolio": record.portfolio_name,
        "options": record.options.model_dump(mode="json"),
        "state": record.state.value,
        "ended": record.state.ended,
        "create_time": _time(record.create_time),
        "start_time": _time(record.start_time),
        "end_time": _time(record.end_time),
        "progress": None if record.progress is None else record.progress.model_dump(mode="json"),
        "plan": None if record.plan is None else record.plan.model_dump(mode="json"),
        "error": None if record.error is None else error_data(record.error),
    }


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
