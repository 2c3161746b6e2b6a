"""A plan as what a board reads: the sections of the report, the report itself, and the workbook.

What they are made of is loaded when it is first asked for: a server that is asked for no charts starts without them.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from optimizer.client import PlanRecord
from optimizer.console.answers import plan_record_of
from optimizer.console.calls import Call
from optimizer.domain.plan import Plan
from optimizer.errors import ServiceError
from optimizer.io import portfolio_book

_WORKBOOK_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SCRIPT_TYPE: Final = "text/javascript"
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


def plan_sections(call: Call) -> dict[str, Any]:
    """The report of a plan in parts: what is told of it, and its sections with their figures."""
    from optimizer.report.page import figure_data
    from optimizer.report.sections import sections
    from optimizer.report.words import audit_alarm, headline, recommendation

    plan = answer_of(plan_record_of(call))
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
    from optimizer.report import render_report

    plan = answer_of(plan_record_of(call))
    return _file(render_report(plan).encode(), "text/html; charset=utf-8", plan, "html")


def plan_file(call: Call) -> Response:
    """A plan, as a file that the commands read."""
    plan = answer_of(plan_record_of(call))
    return _file(plan.model_dump_json(indent=1).encode(), "application/json", plan, "json")


def workbook(call: Call) -> Response:
    """The workbook of a portfolio with the sheets of its plan, as a file."""
    from optimizer.report.workbook import add_plan

    record = plan_record_of(call)
    plan = answer_of(record)
    portfolio = call.client.get_portfolio(record.portfolio_name).portfolio
    book, content = portfolio_book(portfolio, ""), BytesIO()
    add_plan(book, plan, portfolio)
    book.save(content)
    return _file(content.getvalue(), _WORKBOOK_TYPE, plan, "xlsx")


def style_sheet(_: Request) -> Response:
    """The style sheet of the report."""
    from optimizer.report.style import STYLE

    return Response(STYLE, media_type="text/css")


def drawing_script(_: Request) -> Response:
    """What draws the figures of the report, as a module."""
    from optimizer.report.script import DRAWING

    return Response(f"{DRAWING}\nexport {{ config, dark, layoutOf, painted }};\n", media_type=_SCRIPT_TYPE)


def plotly_script(_: Request) -> Response:
    """The file of Plotly that the report embeds."""
    found = find_spec("plotly")
    assert found is not None
    assert found.origin is not None
    return FileResponse(Path(found.origin).parent / "package_data" / "plotly.min.js", media_type=_SCRIPT_TYPE)


def answer_of(record: PlanRecord) -> Plan:
    """The answer of a plan.

    Raises:
        ServiceError: it has none.
    """
    if record.plan is None:
        told = f"{record.name} has no answer; it has not ended, or was cancelled or failed"
        raise ServiceError(told, "FAILED_PRECONDITION")
    return record.plan


def _file(content: bytes, media_type: str, plan: Plan, suffix: str) -> Response:
    stem = _UNUSUAL.sub("-", plan.manifest.portfolio_name).strip("-.") or "plan"
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{suffix}"'}
    return Response(content, media_type=media_type, headers=headers)
