"""Instances and results in the forms of the Open Energy Benchmark (github.com/open-energy-transition/solver-benchmark).

An instance is an MPS file beside its portfolio; ``metadata.yaml`` has the fields of that project's
``benchmarks/metadata_schema.yaml``, ``best_known.csv`` what is known of each. Results are a CSV table with the columns
of its ``results/benchmark_results.csv``; what we do not know stays empty.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from optimizer.bench.best_known import known_of, save_best_known
from optimizer.bench.hearing import Stated
from optimizer.bench.instances import Size, instance, instance_name
from optimizer.bench.solves import Solve, SolveReport
from optimizer.domain.proof import ModelSize
from optimizer.io import save_portfolio, write_text
from optimizer.io.text import yaml_text
from optimizer.units import USD_PER_MUSD

COLUMNS: Final = (
    "Benchmark", "Size", "Solver", "Solver Version", "Solver Release Year", "Status", "Termination Condition",
    "Runtime (s)", "Memory Usage (MB)", "Objective Value", "Max Integrality Violation", "Duality Gap",
    "Reported Runtime (s)", "Timeout", "Hostname", "Run ID", "Timestamp", "VM Instance Type", "VM Zone",
    "Solver benchmark version",
)  # fmt: skip
ENDINGS: Final = {"gap": ("ok", "optimal"), "time": ("TO", "Timeout"), "error": ("ER", "Error")}
SMALL_BELOW, MEDIUM_BELOW = 10_000, 1_000_000
"""Variables below which that project calls a problem S, and M."""
MB_PER_MIB: Final = 2**20 / 1e6


def export_instances(
    sizes: Sequence[Size], seeds: int, folder: Path, on_file: Callable[[str], None] = lambda _: None
) -> None:
    """Write every instance as portfolio and MPS file into ``folder``, and what is to be said about them."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmarks: dict[str, Any] = {}
    known = []
    for size in sizes:
        described = []
        for seed in range(1, seeds + 1):
            name = instance_name(size, seed)
            on_file(name)
            portfolio = instance(size.sites, size.offers, size.months, seed)
            stated = Stated.of(portfolio)
            save_portfolio(portfolio, folder / f"{name}.yaml")
            stated.write(folder / f"{name}.mps")
            described.append(_described(size, seed, stated.matrix.size))
            found = known_of(size, seed)
            known += [found] if found is not None else []
        benchmarks[benchmark_name(size)] = _benchmark(size, described)
    write_text(folder / "metadata.yaml", yaml_text({"benchmarks": benchmarks}))
    save_best_known(known, folder / "best_known.csv")


def benchmark_name(size: Size) -> str:
    """Model, region and application, as that project's names go."""
    return f"capacity-optimizer-us-siting-{size.name}"


def size_name(size: Size, seed: int) -> str:
    """Spatial and temporal resolution, and the seed."""
    return f"{size.sites}-{size.period_count}ts-s{seed}"


def _benchmark(size: Size, described: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Short description": f"Which of the megawatts of {size.sites} bitcoin mining sites mine, host AI or wait over "
        f"{size.months} months: {size.offers} leases that can be signed at several sites and in several quarters, with "
        "capex, build time and grid capacity of their own; machines moved, bought and sold; GPU blocks; budgets, debt, "
        "liquidity, builds at a time. Maximises expected NPV in million USD.",
        "Modelling framework": "capacity-optimizer",
        "Model name": "capacity-optimizer",
        "Version": version("capacity-optimizer"),
        "Contributor(s)/Source": "capacity-optimizer, optimizer bench solve --export",
        "License": "Apache-2.0",
        "Problem class": "MILP",
        "Application": "Infrastructure & Capacity expansion",
        "Sectoral focus": "Power-only",
        "Sectors": "Electric, Commercial",
        "Time horizon": f"Multi-stage ({size.period_count} periods over {size.months} months)",
        "MILP features": "Modularity, Project selection and timing",
        "Notes": "Drawn by a seeded generator; figures of sites, machines and leases lie in public ranges.",
        "Sizes": described,
    }


def _described(size: Size, seed: int, model: ModelSize) -> dict[str, Any]:
    letter = "S" if model.columns < SMALL_BELOW else "M" if model.columns < MEDIUM_BELOW else "L"
    lengths = {1: "months", 3: "quarters", 12: "years"}
    cut = [f"{count} {lengths[length]}" for length, count in size.segments]
    return {
        "Name": size_name(size, seed),
        "Size": letter,
        "URL": f"{instance_name(size, seed)}.mps",
        "Temporal resolution": ", ".join(cut),
        "Spatial resolution": f"{size.sites} nodes",
        "Realistic": False,
        "Num. constraints": model.rows,
        "Num. variables": model.columns,
        "Num. continuous variables": model.columns - model.integers,
        "Num. integer variables": model.integers,
        "Num. nonzeros": model.nonzeros,
    }


def results_csv(report: SolveReport) -> str:
    """One row a solve. Unlike that project's runner, a solve that ended with the time has its plan and its gap."""
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    now = dt.datetime.now(dt.UTC)
    run = {"Hostname": platform.node(), "Run ID": f"{now:%Y%m%d_%H%M%S}", "Timestamp": f"{now:%Y-%m-%d %H:%M:%S}"}
    for item in report.instances:
        for solve in item.solves:
            about = {"Benchmark": benchmark_name(item.size), "Size": size_name(item.size, item.seed)}
            writer.writerow(about | _row(solve) | {"Timeout": report.time_limit_s} | run)
    return target.getvalue()


def _row(solve: Solve) -> dict[str, object]:
    outcome = solve.outcome
    status, condition = ENDINGS[outcome.ended]
    known: dict[str, object] = {
        "Solver": outcome.solver,
        "Solver Version": outcome.version,
        "Status": status,
        "Termination Condition": condition,
        "Runtime (s)": round(outcome.seconds, 3),
        "Memory Usage (MB)": round(outcome.peak_mib * MB_PER_MIB, 1),
        "Reported Runtime (s)": round(outcome.seconds, 3),
    }
    if outcome.objective_usd is not None:
        known["Objective Value"] = outcome.objective_usd / USD_PER_MUSD
    if solve.gap_frac is not None:
        known["Duality Gap"] = solve.gap_frac
    return known
