"""What a watcher is told of the best plan so far is what the plan does."""

import pytest
from support import portfolio, site

from optimizer.app import plan
from optimizer.cli.progress import progress_line
from optimizer.domain import SolveOptions
from optimizer.domain.plan import Progress
from optimizer.io import load_portfolio

EXACT = {"gap_frac": 1e-6, "time_limit_s": 60.0}


def told_and_planned(asked, **options):
    moments: list[Progress] = []
    planned = plan(asked, SolveOptions(**{**EXACT, **options}), on_progress=moments.append)
    return moments, planned


@pytest.fixture(scope="module", params=["whole", "stages"])
def tiny(request):
    return told_and_planned(load_portfolio("tiny"), method=request.param)


def test_the_last_incumbent_is_the_plan(tiny):
    """Of tiny's monthly years to a tenth of a MW: plans of one worth may differ by less than a machine."""
    moments, planned = tiny
    last = [item for item in moments if item.incumbent is not None][-1]
    assert last.incumbent_usd == pytest.approx(planned.termination.objective_usd, rel=1e-5)
    signed = {(item.offer, item.site, item.sign_month): item.critical_mw for item in planned.contracts}
    seen = {(item.offer, item.site, item.sign_month): item.critical_mw for item in last.incumbent.contracts}
    assert seen == pytest.approx(signed)
    assert signed
    for year in (2027, 2028):
        for name in ("Pecos", "Moses Lake"):
            rows = [row for row in planned.capacity if (row.site, row.month.year) == (name, year)]
            (use,) = [item for item in last.incumbent.use if (item.site, item.year) == (name, year)] or [None]
            for kind in ("mining_mw", "hosting_mw", "gpu_mw"):
                mean = sum(getattr(row, kind) for row in rows) / len(rows)
                assert (0.0 if use is None else getattr(use, kind)) == pytest.approx(mean, abs=0.1), (name, year, kind)


def test_every_moment_of_the_search_after_the_first_plan_says_what_it_does(tiny):
    """A slow reader that gets only the last of many moments misses nothing."""
    moments, _ = tiny
    solving = [item for item in moments if item.stage == "solve" and item.incumbent_usd is not None]
    assert solving
    assert all(item.incumbent is not None for item in solving)
    assert all(item.incumbent is None for item in moments if item.stage != "solve")


def test_a_plan_that_counts_the_tail_is_told_of_too():
    asked = load_portfolio("tiny")
    risk = asked.risk.model_copy(update={"cvar_weight_frac": 0.5, "scenario_count": 50})
    moments, planned = told_and_planned(asked.model_copy(update={"risk": risk}))
    last = [item for item in moments if item.incumbent is not None][-1]
    assert {item.offer for item in last.incumbent.contracts} == {item.offer for item in planned.contracts}


def test_a_site_that_is_idle_is_not_told_of():
    moments, _ = told_and_planned(portfolio(sites=[site()], fleets=[]))
    assert all(not item.incumbent.use for item in moments if item.incumbent is not None)


def test_the_line_of_a_terminal_counts_contracts(tiny):
    moments, planned = tiny
    line = progress_line([item for item in moments if item.incumbent is not None][-1])
    assert f"{len(planned.contracts)} contracts, {sum(item.critical_mw for item in planned.contracts):,.0f} MW" in line
