"""Solvers that take the model as a file: SCIP from its Python package, CBC from the path."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from optimizer.bench.hearing import Found, Stated, Told, time_left, usd_or_none
from optimizer.domain import Portfolio, SolveOptions

SECONDS_BETWEEN_MOMENTS: Final = 0.25
"""Moments of SCIP that bring no better plan are kept at most so often."""


def scip(portfolio: Portfolio, options: SolveOptions, told: Told) -> Found:
    """SCIP on the model's file."""
    pyscipopt: Any = importlib.import_module("pyscipopt")
    stated, events = Stated.of(portfolio), pyscipopt.SCIP_EVENTTYPE
    heard = events.BESTSOLFOUND | events.NODESOLVED | events.LPSOLVED

    class Hearing(pyscipopt.Eventhdlr):  # type: ignore[misc]
        """Tells of better plans at once, of bounds now and then."""

        def eventinit(self) -> None:
            self.model.catchEvent(heard, self)

        def eventexit(self) -> None:
            self.model.dropEvent(heard, self)

        def eventexec(self, event: Any) -> None:
            last = told.moments[-1].seconds if told.moments else -np.inf
            if event.getType() & events.BESTSOLFOUND or told.seconds - last >= SECONDS_BETWEEN_MOMENTS:
                told.musd(self.model.getPrimalbound(), self.model.getDualbound(), int(self.model.getNTotalNodes()))

    model = pyscipopt.Model()
    model.hideOutput()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.mps"
        stated.write(path)
        model.readProblem(str(path))
    model.includeEventhdlr(Hearing(), "told", "hears of plans and bounds")
    left = time_left(options, told)
    model.setParams({"limits/time": left.time_limit_s, "limits/gap": left.gap_frac, "parallel/maxnthreads": 1})
    model.optimize()
    values = None
    if model.getNSols():
        values = stated.vector({item.name: model.getVal(item) for item in model.getVars()})
    proven = model.getStatus() in ("optimal", "gaplimit")
    return Found(proven, usd_or_none(model.getDualbound()), int(model.getNTotalNodes()), stated=stated, values=values)


_PLAN = re.compile(r"^Cbc00(?:04|12|16)I Integer solution of (\S+) found .*?(\d+) nodes")
_BOUND = re.compile(r"^Cbc0010I After (\d+) nodes, .* on tree, (\S+) best solution, best possible (\S+) ")
_END = re.compile(r"^Cbc000(1|5)I .* best objective (\S+?),? (?:\(best possible (\S+)\), )?took .* and (\d+) nodes")


def cbc(portfolio: Portfolio, options: SolveOptions, told: Told) -> Found:
    """CBC on the model's file."""
    stated = Stated.of(portfolio)
    with tempfile.TemporaryDirectory() as folder:
        path, answer = Path(folder) / "program.mps", Path(folder) / "answer"
        stated.write(path)
        left = time_left(options, told)
        # It takes no notice of the file's sense, and tells all figures as those of a minimisation.
        limits = ["-max", "-timeMode", "elapsed", "-seconds", f"{left.time_limit_s}", "-ratioGap", f"{left.gap_frac}"]
        command = [*_UNBUFFERED, "cbc", str(path), *limits, "-solve", "-solution", str(answer)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            found = _heard_from_cbc(running, told)
        lines = answer.read_text().splitlines() if answer.exists() else []
    if not lines or not any(moment.objective_usd is not None for moment in told.moments):
        return found
    by_name = {parts[-3]: float(parts[-2]) for parts in map(str.split, lines[1:])}
    return Found(found.proven, found.bound_usd, found.node_count, stated=stated, values=stated.vector(by_name))


_UNBUFFERED: Final = ("stdbuf", "-oL") if shutil.which("stdbuf") else ()


def _heard_from_cbc(running: subprocess.Popen[str], told: Told) -> Found:
    """Moments from what CBC prints; proven or not, bound and nodes at its end."""
    plan_musd, bound_musd, nodes, proven = -np.inf, np.inf, 0, False
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("Continuous objective value is"):
            bound_musd = float(line.split()[4])
        elif match := _PLAN.match(line):
            plan_musd, nodes = -float(match[1]), int(match[2])
        elif match := _BOUND.match(line):
            nodes, plan_musd, bound_musd = int(match[1]), -float(match[2]), -float(match[3])
        elif match := _END.match(line):
            proven, nodes, plan_musd = match[1] == "1", int(match[4]), -float(match[2])
            bound_musd = -float(match[3]) if match[3] else -float(match[2])
        else:
            continue
        told.musd(plan_musd, bound_musd, nodes)
    return Found(proven, usd_or_none(bound_musd), nodes)


def cbc_version() -> str:
    """Version of the CBC in the path."""
    if shutil.which("cbc") is None:
        return "not installed"
    said = subprocess.run(["cbc", "-quit"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Version: (\S+)", said)
    return found[1] if found else "unknown"
