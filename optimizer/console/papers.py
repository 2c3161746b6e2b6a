"""A plan as what a board reads: the sections of the report, the report itself, and the workbook."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Final

from starlette.responses import Response

from optimizer.console.answers import plan_record_of
from optimizer.console.calls import Call
from optimizer.domain.plan import Plan
from optimizer.errors import ServiceError
from optimizer.io import portfolio_book
from optimizer.report import render_report
from optimizer.report.page import figure_data
from optimizer.report.sections import sections
from optimizer.report.words import audit_alarm, headline, recommendation
from optimizer.report.workbook import add_plan

_WORKBOOK_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


def plan_sections(call: Call) -> dict[str, Any]:
    """The report of a plan in parts: what is told of it, and its sections with their figures."""
    plan = _plan_of(call)
    return {
        "headline": headline(plan),
        "recommendation": recommendation(plan),
        "alarm": audit_alarm(plan),
        "sections": [
            {
                "slug": part.slug,
                "title": part.title,
                "html": part.html,
                "figures": [figure_data(figure) for figure in part.figures],
            }
            for part in sections(plan)
        ],
    }


def report(call: Call) -> Response:
    """The report of a plan, as a file."""
    plan = _plan_of(call)
    return _file(render_report(plan).encode(), "text/html; charset=utf-8", plan, "html")


def plan_file(call: Call) -> Response:
    """A plan, as a file that the commands read."""
    plan = _plan_of(call)
    return _file(plan.model_dump_json(indent=1).encode(), "application/json", plan, "json")


def workbook(call: Call) -> Response:
    """The workbook of a portfolio with the sheets of its plan, as a file."""
    record = plan_record_of(call)
    plan = _answer(record.plan, record.name)
    portfolio = call.client.get_portfolio(record.portfolio_name).portfolio
    book, content = portfolio_book(portfolio, ""), BytesIO()
    add_plan(book, plan, portfolio)
    book.save(content)
    return _file(content.getvalue(), _WORKBOOK_TYPE, plan, "xlsx")


def _plan_of(call: Call) -> Plan:
    record = plan_record_of(call)
    return _answer(record.plan, record.name)


def _answer(plan: Plan | None, name: str) -> Plan:
    if plan is None:
        raise ServiceError(f"{name} has no answer; it has not ended, or was cancelled or failed", "FAILED_PRECONDITION")
    return plan


def _file(content: bytes, media_type: str, plan: Plan, suffix: str) -> Response:
    stem = _UNUSUAL.sub("-", plan.manifest.portfolio_name).strip("-.") or "plan"
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{suffix}"'}
    return Response(content, media_type=media_type, headers=headers)
