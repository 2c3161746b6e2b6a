"""The page in a real browser: no error, every chart drawn, nothing from data run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from report_cases import hostile

from optimizer.domain.plan import Plan
from optimizer.report import render_report

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--window-size=1200,900",
    "--virtual-time-budget=10000",
)
ATTACK = "<img src=x onerror=\"document.body.setAttribute('data-ran','yes')\">"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")]


def opened(text: str, folder: Path) -> tuple[str, str]:
    """The document after its scripts have run, and what the browser logged."""
    (folder / "report.html").write_text(text, encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--screenshot={folder / 'page.png'}"]
    done = subprocess.run(
        [*command, "--dump-dom", (folder / "report.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("kind", ["tiny", "hostile"])
def test_charts_are_drawn_without_an_error(kind: str, tiny_plan: Plan, tmp_path: Path) -> None:
    text = render_report(tiny_plan if kind == "tiny" else hostile(ATTACK))
    document, log = opened(text, tmp_path)
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    places = document.count('class="chart ')
    assert places == text.count('class="chart"') > 8
    assert document.count("js-plotly-plot") >= places
    assert document.count('<svg class="main-svg"') >= 2 * places
    assert "data-ran=" not in document
    assert (tmp_path / "page.png").stat().st_size > 20_000
