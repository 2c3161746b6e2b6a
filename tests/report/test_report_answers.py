"""What was asked about a plan, in its report and in its workbook: all of it, nothing without it, and only of this plan."""

from __future__ import annotations

import json
import re

import openpyxl
import pytest
from test_sweep_page import LINES, MAP
from typer.testing import CliRunner

from optimizer.app import break_evens
from optimizer.app.alternatives import alternatives
from optimizer.app.explanation import explain
from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.domain import Placement
from optimizer.domain.alternatives import AlternativesSpec
from optimizer.domain.break_evens import BreakEvensSpec
from optimizer.domain.explanation import ExplanationSpec
from optimizer.domain.one_more import OneMore, OneMoreValue
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio, save_plan
from optimizer.io.answers import Answers, load_answers
from optimizer.report import render_report
from optimizer.report.workbook import write_plan_workbook


@pytest.fixture(scope="module")
def tiny():
    return load_portfolio("tiny")


@pytest.fixture(scope="module")
def files(tiny, tiny_plan, tmp_path_factory):
    """An answer of each kind, and two sweeps, as the commands print them."""
    folder = tmp_path_factory.mktemp("answers")
    known = {"portfolio": tiny, "decisions": tiny_plan.decisions, "bound_usd": tiny_plan.termination.bound_usd}
    why = explain(ExplanationSpec(**known, placement=Placement(offer="chip-lab", site="Pecos")))
    found = {
        "break-evens": break_evens(BreakEvensSpec(**known, relaxed_only=True)),
        "why": why,
        "one-more": OneMore(
            objective_usd=tiny_plan.termination.objective_usd,
            step=1.0,
            values=(
                OneMoreValue(
                    of="budget", what="of the budget", unit="million USD", price_usd=2e5, told="of the budget: little."
                ),
            ),
        ),
        "alternatives": alternatives(AlternativesSpec(**known, count=1, within_frac=0.5)),
        "lines": LINES,
        "map": MAP,
    }
    for name, answer in found.items():
        (folder / f"{name}.json").write_text(answer.model_dump_json(indent=2))
    return sorted(folder.glob("*.json"))


def sections_of(page):
    return re.findall(r'<section id="([^"]+)"', page)


def test_every_answer_is_in_the_report_before_the_audit(files, tiny_plan):
    answers = load_answers(files)
    page = render_report(tiny_plan, answers)
    names = sections_of(page)
    asked = ["break-evens", "why", "one-more", "alternatives", "sweep-1-tornado"]
    assert names[names.index("break-evens") :][:5] == asked
    assert names.index("sweep-2-regions") < names.index("audit")
    assert "This was asked of a plan" not in page
    for told in (answers.explanations[0].told, answers.alternatives[0].told, answers.break_evens[0].prices[0].told):
        assert re.sub(r"<[^>]+>", "", page).count(told)
    assert "of the budget</th><td>million USD</td>" in re.sub(r' class="[^"]*"| scope="row"', "", page)
    assert "$200,000" in page
    assert "of the budget: little." not in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_without_answers_nothing_changes(tiny_plan, tiny_page):
    assert render_report(tiny_plan, None) == tiny_page
    assert sections_of(render_report(tiny_plan, Answers())) == sections_of(tiny_page)


def test_an_answer_about_another_plan_says_so(files, tiny_plan):
    answers = load_answers(files)
    (asked,) = answers.break_evens
    other = asked.model_copy(update={"objective_usd": asked.objective_usd * 1.01})
    page = render_report(tiny_plan, Answers(break_evens=(other,)))
    assert "This was asked of a plan that is worth" in page


def test_every_answer_is_in_the_workbook(files, tiny, tiny_plan, tmp_path):
    answers = load_answers(files)
    write_plan_workbook(tiny_plan, tiny, tmp_path / "plan.xlsx", answers=answers)
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    held = {cell.value for row in book["plan.answers"].iter_rows() for cell in row}
    told = [*answers.break_evens[0].prices, *answers.explanations, *answers.alternatives[0].plans]
    told += answers.one_more[0].values
    assert {item.told for item in (*told, *LINES.switching_points)} <= held
    assert {LINES.tornado[0].difference.told, MAP.points[-1].npv_usd} <= held
    write_plan_workbook(tiny_plan, tiny, tmp_path / "bare.xlsx")
    assert "plan.answers" not in openpyxl.load_workbook(tmp_path / "bare.xlsx").sheetnames


def test_the_command_takes_files_and_writes_a_page_or_a_workbook(files, tiny_plan, tmp_path):
    save_plan(tiny_plan, tmp_path / "plan.json")
    words = ["report", str(tmp_path / "plan.json")]
    for file in files:
        words += ["--answers", str(file)]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "report.html")])
    assert done.exit_code == ExitCode.GOOD
    assert "sweep-2-regions" in sections_of((tmp_path / "report.html").read_text())
    book = ["--portfolio", "tiny", "--out", str(tmp_path / "plan.xlsx")]
    assert CliRunner().invoke(app, [*words, *book]).exit_code == ExitCode.GOOD
    assert "plan.answers" in openpyxl.load_workbook(tmp_path / "plan.xlsx").sheetnames
    refused = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "other.xlsx")])
    assert "name the portfolio, too" in str(refused.exception)


@pytest.mark.parametrize("data", [[], {}, {"contracts": []}])
def test_a_file_that_holds_no_answer_is_refused(data, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(data))
    with pytest.raises(InvalidInputError, match=r"x\.json: holds no answer about a plan"):
        load_answers([tmp_path / "x.json"])
