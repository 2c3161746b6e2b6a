"""The bench of solves: what it measures and how it counts, that it notices a wrong answer, and what it writes."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import highspy
import pytest
import yaml
from typer.testing import CliRunner

from optimizer.bench import best_known as known_values
from optimizer.bench import solvers as bench_solvers
from optimizer.bench.best_known import BestKnown, best_known, known_from, known_of, merged, save_best_known
from optimizer.bench.file_solvers import _heard_from_cbc
from optimizer.bench.hearing import Moment, Told
from optimizer.bench.instances import SUITES, Size, instance_name, instance_sha256
from optimizer.bench.interchange import COLUMNS, results_csv
from optimizer.bench.solvers import SOLVERS, Outcome
from optimizer.bench.solves import (
    InstanceResult,
    SolveReport,
    judged,
    means_of,
    run,
    seconds_to,
    shifted_geometric_mean,
)
from optimizer.cli.commands.bench import app
from optimizer.domain.proof import ModelSize
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.io import load_portfolio

OPTIMIZER = str(Path(sys.executable).with_name("optimizer"))
USD = 1e6
SIZE = Size(2, 4, 36)


def outcome(solver="highs", moments=(), **changes) -> Outcome:
    """A solve that ends with a plan of 100 and a bound of 101 million USD after 50 s."""
    told = [Moment(at, plan and plan * USD, bound and bound * USD, nodes) for at, plan, bound, nodes in moments]
    terms = {"ended": "time", "objective_usd": 100 * USD, "bound_usd": 101 * USD, "audit_passed": True, **changes}
    told.append(Moment(50.0, terms["objective_usd"], terms["bound_usd"], 9))
    return Outcome(
        solver=solver, version="1", detail="", node_count=9, seconds=50.0, signed=1, peak_mib=1.0, moments=tuple(told), **terms
    )  # fmt: skip


def result(*outcomes, best=100 * USD) -> InstanceResult:
    size = ModelSize(rows=1, columns=2, integers=1, nonzeros=2)
    return InstanceResult(
        "2x4x36-s1", "f", SIZE, 1, size, best, 101 * USD, tuple(judged(item, best) for item in outcomes)
    )


def report(*results) -> SolveReport:
    return SolveReport("optimizer bench solve", "quick", (1,), 60.0, 1e-4, False, 1.0, {}, (), results, ())


# ------------------------------------------------------------------------------------------------------- the measures


def test_times_to_gaps_are_of_the_first_moment_that_has_them():
    moments = [
        (1.0, None, 200, 0),
        (2.0, 80, 150, 0),
        (5.0, 99.5, 104, 1),
        (9.0, 99.5, 100.2, 7),
        (20.0, 100, 100.2, 8),
    ]
    told = judged(outcome(moments=moments, bound_usd=100.05 * USD), 100.05 * USD)
    assert told.first_plan_s == 2.0
    assert told.root_bound_usd == 104 * USD
    assert told.seconds_to_gap == {"0.01": 9.0, "0.001": 50.0, "0.0001": None}
    assert told.seconds_to_primal_gap == {"0.01": 5.0, "0.001": 20.0, "0.0001": None}
    assert told.gap_frac == pytest.approx(5e-4)
    assert told.primal_gap_frac == pytest.approx(5e-4)


def test_a_gap_that_does_not_last_is_not_reached():
    """As a bound that was told of a part of the program only."""
    told = judged(outcome(moments=[(1.0, 99, 99, 0), (2.0, 99, 120, 0)], bound_usd=120 * USD), 100 * USD)
    assert told.seconds_to_gap == {"0.01": None, "0.001": None, "0.0001": None}


def test_without_a_plan_nothing_is_reached():
    told = judged(outcome(objective_usd=None, audit_passed=None), 100 * USD)
    assert (told.first_plan_s, told.gap_frac, told.primal_gap_frac) == (None, None, None)
    assert set(told.seconds_to_gap.values()) | set(told.seconds_to_primal_gap.values()) == {None}
    assert seconds_to((), lambda _: True) is None


def test_the_shifted_geometric_mean_by_hand():
    assert shifted_geometric_mean([5.0, 5.0]) == pytest.approx(5.0)
    assert shifted_geometric_mean([0.0, 30.0]) == pytest.approx(10.0)  # sqrt(10 * 40) - 10
    assert shifted_geometric_mean([1.0, 100.0], shift=0.0) == pytest.approx(10.0)


def test_what_is_not_reached_counts_with_the_time_limit():
    results = [result(outcome(moments=[(6.0, 100, 100, 0)], bound_usd=100 * USD)), result(outcome())]
    means = {(item.measure, item.target_frac): item for item in means_of(results, ["highs"], 60.0)}
    proven = means["gap", 0.0001]
    assert (proven.reached, proven.instances) == (1, 2)
    assert proven.shifted_geometric_mean_s == pytest.approx(math.sqrt(16.0 * 70.0) - 10.0)
    assert means["first plan", None].reached == 2
    assert means["primal gap", 0.01].shifted_geometric_mean_s == pytest.approx(math.sqrt(16.0 * 60.0) - 10.0)


def test_what_is_wrong_is_told():
    good, failed = outcome(), outcome("scip", audit_passed=False)
    broken = replace(
        outcome("cbc", objective_usd=None, bound_usd=None, audit_passed=None), ended="error", detail="boom"
    )
    too_low = outcome("naive", bound_usd=99.9 * USD, objective_usd=99 * USD)
    assert report(result(good)).wrong == ()
    assert [item[1:] for item in report(result(good, failed, broken, too_low)).wrong] == [
        ("scip", "its plan fails the audit"),
        ("cbc", "boom"),
        ("naive", "its bound lies below a plan that is audited"),
    ]


def test_best_known_values_take_audited_plans_only():
    more = outcome("scip", objective_usd=105 * USD, bound_usd=100.5 * USD, audit_passed=False)
    nothing = replace(outcome("cbc", objective_usd=None, bound_usd=None, audit_passed=None), ended="error")
    found = known_from(report(result(outcome(), more, nothing)).as_json())
    assert found == {"2x4x36-s1": BestKnown("2x4x36-s1", "f", 100 * USD, 100.5 * USD, "highs 1", "scip 1")}


def test_the_better_of_two_figures_is_kept():
    one, other = BestKnown("i", "f", 5.0, 9.0, "a", "a"), BestKnown("i", "f", 4.0, 8.0, "b", "b")
    assert one.joined(other) == other.joined(one) == BestKnown("i", "f", 5.0, 8.0, "a", "b")
    assert one.joined(other).gap_frac == pytest.approx(0.6)
    assert merged({"i": one}, {"i": other, "j": other}) == {"i": one.joined(other), "j": other}
    redrawn = replace(other, sha256="g")
    assert merged({"i": one}, {"i": redrawn}) == {"i": redrawn}


# ----------------------------------------------------------------------------------------------- the best known values


def test_best_known_values_are_of_instances_of_the_suites_and_make_sense():
    names = {
        instance_name(size, seed): (size, seed) for suite in SUITES.values() for size in suite for seed in range(1, 31)
    }
    for name, row in best_known().items():
        size, seed = names[name]
        assert row.sha256 == instance_sha256(size, seed), name
        assert row.bound_usd >= row.objective_usd * (1.0 - 1e-6) > 0.0
        assert row.found_by.split()[0] in SOLVERS
        assert row.bound_by.split()[0] in SOLVERS


def test_values_of_another_drawing_are_void(monkeypatch):
    row = BestKnown("2x4x36-s1", instance_sha256(SIZE, 1), 1.0, 2.0, "a", "a")
    monkeypatch.setattr(known_values, "best_known", lambda: {row.instance: row})
    assert known_of(SIZE, 1) == row
    assert known_of(SIZE, 2) is None
    monkeypatch.setattr(known_values, "best_known", lambda: {row.instance: replace(row, sha256="0")})
    assert known_of(SIZE, 1) is None


def test_best_known_values_survive_writing(tmp_path, monkeypatch):
    rows = [BestKnown("2x4x36-s1", "f", 356_711_797.0, 356_720_000.0, "highs 1.15.1", "scip 6.3.0")]
    save_best_known(rows, tmp_path / "k.csv")
    monkeypatch.setattr(known_values.resources, "files", lambda _: tmp_path)
    monkeypatch.setattr(known_values, "FILE", "k.csv")
    assert list(known_values.best_known.__wrapped__().values()) == rows


# --------------------------------------------------------------------------------------------------------- the solvers


CBC_SAYS = """\
Continuous objective value is 1130.89 - 1.37 seconds
Cgl0003I 0 fixed, 0 tightened bounds, 8 strengthened rows, 0 substitutions
Cbc0012I Integer solution of -1007.4901 found by feasibility pump after 0 iterations and 0 nodes (28.23 seconds)
Cbc0010I After 0 nodes, 1 on tree, -1007.4901 best solution, best possible -1066.5939 (34.57 seconds)
"""
CUT_SHORT = "Cbc0005I Partial search - best objective -1007.4901 (best possible -1066.5), took 741 iterations and 3 nodes (37.60 seconds)\n"
PROVEN = "Cbc0001I Search completed - best objective -1007.4901, took 7 iterations and 2 nodes (0.57 seconds)\n"
AFTER_BRANCHING = "Cbc0004I Integer solution of -995.15 found after 4210 iterations and 12 nodes (80.12 seconds)\n"
NO_PLAN = "Cbc0005I Partial search - best objective 1e+50 (best possible -1069.2578), took 0 iterations and 0 nodes (12.41 seconds)\n"


@pytest.mark.parametrize(
    ("says", "proven", "bound", "nodes", "plan"),
    [
        (CBC_SAYS + CUT_SHORT, False, 1066.5, 3, 1007.4901),
        (CBC_SAYS + PROVEN, True, 1007.4901, 2, 1007.4901),
        (CBC_SAYS.splitlines()[0] + "\n" + AFTER_BRANCHING, False, 1130.89, 12, 995.15),
        (CBC_SAYS.splitlines()[0] + "\n" + NO_PLAN, False, 1069.2578, 0, None),
    ],
)
def test_what_cbc_prints_is_understood(says, proven, bound, nodes, plan):
    told = Told()
    with subprocess.Popen(["printf", "%s", says], stdout=subprocess.PIPE, text=True) as running:
        found = _heard_from_cbc(running, told)
    assert (found.proven, found.node_count) == (proven, nodes)
    assert found.bound_usd == pytest.approx(bound * USD)
    last = told.moments[-1]
    assert last.bound_usd == pytest.approx(bound * USD)
    assert last.objective_usd == (plan if plan is None else pytest.approx(plan * USD))
    assert told.moments[0].bound_usd == pytest.approx(1130.89 * USD)


def test_a_solver_that_breaks_is_an_outcome(monkeypatch):
    command = [sys.executable, "-c", "import sys; sys.exit('it broke')"]
    monkeypatch.setattr(bench_solvers, "_command", lambda job: command)
    told = bench_solvers.solve_apart(bench_solvers.Job(SIZE, 1, "highs", 5.0, 1e-4))
    assert (told.ended, told.detail, told.objective_usd) == ("error", "it broke", None)


def test_a_solver_that_does_not_end_is_an_outcome(monkeypatch):
    command = [sys.executable, "-c", "import time; time.sleep(30)"]
    monkeypatch.setattr(bench_solvers, "_command", lambda job: command)
    monkeypatch.setattr(bench_solvers, "GRACE_S", 0.5)
    told = bench_solvers.solve_apart(bench_solvers.Job(SIZE, 1, "highs", 0.5, 1e-4))
    assert told.ended == "error"
    assert "after its time limit" in told.detail


def test_unknown_and_absent_names_are_refused(monkeypatch):
    with pytest.raises(NotFoundError, match="smal"):
        run("smal")
    with pytest.raises(NotFoundError, match="cplex"):
        run("quick", solvers=["cplex"])
    absent = replace(SOLVERS["scip"], package="no-such-package")
    monkeypatch.setitem(SOLVERS, "scip", absent)
    with pytest.raises(InvalidInputError, match="scip is not installed"):
        run("quick", solvers=["scip"])


# --------------------------------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> dict:
    """One quick run of every solver that is installed, through the command."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [OPTIMIZER, "bench", "solve", "--quick", "--json", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert json.loads(out.read_text()) == told
    return told


def test_a_quick_run_proves_the_same_optimum_by_every_solver(quick):
    (item,) = quick["instances"]
    assert item["name"] == "2x4x36-s1"
    assert item["sha256"] == instance_sha256(SIZE, 1)
    assert (item["sites"], item["offers"], item["months"], item["seed"]) == (2, 4, 36, 1)
    solves = item["solves"]
    assert [solve["solver"] for solve in solves] == [name for name, solver in SOLVERS.items() if solver.installed]
    for solve in solves:
        assert solve["ended"] == "gap", solve
        assert solve["audit_passed"] is True
        assert solve["objective_usd"] == pytest.approx(item["best_objective_usd"], rel=1e-4)
        assert solve["bound_usd"] >= item["best_objective_usd"] * (1.0 - 1e-6)
        assert solve["signed"] >= 1
        assert solve["peak_mib"] > 50.0
        assert 0.0 < solve["first_plan_s"] <= solve["seconds"] == solve["moments"][-1]["seconds"]
        assert set(solve["seconds_to_gap"]) == set(solve["seconds_to_primal_gap"]) == {"0.01", "0.001", "0.0001"}
        times = [moment["seconds"] for moment in solve["moments"]]
        assert times == sorted(times)
    sizes = {(solve["solver"], mean["measure"]) for solve in solves for mean in quick["means"]}
    assert len(quick["means"]) == 7 * len(solves)
    assert {measure for _, measure in sizes} == {"first plan", "gap", "primal gap"}
    assert quick["shift_s"] == 10.0
    assert quick["time_limit_s"] == 10.0
    assert quick["machine"]["cpu"]


def test_tables_and_the_csv_of_results(tmp_path):
    out = tmp_path / "results.csv"
    done = CliRunner().invoke(app, ["solve", "--quick", "--solver", "highs", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "2x4x36-s1: 743 rows" in done.output
    assert "Shifted geometric means" in done.output
    (row,) = csv.DictReader(io.StringIO(out.read_text()))
    assert tuple(row) == COLUMNS
    assert (row["Benchmark"], row["Size"]) == ("capacity-optimizer-us-siting-2x4x36", "2-36ts-s1")
    assert (row["Solver"], row["Status"], row["Termination Condition"]) == ("highs", "ok", "optimal")
    assert float(row["Objective Value"]) == pytest.approx(356.7118, abs=1e-3)
    assert row["VM Zone"] == ""


def test_results_say_how_a_solve_ended():
    broken = replace(outcome("cbc", objective_usd=None, bound_usd=None, audit_passed=None), ended="error")
    rows = list(csv.DictReader(io.StringIO(results_csv(report(result(outcome(), broken))))))
    assert [(row["Status"], row["Objective Value"], row["Duality Gap"]) for row in rows] == [
        ("TO", "100.0", "0.01"),
        ("ER", "", ""),
    ]


def test_exported_instances_are_the_instances(tmp_path):
    folder = tmp_path / "instances"
    done = CliRunner().invoke(app, ["solve", "--suite", "quick", "--seeds", "2", "--export", str(folder)])
    assert done.exit_code == 0, done.output
    files = {path.name for path in folder.iterdir()}
    assert files == {
        "metadata.yaml",
        "best_known.csv",
        *(f"2x4x36-s{s}.{kind}" for s in (1, 2) for kind in ("yaml", "mps")),
    }
    assert load_portfolio(folder / "2x4x36-s1.yaml").name == "2x4x36-s1"
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(folder / "2x4x36-s1.mps"))
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(356.7118, abs=1e-3)
    assert any(highs.getColName(column)[1].startswith("sign.offer_1.US_TX_W_1.") for column in range(highs.getNumCol()))
    told = yaml.safe_load((folder / "metadata.yaml").read_text())["benchmarks"]
    (entry,) = told.values()
    assert list(told) == ["capacity-optimizer-us-siting-2x4x36"]
    # The fields of benchmarks/metadata_schema.yaml that are required, as of 2026.
    assert set(entry) >= {
        "Short description", "Modelling framework", "Model name", "Contributor(s)/Source", "License", "Problem class",
        "Application", "Sectoral focus", "Sectors", "Time horizon", "MILP features", "Sizes",
    }  # fmt: skip
    first, second = entry["Sizes"]
    assert (first["Name"], second["Name"]) == ("2-36ts-s1", "2-36ts-s2")
    assert set(first) >= {"Name", "Size", "URL", "Temporal resolution", "Spatial resolution", "Realistic"}
    assert (folder / first["URL"]).exists()
    assert first["Num. variables"] == highs.getNumCol()
    assert first["Num. constraints"] == highs.getNumRow()
    assert first["Num. integer variables"] + first["Num. continuous variables"] == first["Num. variables"]


def test_another_kind_of_file_is_refused(tmp_path):
    done = subprocess.run(
        [OPTIMIZER, "bench", "solve", "--quick", "--out", str(tmp_path / "x.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert ".json or .csv" in done.stderr


def test_a_wrong_answer_ends_with_1(monkeypatch):
    monkeypatch.setattr("optimizer.bench.solves.solve_apart", lambda job: outcome(job.solver, audit_passed=False))
    done = CliRunner().invoke(app, ["solve", "--quick", "--solver", "highs"])
    assert done.exit_code == 1
    assert "its plan fails the audit" in done.output


def test_an_interrupted_run_keeps_the_instances_that_are_done(monkeypatch):
    solved = []

    def solve(job):
        if len(solved) == 3:
            raise KeyboardInterrupt
        solved.append(job.solver)
        return outcome(job.solver)

    monkeypatch.setattr("optimizer.bench.solves.solve_apart", solve)
    told = run("quick", seeds=2, solvers=["highs", "naive"])
    assert told.interrupted
    assert [item.name for item in told.instances] == ["2x4x36-s1"]
    assert {item.instances for item in told.means} == {1}
    monkeypatch.setattr("optimizer.bench.solves.solve_apart", lambda job: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run("quick", solvers=["highs"]).means == ()


def test_the_help_names_every_solver_and_suite():
    from optimizer.cli.commands.bench_solve import SOLVER, SUITE

    assert all(name in SOLVER.help for name in SOLVERS)
    assert all(name in SUITE.help for name in SUITES if name != "quick")
