"""The routes of what the page calls, one line each, and the application that answers them and serves the page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from optimizer.console import answers, papers, questions
from optimizer.console.calls import Answer, Connect, endpoint
from optimizer.gateway.calls import Gateway
from optimizer.gateway.guard import Guard
from optimizer.gateway.server import answering, routes

PAGE: Final = Path(str(files("optimizer.console") / "page"))


class ApiRoute(NamedTuple):
    """A route of what the page calls."""

    method: str
    path: str
    answer: Answer


API: Final = (
    ApiRoute("GET", "/console/schema", answers.schema),
    ApiRoute("GET", "/console/examples", answers.examples),
    ApiRoute("GET", "/console/examples/{example}", answers.example),
    ApiRoute("POST", "/console/portfolios", answers.create_portfolio),
    ApiRoute("GET", "/console/portfolios/{portfolio}", answers.portfolio),
    ApiRoute("POST", "/console/portfolios/{portfolio}/variants", questions.create_variant),
    ApiRoute("POST", "/console/plans", answers.create_plan),
    ApiRoute("GET", "/console/plans", answers.plans),
    ApiRoute("GET", "/console/plans/{plan}", answers.plan),
    ApiRoute("GET", "/console/plans/{plan}/sections", papers.plan_sections),
    ApiRoute("GET", "/console/plans/{plan}/plan.json", papers.plan_file),
    ApiRoute("GET", "/console/plans/{plan}/report.html", papers.report),
    ApiRoute("GET", "/console/plans/{plan}/workbook.xlsx", papers.workbook),
    ApiRoute("POST", "/console/comparisons", questions.compare),
    ApiRoute("POST", "/console/explanations", questions.explain),
)


def application(connect: Connect, gateway: Gateway) -> Guard:
    """The console in front of the service that ``connect`` makes clients of, and the service's own calls beside it."""
    api = [Route(item.path, endpoint(item.answer, connect), methods=[item.method]) for item in API]
    pages = [
        *api,
        *routes(gateway),
        Route("/plotly.min.js", papers.plotly_script),
        Route("/drawing.js", papers.drawing_script),
        Route("/report.css", papers.style_sheet),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    return Guard(answering(pages))
