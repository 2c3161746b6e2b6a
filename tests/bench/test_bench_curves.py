"""The bench: what it counts, whom it compares, and that it notices a wrong result."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from optimizer.bench import curves as bench
from optimizer.bench import loops, paths
from optimizer.bench.measure import Contender, measure, relative_difference, scaling_of
from optimizer.cli.commands.bench import CASE, app
from optimizer.curves.threads import thread_count
from optimizer.errors import NotFoundError

OPTIMIZER = str(Path(sys.executable).with_name("optimizer"))


def told(name: str, seconds: list[float], evaluations: int = 1_000_000_000, **more) -> Contender:
    """A contender that claims these seconds, one after the other, the first in the warm-up."""
    claims = iter(seconds)
    return Contender(name, lambda: next(claims), evaluations, own_seconds=float, own_peak_mib=lambda _: 1.0, **more)


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> dict:
    """One quick run of every case through the command."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [OPTIMIZER, "bench", "curves", "--quick", "--rounds", "1", "--json", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads(out.read_text()) == report
    return report


def rows_of(report: dict, case: str) -> list[dict]:
    return next(item["rows"] for item in report["cases"] if item["name"] == case)


def test_quick_run_measures_every_case(quick):
    assert [case["name"] for case in quick["cases"]] == list(bench.CASES)
    assert quick["agrees"]
    assert quick["size"] == "quick"
    assert quick["command"].startswith("optimizer bench curves --quick")
    assert quick["machine"]["cpu"]
    assert quick["machine"]["packages"]["numpy"] == np.__version__
    for case in quick["cases"]:
        for row in case["rows"]:
            assert row["ns_per_evaluation"] > 0.0
            assert row["seconds_per_run"] * 1e9 == pytest.approx(row["ns_per_evaluation"] * row["evaluations"])
            assert row["evaluations_per_second"] == pytest.approx(1e9 / row["ns_per_evaluation"])


def test_every_competitor_is_compared_with_ours(quick):
    for case in quick["cases"]:
        compared = [row for row in case["rows"] if row["max_relative_difference"] is not None]
        assert compared, case["name"]
        for row in case["rows"]:
            ours, limit = row["name"].startswith("optimizer"), row["limit"] is not None
            own_numbers = case["name"] == "paths" and row["name"].startswith("Numba")
            assert row["max_relative_difference"] is not None or ours or limit or own_numbers, row["name"]
        # Bits do not depend on threads.
        several = [row for row in case["rows"] if row["name"].startswith("optimizer") and row["threads"] > 1]
        assert all(row["max_relative_difference"] in (0.0, None) for row in several)


@pytest.mark.skipif(not (loops.HAS_NUMBA and loops.HAS_NUMEXPR), reason="competitors are not installed")
def test_margin_meets_everybody_and_the_limits(quick):
    assert quick["not_installed"] == []
    rows = rows_of(quick, "margin")
    kinds = {row["name"].split(",")[0].split(":")[0] for row in rows}
    assert kinds == {"optimizer", "pure Python", "NumPy", "numexpr", "Numba", "limit"}
    assert {row["limit"] for row in rows} - {None} == {"cache", "arithmetic", "lookup"}
    assert rows[0]["binding_limit"] in {"cache", "arithmetic", "lookup"}
    assert 0.0 < rows[0]["share_of_limit_frac"] < 1.0
    by_name = {row["name"]: row for row in rows if row["threads"] == 1}
    assert by_name["pure Python, hours"]["ratio_to_ours"] > 100.0  # thousands in fact: no matter how busy the machine


def test_memory_of_a_coefficient_set_does_not_grow_with_the_scenarios(quick):
    many, *_, few = rows_of(quick, "coefficients")
    assert many["evaluations"] == 10 * few["evaluations"]
    assert many["peak_mib"] < 1.2 * few["peak_mib"]


def test_contenders_take_turns():
    calls = []
    contenders = [
        Contender(name, partial(calls.append, name), 1, own_seconds=lambda _: 1.0, own_peak_mib=lambda _: 0.0)
        for name in "ABC"
    ]
    measure(contenders, rounds=3)
    assert "".join(calls) == "ABC" + 3 * "ABC"  # the warm-up, then the rounds


def test_a_result_on_several_threads_is_compared_with_one_on_one_thread():
    def used(_=None):
        return np.array([float(thread_count())])

    run = Contender("more", used, 1, threads=3, value=np.asarray, expected=used)
    assert measure([run], rounds=1)[0].max_relative_difference == 2.0  # 3 threads ran, 1 was expected


def test_ratios_are_taken_within_a_round():
    # The machine is ten times slower in the second round: the ratio stays 2, and times range over 1 .. 10.
    ours = told("ours", [9.0, 1.0, 10.0, 1.0])
    other = told("other", [9.0, 2.0, 20.0, 2.0])
    first, second = measure([ours, other], rounds=3)
    assert second.ratio_to_ours == 2.0
    assert second.ratio_to_ours_range == (2.0, 2.0)
    assert first.ns_per_evaluation == 1.0
    assert first.ns_per_evaluation_range == (1.0, 10.0)
    assert first.evaluations_per_second == 1e9


def test_a_part_of_the_work_counts_by_evaluation():
    ours, part = measure([told("ours", [1.0, 1.0], 1000), told("part", [1.0, 1.0], 10)], rounds=1)
    assert part.ratio_to_ours == pytest.approx(100.0)
    assert ours.ns_per_evaluation == pytest.approx(1e6)


def test_scaling_is_against_one_thread():
    rows = measure([told("ours", [6.0, 6.0]), told("ours", [4.0, 4.0], threads=2), told("b", [12.0, 12.0])], rounds=1)
    assert scaling_of(rows) == 1.5
    assert rows[2].ratio_to_ours == 2.0
    assert rows[2].ratio_to_ours_all_threads == 3.0
    assert scaling_of(measure([told("ours", [1.0, 1.0]), told("b", [1.0, 1.0])], rounds=1)) is None


def test_the_longest_limit_binds():
    contenders = [
        told("ours", [4.0, 4.0]),
        told("copy", [1.0, 1.0], limit="memory"),
        told("adds", [3.0, 3.0], limit="arithmetic"),
    ]
    ours, *others = measure(contenders, rounds=1)
    assert (ours.binding_limit, ours.share_of_limit_frac) == ("arithmetic", 0.75)
    assert all(row.binding_limit is None for row in others)


def test_relative_difference():
    ours = np.array([1.0, 1e6, 0.0])
    assert relative_difference(ours * (1.0 + 1e-10), ours) == pytest.approx(1e-10, rel=1e-3)
    # What is below a millionth of the largest is measured against that millionth.
    assert relative_difference(np.array([1.0, 1e6, 1e-9]), ours) == pytest.approx(1e-9)
    assert relative_difference(np.array([1.0, np.nan, 0.0]), ours) == np.inf
    assert relative_difference(ours[:2], ours) == np.inf
    assert relative_difference(np.zeros(2), np.zeros(2)) == 0.0


@pytest.mark.parametrize(("difference", "code"), [(1e-8, 1), (1e-11, 0)])
def test_a_mismatch_ends_with_1(monkeypatch, difference, code):
    def contenders(_):
        yield Contender("optimizer", lambda: np.ones(3), 3)
        yield Contender("other", lambda: np.full(3, 1.0 + difference), 3, value=np.asarray, expected=lambda: np.ones(3))

    monkeypatch.setattr(bench, "CASES", {"case": bench.Case("A case", "evaluation", contenders)})
    done = CliRunner().invoke(app, ["curves", "--quick", "--rounds", "1"])
    assert done.exit_code == code, done.output
    assert ("mismatch: case, other" in done.output) == bool(code)
    assert "A case; ns per evaluation" in done.output


def test_absent_competitors_are_told(monkeypatch):
    monkeypatch.setattr(loops, "HAS_NUMBA", False)
    monkeypatch.setattr(loops, "HAS_NUMEXPR", False)
    report = bench.run(["margin", "gpu"], size=bench.Size.QUICK, rounds=1)
    assert report.not_installed == ("numexpr", "numba")
    for case in report.cases:
        names = [row.name for row in case.rows]
        assert not any(name.startswith(("Numba", "numexpr")) for name in names)
        assert any(name.startswith("NumPy") for name in names)
        assert case.rows[0].binding_limit == "cache"  # the copy is left


def test_paths_are_of_the_model_that_they_are_compared_with():
    """The shocks worked out of our paths are independent standard normals, within five standard errors."""
    scenarios = 2048
    shocks = np.stack(list(paths.Model().shocks(paths.our_multipliers(0, scenarios))), axis=1).reshape(5, -1)
    error = shocks.shape[1] ** -0.5
    assert np.abs(shocks.mean(axis=1)).max() < 5.0 * error
    assert np.abs(np.cov(shocks) - np.eye(5)).max() < 5.0 * np.sqrt(2.0) * error


def test_an_unknown_case_is_refused():
    with pytest.raises(NotFoundError, match="margins"):
        bench.run(["margins"])


def test_quick_and_full_exclude_each_other():
    done = subprocess.run(
        [OPTIMIZER, "bench", "curves", "--quick", "--full"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--quick, --full" in done.stderr


def test_the_help_names_every_case():
    assert all(f" {name}" in CASE.help for name in bench.CASES)
