"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
PYTHON_PAGES = [page for page in PAGES if ">>>" in page.read_text(encoding="utf-8")]


def test_the_worked_case_in_the_readme_is_what_the_command_prints():
    shown = re.search(r"\$ optimizer plan tiny --quiet\n(.*?)```", README, re.S)[1]
    command = [str(Path(sys.executable).with_name("optimizer")), "plan", "tiny", "--quiet"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [line.rstrip() for line in shown.splitlines()] == [line.rstrip() for line in printed.splitlines()]


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, monkeypatch, tmp_path):
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(>>>.*?)```", page.read_text(encoding="utf-8"), re.S)
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    results = doctest.DocTestRunner().run(parsed)
    assert results.attempted == sum(block.count(">>>") for block in blocks) > 0
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_reference_pages_are_up_to_date():
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], check=False)
    assert done.returncode == 0


def test_the_commands_of_the_first_plan_run(tmp_path):
    page = (ROOT / "docs" / "tutorials" / "first-plan.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (optimizer .*)$", page, re.M)
    assert len(commands) == 4
    folder = Path(sys.executable).parent
    for command in commands:
        subprocess.run(f"{folder}/{command}", shell=True, cwd=tmp_path, check=True, capture_output=True)
    assert {"portfolio.yaml", "plan.json", "report.html"} == {file.name for file in tmp_path.iterdir()}


def test_tutorial_claims_hold():
    """Step 4: a dearer cheap lease pushes the large one back; less cash delays the large lease, then ends it."""
    import optimizer
    from optimizer.io import dump_portfolio, parse_portfolio

    def signed(change):
        data = dump_portfolio(optimizer.load_portfolio("tiny"))
        change(data)
        contracts = optimizer.plan(parse_portfolio(data, None, "changed")).contracts
        return {item.offer: f"{item.sign_month:%Y-%m}" for item in contracts}

    dearer = signed(lambda data: data["offers"][2].update(price_usd_per_kw_month=200))
    assert dearer["cheap-lease"] == "2027-01"
    assert dearer["northern-cloud"] == "2028-04"
    assert signed(lambda data: data["finance"].update(opening_cash_usd=120_000_000))["northern-cloud"] == "2028-04"
    assert "northern-cloud" not in signed(lambda data: data["finance"].update(opening_cash_usd=60_000_000))
