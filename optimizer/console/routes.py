"""The routes of the JSON API, one line each, and the application that answers them and serves the page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from optimizer.console import answers, papers, questions
from optimizer.console.calls import Answer, Connect, endpoint
from optimizer.console.events import watch_endpoint
from optimizer.console.failures import error_data
from optimizer.console.guard import Guard
from optimizer.errors import ServiceError

PAGE: Final = Path(str(files("optimizer.console") / "page"))


class ApiRoute(NamedTuple):
    """A route of the JSON API."""

    method: str
    path: str
    answer: Answer


EVENTS: Final = "/v1/plans/{plan}/events"
API: Final = (
    ApiRoute("GET", "/v1/schema", answers.schema),
    ApiRoute("GET", "/v1/examples", answers.examples),
    ApiRoute("GET", "/v1/examples/{example}", answers.example),
    ApiRoute("POST", "/v1/portfolios", answers.create_portfolio),
    ApiRoute("GET", "/v1/portfolios/{portfolio}", answers.portfolio),
    ApiRoute("POST", "/v1/portfolios/{portfolio}/variants", questions.create_variant),
    ApiRoute("POST", "/v1/plans", answers.create_plan),
    ApiRoute("GET", "/v1/plans", answers.plans),
    ApiRoute("GET", "/v1/plans/{plan}", answers.plan),
    ApiRoute("GET", "/v1/plans/{plan}/sections", papers.plan_sections),
    ApiRoute("GET", "/v1/plans/{plan}/plan.json", papers.plan_file),
    ApiRoute("GET", "/v1/plans/{plan}/report.html", papers.report),
    ApiRoute("GET", "/v1/plans/{plan}/workbook.xlsx", papers.workbook),
    ApiRoute("POST", "/v1/plans/{plan}/stop", answers.stop_plan),
    ApiRoute("POST", "/v1/plans/{plan}/cancel", answers.cancel_plan),
    ApiRoute("POST", "/v1/comparisons", questions.compare),
    ApiRoute("POST", "/v1/explanations", questions.explain),
)


def application(connect: Connect) -> Guard:
    """The console in front of the service that ``connect`` makes clients of."""
    api = [Route(item.path, endpoint(item.answer, connect), methods=[item.method]) for item in API]
    routes = [
        *api,
        Route(EVENTS, watch_endpoint(connect), methods=["GET"]),
        Route("/plotly.min.js", papers.plotly_script),
        Route("/drawing.js", papers.drawing_script),
        Route("/report.css", papers.style_sheet),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _nothing_there}))


async def _nothing_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = f"{request.method} {request.url.path} is not offered"
    return JSONResponse({"error": error_data(ServiceError(told, "NOT_FOUND"))}, error.status_code)
