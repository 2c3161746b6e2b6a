"""The page holds everything, loads nothing and runs nothing that came from data."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from report_cases import capacity, check, contract, everything, hostile, made_plan, without_plan

from optimizer.domain.plan import Plan
from optimizer.domain.proof import AuditReport, TerminationReason
from optimizer.io.plans import load_plan
from optimizer.report import page, render_report, tables, write_report
from optimizer.report.charts_operations import MOST_SITE_CHARTS, drawn_sites
from optimizer.report.formats import chart_text
from optimizer.report.totals import CASH_LINES

SECTIONS = [
    "key-figures",
    "power",
    "contracts",
    "fleet",
    "cash",
    "earnings",
    "risk",
    "audit",
    "assumptions",
    "manifest",
]
LOADING = re.compile(
    r"""(?:src|srcset|href|action|data|poster|xlink:href)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE
)


class Reader(HTMLParser):
    """Elements, scripts and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, before = self.scripts[-1]
            self.scripts[-1] = attributes, before + data
        elif self._inside != "style":
            self.text += data

    def with_id(self, name: str) -> dict[str, str | None]:
        return next(attributes for _, attributes in self.elements if attributes.get("id") == name)

    @property
    def figures(self) -> list[dict[str, Any]]:
        content = next(content for attributes, content in self.scripts if attributes.get("id") == "figures")
        figures: list[dict[str, Any]] = json.loads(content)
        return figures

    def figure(self, slug: str) -> dict[str, Any]:
        return next(figure for figure in self.figures if figure["slug"] == slug)


def without_bundle(text: str) -> str:
    """The page without the chart library's code."""
    return re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)


class TestWhole:
    def test_every_section_is_there_and_linked(self, tiny_page: str) -> None:
        reader = Reader(tiny_page)
        assert [attributes.get("id") for tag, attributes in reader.elements if tag == "section"] == SECTIONS
        links = [
            attributes["href"] for tag, attributes in reader.elements if tag == "a" and "download" not in attributes
        ]
        assert links == [f"#{name}" for name in SECTIONS]

    def test_every_chart_has_a_place_with_an_alternative_and_a_caption(self, tiny_page: str) -> None:
        reader = Reader(tiny_page)
        slugs = [figure["slug"] for figure in reader.figures]
        assert set(slugs) >= {
            *("use-company", "use-site-0", "use-site-1", "timeline", "hashrate", "machines"),
            *("cash-flow", "liquidity", "earnings-by-year", "npv-by-line", "npv-distribution", "tail-drivers"),
        }
        for slug in slugs:
            place = reader.with_id(f"chart-{slug}")
            assert place["role"] == "img"
            assert len(place["aria-label"] or "") > 20
        assert tiny_page.count("<figcaption>") == len(slugs)

    def test_size(self, tiny_page: str) -> None:
        assert len(tiny_page.encode()) < page.MOST_BYTES

    def test_nothing_is_loaded(self, tiny_page: str) -> None:
        assert LOADING.search(without_bundle(tiny_page)) is None
        reader = Reader(tiny_page)
        assert not [tag for tag, _ in reader.elements if tag in ("link", "img", "iframe", "object", "embed", "base")]
        assert not [attributes for attributes, _ in reader.scripts if "src" in attributes]
        assert "@import" not in tiny_page.partition("</style>")[0]
        assert "url(" not in tiny_page.partition("</style>")[0]

    def test_only_the_two_scripts_of_the_page_may_run(self, tiny_page: str) -> None:
        reader = Reader(tiny_page)
        policy = next(a["content"] or "" for t, a in reader.elements if t == "meta" and "http-equiv" in a)
        running = [content for attributes, content in reader.scripts if not attributes]
        assert len(running) == 2
        for content in running:
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]

    def test_written_as_it_is_rendered(self, tiny_plan: Plan, tiny_page: str, tmp_path: Path) -> None:
        write_report(tiny_plan, tmp_path / "report.html")
        assert (tmp_path / "report.html").read_bytes() == tiny_page.encode()

    def test_what_was_assumed_and_how_it_was_made(self, tiny_plan: Plan, tiny_page: str) -> None:
        text = Reader(tiny_page).text
        assert tiny_plan.manifest.portfolio_sha256 in text
        for item in tiny_plan.filled_in:
            assert item.path in text
        assert tiny_plan.audit is not None
        for item in tiny_plan.audit.checks:
            assert item.name in text


class TestCharts:
    def test_the_chart_library_knows_every_attribute(self, tiny_page: str) -> None:
        for text in (tiny_page, render_report(everything())):
            for figure in Reader(re.sub(r'"@[a-z-]+"', '"#123456"', text)).figures:
                go.Figure({"data": figure["traces"], "layout": figure["layout"]})

    def test_colours_are_those_of_the_style_sheet(self, tiny_page: str) -> None:
        style = tiny_page.partition("</style>")[0]
        for name in set(re.findall(r'"@([a-z-]+)"', tiny_page)):
            assert style.count(f"--{name}:") == 2, f"{name} needs a light and a dark value"

    def test_uses_fill_the_grid_limit(self, tiny_page: str) -> None:
        *uses, limit = Reader(tiny_page).figure("use-company")["traces"]
        assert limit["name"] == "Grid limit"
        total = [sum(values) for values in zip(*(trace["y"] for trace in uses), strict=True)]
        assert total == pytest.approx(limit["y"], abs=0.01)

    def test_bars_of_cash_sum_to_the_net_of_the_plan(self, tiny_plan: Plan, tiny_page: str) -> None:
        *lines, net = Reader(tiny_page).figure("cash-flow")["traces"]
        for index, year in enumerate(net["x"]):
            rows = [row.net_cash_usd for row in tiny_plan.cash_flow if str(row.month.year) == year]
            assert sum(line["y"][index] or 0.0 for line in lines) == pytest.approx(sum(rows) / 1e6, abs=0.01)
            assert net["y"][index] == pytest.approx(sum(rows) / 1e6, abs=0.01)

    def test_every_cash_column_of_a_plan_is_in_a_line(self) -> None:
        row = made_plan().cash_flow[0]
        flows = [
            name for name in type(row).model_fields if name not in ("month", "net_cash_usd", "cash_usd", "debt_usd")
        ]
        for name in flows:
            probe = row.model_copy(update=dict.fromkeys(flows, 0.0) | {name: 7.0})
            assert sum(line.usd(probe) for line in CASH_LINES) == 7.0, name

    def test_timeline_runs_from_signing_to_the_end_of_the_term(self) -> None:
        traces = Reader(render_report(made_plan(contract(0)))).figure("timeline")["traces"]
        bars = {
            trace["name"]: (trace["base"][0], trace["x"][0] / 86_400_000) for trace in traces if trace["type"] == "bar"
        }
        assert [base for base, _ in bars.values()] == ["2027-01-01", "2027-03-01", "2027-09-01", "2027-12-01"]
        item = contract(0)
        assert sum(days for _, days in bars.values()) == (item.end_month - item.sign_month).days
        assert traces[-1]["x"] == ["2027-01-01"]

    def test_a_part_of_a_year_says_so(self) -> None:
        assert "2028 (6 months)" in render_report(made_plan())

    def test_sites_without_a_connection_are_named_and_not_drawn(self) -> None:
        reader = Reader(render_report(made_plan()))
        assert "not drawn: Closed." in reader.text
        assert [figure["slug"] for figure in reader.figures if figure["small"]] == ["use-site-0", "use-site-1"]

    def test_one_site_is_not_drawn_twice(self) -> None:
        reader = Reader(render_report(made_plan(capacity=tuple(capacity("Only")))))
        assert not [figure for figure in reader.figures if figure["small"]]
        assert "Only" in reader.text

    def test_many_sites_are_cut_to_the_largest(self) -> None:
        rows = [row for index in range(MOST_SITE_CHARTS + 3) for row in capacity(f"S{index}", 10.0 + index)]
        drawn, _, left = drawn_sites(made_plan(capacity=tuple(rows)))
        assert len(drawn) == MOST_SITE_CHARTS
        assert left == 3
        assert "S0" not in drawn


class TestDownload:
    @staticmethod
    def body(text: str) -> tuple[str, bytes]:
        link = next(attributes for tag, attributes in Reader(text).elements if tag == "a" and "download" in attributes)
        return link["download"] or "", base64.b64decode((link["href"] or "").partition("base64,")[2])

    def test_is_the_plan(self, tiny_plan: Plan, tiny_page: str, tmp_path: Path) -> None:
        name, content = self.body(tiny_page)
        assert name == "plan.json"
        (tmp_path / name).write_bytes(content)
        assert load_plan(tmp_path / name) == tiny_plan

    def test_is_compressed_when_the_page_would_be_too_large(
        self, tiny_plan: Plan, tiny_page: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit = len(tiny_page.encode()) - 1
        monkeypatch.setattr(page, "MOST_BYTES", limit)
        smaller = render_report(tiny_plan)
        name, content = self.body(smaller)
        assert name == "plan.json.gz"
        assert Plan.model_validate_json(gzip.decompress(content)) == tiny_plan
        assert len(smaller.encode()) <= limit

    def test_is_left_out_when_nothing_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page, "MOST_BYTES", 10)
        text = render_report(made_plan())
        assert "download=" not in without_bundle(text)
        assert "too large to be carried" in text


class TestWithoutDecisions:
    @pytest.mark.parametrize(
        "reason", [reason for reason in TerminationReason if reason.value not in ("optimal", "feasible", "stated")]
    )
    def test_is_short_and_says_so(self, reason: TerminationReason) -> None:
        text = render_report(without_plan(reason, detail="what the solver said", bound_usd=77e6))
        reader = Reader(text)
        assert len(text) < 50_000
        assert [attributes.get("id") for tag, attributes in reader.elements if tag == "section"] == [
            "search",
            "assumptions",
            "manifest",
        ]
        assert "what the solver said" in reader.text
        assert "$77.0M" in reader.text
        assert not [1 for attributes, _ in reader.scripts if not attributes]

    def test_has_no_alarm_about_an_audit(self) -> None:
        assert 'role="alert"' not in render_report(without_plan(TerminationReason.INFEASIBLE))


class TestAudit:
    def test_failure_stands_first_and_in_the_table(self) -> None:
        plan = made_plan(contract(0), audit=AuditReport(checks=(check(), check("claimed objective", 5e6, unit="USD"))))
        text = render_report(plan)
        body = text.partition("<body>")[2]
        assert body.index('role="alert"') < body.index("<h1>")
        assert "Audit failed: do not act on this plan" in body
        table = tables.audit(plan.audit) if plan.audit else ""
        assert table.index("claimed objective") < table.index("power within the import limit")
        assert "FAILED" in table
        assert "5,000,000 USD" in table

    def test_success_raises_no_alarm(self, tiny_page: str) -> None:
        assert 'role="alert"' not in without_bundle(tiny_page)


class TestEscaping:
    @pytest.mark.parametrize(
        "attack",
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "<!--"],
    )
    def test_data_never_becomes_markup(self, attack: str) -> None:
        text = render_report(hostile(attack))
        assert attack not in text
        reader = Reader(text)
        assert len(reader.scripts) == 3
        assert "img" not in [tag for tag, _ in reader.elements]
        assert attack in reader.text
        label = reader.figure("timeline")["layout"]["annotations"][0]["text"]
        assert label.startswith(chart_text(attack))

    def test_chart_labels_do_not_become_links_or_styles(self) -> None:
        attack = '<a href="https://example.org"><b>click</b></a>'
        figure = Reader(render_report(hostile(attack))).figure("timeline")
        label = figure["layout"]["annotations"][0]["text"]
        assert "<" not in label
        assert "&lt;a href=" in label

    def test_without_a_plan(self) -> None:
        attack = "<script>alert(1)</script>"
        plan = without_plan(TerminationReason.INFEASIBLE, detail=attack)
        assert attack not in render_report(plan)


def test_energy_and_bitcoin_are_told_by_year(tiny_plan: Plan) -> None:
    text = tables.mining(tiny_plan)
    rows = [row for row in tiny_plan.mining if row.month.year == 2027]
    assert f"{sum(row.mined_btc for row in rows):,.0f}" in text
    mwh, usd = sum(row.energy_mwh for row in rows), sum(row.power_usd for row in rows)
    assert f"{mwh / 1000:,.0f}" in text
    assert f"{usd / mwh:.1f}" in text
    assert tables.mining(tiny_plan.model_copy(update={"mining": ()})) == ""


def test_long_tables_are_cut_and_say_so() -> None:
    rows = [[str(index), "x"] for index in range(tables.MOST_ROWS + 1)]
    text = tables.table("Long.", tables.words("a", "b"), rows)
    assert text.count("<tr>") == tables.MOST_ROWS + 1
    assert "The first 500 of 501 rows." in text
