"""The page of two plans: its words, its charts, and what it does with what differs and what does not."""

import json
import re
import shutil

import pytest
from test_report_browser import opened

from optimizer.app.comparison import compare
from optimizer.domain.comparison import ComparisonSpec
from optimizer.io import dump_portfolio, load_portfolio, parse_portfolio
from optimizer.report.comparison_page import comparison_figures, render_comparison

TINY = load_portfolio("tiny")


@pytest.fixture(scope="module")
def answer(tiny_plan):
    data = dump_portfolio(TINY)
    data["market"]["btc_usd"] = 90_000
    later = parse_portfolio(data, None, "later")
    kept = tiny_plan.decisions.model_copy(update={"contracts": tiny_plan.decisions.contracts[:1]})
    spec = {"portfolio": TINY, "decisions": tiny_plan.decisions, "other": kept, "other_portfolio": later}
    return compare(ComparisonSpec(**spec))


@pytest.fixture(scope="module")
def page(answer):
    return render_comparison(answer)


def figures(text):
    return {item["slug"]: item for item in json.loads(re.search(r'id="figures">(.*?)</script>', text, re.S)[1])}


def test_the_bars_lead_from_nothing_to_the_difference(answer, page):
    (trace,) = figures(page)["worth"]["traces"]
    *steps, total = trace["y"]
    assert len(steps) == len(answer.changes) > 1
    assert total == pytest.approx(answer.difference_usd / 1e6, abs=1e-3)
    for base, step, reached in zip(trace["base"], steps, trace["base"][1:-1], strict=False):
        assert base + step == pytest.approx(reached, abs=1e-3)
    assert trace["base"][-2] + steps[-1] == pytest.approx(total, abs=1e-3)
    assert trace["base"][-1] == 0.0


def test_every_change_and_assumption_is_in_a_table(answer, page):
    assert answer.assumptions
    for item in answer.changes:
        assert item.told in page
    for item in answer.assumptions:
        assert item.path in page


def test_cash_and_use_of_both_are_drawn(answer, page):
    drawn = figures(page)
    assert set(drawn) == {"worth", "cash", "debt", "use-plan", "use-other"}
    for trace, side in zip(drawn["cash"]["traces"], (answer.plan, answer.other), strict=True):
        assert trace["y"] == pytest.approx([row.cash_usd / 1e6 for row in side.plan.cash_flow], abs=1e-3)


def test_a_broken_limit_is_told_with_its_fix(answer, page):
    assert all(item.told in page for item in (*answer.plan.broken, *answer.other.broken))
    assert ('id="limits"' in page) == bool(answer.plan.broken or answer.other.broken)


def test_ids_are_unique_and_text_is_no_markup(answer):
    change = answer.changes[0].model_copy(update={"told": "<script>alert(1)</script>"})
    text = render_comparison(answer.model_copy(update={"changes": (change, *answer.changes[1:])}))
    assert "<script>alert" not in text
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_two_plans_that_are_the_same(answer):
    same = answer.model_copy(update={"other": answer.plan, "changes": (), "assumptions": (), "difference_usd": 0.0})
    text = render_comparison(same)
    assert "The two decide the same" in text
    assert "worth" not in figures(text)
    assert 'id="assumptions"' not in text


def test_figures_are_those_of_the_plan(answer):
    found = comparison_figures(answer.plan.plan)
    assert found["expected NPV"] - comparison_figures(answer.other.plan)["expected NPV"] == pytest.approx(
        answer.difference_usd
    )
    assert found["most debt"] == max(row.debt_usd for row in answer.plan.plan.cash_flow)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path")
def test_a_browser_draws_it_without_an_error(page, tmp_path):
    document, log = opened(page, tmp_path)
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert document.count('class="chart js-plotly-plot"') == 5
