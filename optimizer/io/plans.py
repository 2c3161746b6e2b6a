"""Plan files: JSON; and the decisions of a plan that somebody else wrote."""

from __future__ import annotations

from pathlib import Path

from optimizer.domain.base import validated
from optimizer.domain.decisions import Decisions
from optimizer.domain.finance import Objective
from optimizer.domain.plan import PLAN_FORMAT, Plan
from optimizer.errors import InvalidInputError
from optimizer.io.portfolios import WORKBOOK_SUFFIX
from optimizer.io.text import read_data, write_text


def save_plan(plan: Plan, path: str | Path) -> None:
    """Write a plan as JSON.

    Raises:
        InvalidInputError: for the name of a workbook, which needs the portfolio as well.
    """
    path = Path(path)
    if path.suffix.lower() == WORKBOOK_SUFFIX:
        told = "is the name of a workbook, which shows a plan beside its portfolio"
        fix = "name a .json file, or write it with optimizer.report.workbook.write_plan_workbook"
        raise InvalidInputError.single(str(path), told, fix, "output")
    write_text(path, plan.model_dump_json(indent=1) + "\n")


def load_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises:
        InvalidInputError: for a file that is no plan, or one of another format.
    """
    path = Path(path)
    data = read_data(path, path.name)
    if isinstance(data, dict) and data.get("format") not in (None, PLAN_FORMAT):
        raise InvalidInputError.single(
            "format",
            f"is {data['format']!r}; this version reads {PLAN_FORMAT}",
            "plan again, or use the version that wrote it",
        )
    return validated(Plan, data, path.name)


def load_decisions(path: str | Path) -> Decisions:
    """Read decisions as they are written in YAML or JSON, or those of a plan file.

    Raises:
        InvalidInputError: for a file that holds neither.
    """
    path = Path(path)
    data = read_data(path, path.name)
    if isinstance(data, dict) and "manifest" in data:
        return load_plan(path).decisions
    return validated(Decisions, data, path.name)


def npv_bound_usd(path: str | Path) -> float | None:
    """What no plan is worth more than in expected NPV, as a plan file has it; None where it says nothing of that."""
    path = Path(path)
    data = read_data(path, path.name)
    if not isinstance(data, dict) or "manifest" not in data:
        return None
    plan = load_plan(path)
    return plan.termination.bound_usd if plan.objective is Objective.NPV and plan.cvar is None else None
