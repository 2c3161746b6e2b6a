"""The page: its sections in order, and how they are put into one file that loads nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optimizer.domain.plan import Plan
from optimizer.extras import naming_extras
from optimizer.io.answers import Answers
from optimizer.io.text import write_text
from optimizer.report.answers import with_answers
from optimizer.report.figure import Figure
from optimizer.report.formats import escape, month, prose, script_json
from optimizer.report.script import SCRIPT
from optimizer.report.sections import Section, sections
from optimizer.report.style import STYLE
from optimizer.report.words import audit_alarm, headline, recommendation

MOST_BYTES = 6_000_000
"""A page never grows beyond this; what does not fit is the file of the plan."""


def plotly_script() -> str:
    """The library that draws the figures."""
    with naming_extras():
        from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def write_report(plan: Plan, path: str | Path, answers: Answers | None = None) -> None:
    """Write the report of ``plan``, and of answers about it, as one HTML file."""
    write_text(Path(path), render_report(plan, answers))


def render_report(plan: Plan, answers: Answers | None = None) -> str:
    """The report of ``plan``, and of answers about it, as one HTML page that needs no network."""
    parts = with_answers(sections(plan), plan, answers)
    title = f"{plan.manifest.portfolio_name}: {headline(plan)}"
    return page(title, _header(plan, parts), parts, lambda room: _download(plan, room))


def page(title: str, header: str, parts: Sequence[Section], footer: Callable[[int], str]) -> str:
    """One HTML page that needs no network; ``footer`` makes its end of at most so many bytes."""
    figures = [figure for part in parts for figure in part.figures]
    scripts = [plotly_script(), SCRIPT] if figures else []
    data = _figures_element(figures) if figures else ""
    running = "".join(f"<script>{script}</script>" for script in scripts)
    start = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{_head(title, scripts)}</head>\n<body>\n{header}'
        f"<main>\n{_noscript() if figures else ''}{''.join(_section(part) for part in parts)}</main>\n"
    )
    end = f"\n{data}\n{running}\n</body>\n</html>\n"
    room = MOST_BYTES - len(start.encode()) - len(end.encode())
    return start + footer(room) + end


def _head(title: str, scripts: Sequence[str]) -> str:
    allowed = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed or chr(39) + 'none' + chr(39)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
    )


def _header(plan: Plan, parts: Sequence[Section]) -> str:
    alarm = audit_alarm(plan)
    warning = ""
    if alarm is not None:
        title, text = map(escape, alarm)
        warning = f'<div class="alarm" role="alert"><strong>{title}</strong><p>{text}</p></div>\n'
    span = f", {month(plan.cash_flow[0].month)} to {month(plan.cash_flow[-1].month)}" if plan.cash_flow else ""
    whose = escape(plan.manifest.portfolio_name) + prose(span)
    return (
        f'<header>\n{warning}<p class="eyebrow">Capacity plan of {whose}</p>\n'
        f'<h1>{escape(headline(plan))}</h1>\n<p class="lead" id="recommendation">{prose(recommendation(plan))}</p>\n'
        f"{navigation(parts)}</header>\n"
    )


def navigation(parts: Sequence[Section]) -> str:
    """Links to the sections."""
    links = "".join(f'<li><a href="#{part.slug}">{escape(part.title)}</a></li>' for part in parts)
    return f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n'


def _noscript() -> str:
    return "<noscript><p>The charts need JavaScript. The tables below them hold the same numbers.</p></noscript>\n"


def _section(part: Section) -> str:
    return (
        f'<section id="{part.slug}" aria-labelledby="{part.slug}-title">\n'
        f'<h2 id="{part.slug}-title">{escape(part.title)}</h2>\n{part.html}\n</section>\n'
    )


def figure_data(figure: Figure) -> dict[str, Any]:
    """A figure as the script takes it."""
    return {
        "slug": figure.slug,
        "traces": figure.traces,
        "layout": figure.layout,
        "height": figure.height_px,
        "small": figure.small,
    }


def _figures_element(figures: Sequence[Figure]) -> str:
    data = [figure_data(figure) for figure in figures]
    return f'<script type="application/json" id="figures">{script_json(data)}</script>'


def _download(plan: Plan, room: int) -> str:
    """The plan itself as a link: as JSON when it fits, else compressed, else not at all."""
    content = plan.model_dump_json(indent=1).encode()
    forms = (
        ("plan.json", "application/json", "JSON", content),
        ("plan.json.gz", "application/gzip", "compressed JSON", gzip.compress(content, mtime=0)),
    )
    for name, kind, said, body in forms:
        link = f"data:{kind};base64,{base64.b64encode(body).decode()}"
        element = (
            f'<footer class="download"><p><a download="{name}" href="{link}">Download the plan</a> '
            f"({said}, {len(body) / 1000:,.0f} kB): every number of this page, by site, machine class and month.</p>"
            "</footer>"
        )
        if len(element) <= room:
            return element
    return "<footer><p>The plan is too large to be carried by this page; its file holds every number.</p></footer>"
