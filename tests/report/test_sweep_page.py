"""The page of a sweep: what is drawn is what was found, and a cell is proven only where the sweep says so."""

from __future__ import annotations

import re
import shutil

import pytest
from test_comparison_page import figures
from test_report_browser import opened

from optimizer.domain.proof import worth_difference
from optimizer.domain.sweep import Sweep, SweepPlace, SweepPoint, SweptFactor, SwitchingPoint, TornadoBar
from optimizer.report.sweep_page import render_sweep
from optimizer.report.sweep_sections import offer_state

BTC, RENT = "market.btc_usd", "offers[*].price_usd_per_kw_month"


def point(btc, rent=None, npv_usd=10e6, **changes):
    factors = [SweptFactor(path=BTC, factor=btc)]
    factors += [] if rent is None else [SweptFactor(path=RENT, factor=rent)]
    money = {"npv_usd": npv_usd, "objective_usd": npv_usd, "bound_usd": npv_usd and npv_usd + 1e6, "gap_frac": 0.1}
    return SweepPoint(factors=tuple(factors), reason="optimal" if npv_usd else "infeasible", **money, **changes)


MAP = Sweep(
    base_npv_usd=10e6,
    points=(
        point(0.5, 0.8, None),
        point(0.5, 1.2, 8e6, signed=("north",), proven_unsigned=("south",)),
        point(1.5, 0.8, 12e6, signed=("south",)),
        point(1.5, 1.2, 20e6, signed=("north", "south"), proven_signed=("north",)),
    ),
)
LINES = Sweep(
    base_npv_usd=10e6,
    points=(point(0.5, npv_usd=7e6), point(1.5, npv_usd=15e6, signed=("<b>north</b>",))),
    between=(point(1.0, npv_usd=11e6),),
    switching_points=(
        SwitchingPoint(
            path=BTC, offer="north", signed_above=True, low_factor=1.0, high_factor=1.5, proven_low_factor=0.5, told="in"
        ),
    ),
    tornado=(
        TornadoBar(
            path=BTC, least_factor=0.5, most_factor=1.5, npv_at_least_usd=7e6, npv_at_most_usd=15e6,
            difference=worth_difference(15e6, 16e6, 7e6, 8e6),
        ),
    ),
    unreached=(SweepPlace(factors=(SweptFactor(path=BTC, factor=2.0),)),),
)  # fmt: skip


def test_a_cell_says_what_was_found_and_whether_it_is_proven():
    assert [offer_state("north", item) for item in MAP.points] == [None, 2, 1, 3]
    assert [offer_state("south", item) for item in MAP.points] == [None, 0, 2, 2]
    drawn = figures(render_sweep("case", MAP))
    assert set(drawn) == {"map-of-worth", "region-north", "region-south"}
    (north,) = drawn["region-north"]["traces"]
    assert (north["x"], north["y"]) == ([0.5, 1.5], [0.8, 1.2])
    assert north["z"] == [[None, 1], [2, 3]]
    assert [[bool(tick) for tick in row] for row in north["text"]] == [[False, False], [False, True]]
    (worth,) = drawn["map-of-worth"]["traces"]
    assert worth["z"] == [[None, 12.0], [8.0, 20.0]]


def test_a_tornado_begins_at_the_plan_as_stated():
    drawn = figures(render_sweep("case", LINES))
    assert set(drawn) == {"tornado", "worth-of-market-2e-btc-5f-usd"}
    low, high = drawn["tornado"]["traces"]
    assert (low["base"], low["x"], high["x"]) == ([10.0], [-3.0], [5.0])
    plan, bound = drawn["worth-of-market-2e-btc-5f-usd"]["traces"]
    assert (plan["x"], plan["y"], bound["y"]) == ([0.5, 1.0, 1.5], [7.0, 11.0, 15.0], [8.0, 12.0, 16.0])


def test_switching_points_and_points_that_were_not_reached_are_in_tables():
    text = render_sweep("case", LINES)
    assert "within the gap" in text
    assert "not reached" in text
    assert "moves the worth most: by 8.00 million USD, between 7.00 and 9.00 (proven)" in text


def test_ids_are_unique_and_text_is_no_markup():
    for answer in (MAP, LINES):
        text = render_sweep("<script>alert(1)</script>", answer)
        assert "<script>alert" not in text
        assert "<b>north</b>" not in text
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))


def test_a_sweep_that_was_stopped_at_once_has_a_page():
    text = render_sweep("case", Sweep(unreached=LINES.unreached, stopped=True))
    assert "As stated it has no plan" in text
    assert "not reached" in text


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the path")
@pytest.mark.parametrize(("answer", "drawn"), [(MAP, 3), (LINES, 2)], ids=["map", "lines"])
def test_a_browser_draws_it_without_an_error(answer, drawn, tmp_path):
    document, log = opened(render_sweep("case", answer), tmp_path)
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert document.count('class="chart js-plotly-plot"') == drawn
