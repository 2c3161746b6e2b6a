"""A plan in a notebook: its HTML, its charts, its frames."""

import plotly.graph_objects as go
import pytest
from report_cases import check, contract, everything, hostile, made_plan, without_plan

from optimizer.domain.proof import AuditReport, TerminationReason
from optimizer.errors import NotFoundError
from optimizer.report.figure import Figure
from optimizer.report.notebook import _drawn, plotted
from optimizer.report.sections import sections

SLUGS = [figure.slug for part in sections(everything()) for figure in part.figures]


def test_a_plan_plots_the_use_of_its_power_unless_told_otherwise():
    plan = made_plan(contract())
    figure = plan.plot()
    assert isinstance(figure, go.Figure)
    drawn = {trace.name: trace.y for trace in figure.data}
    of_company = plan.capacity_mw.groupby(level="month").sum(numeric_only=True)
    assert list(drawn["Mining"]) == pytest.approx(list(of_company["mining_mw"]))
    assert list(drawn["Grid limit"]) == pytest.approx(list(of_company["grid_mw"]))


@pytest.mark.parametrize("slug", SLUGS)
def test_every_chart_of_the_report_is_drawn_in_real_colours(slug):
    figure = everything().plot(slug)
    assert figure.data
    assert '"@' not in figure.to_json()


def test_a_colour_that_the_page_does_not_have_is_no_colour():
    with pytest.raises(KeyError):
        _drawn(Figure("x", "X", "", "", [{"type": "bar", "marker": {"color": "@nothing"}}]))


def test_a_chart_that_is_not_there_names_those_that_are():
    with pytest.raises(NotFoundError, match="no chart of this plan named 'use-compani'; did you mean 'use-company'"):
        plotted(made_plan(), "use-compani")
    with pytest.raises(NotFoundError):
        without_plan(TerminationReason.INFEASIBLE).plot()


def test_the_summary_says_what_to_do_and_with_which_contracts():
    html = made_plan(contract())._repr_html_()
    assert "<h3>by hand: Sign 1\u00a0contract for 10" in html
    assert "offer-0" in html
    assert html.count("<table>") == 1
    assert "<table>" not in made_plan()._repr_html_()


def test_an_audit_that_failed_stands_first():
    failed = made_plan(contract(), audit=AuditReport(checks=(check(deviation=1.0),)))
    html = failed._repr_html_()
    assert html.index("<strong>") < html.index("<h3>")


def test_text_of_the_data_is_text_in_the_summary():
    assert "<script>" not in hostile("<script>alert(1)</script>")._repr_html_()
