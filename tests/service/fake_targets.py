"""What a worker runs in place of the planner; named by ``fake_targets:...``."""

import fcntl
import os
import time
from pathlib import Path

from optimizer.domain import (
    AuditCheck,
    AuditReport,
    Plan,
    Progress,
    SolveOptions,
    Termination,
    TerminationReason,
)
from optimizer.domain.outcome import CapacityRow
from optimizer.domain.proof import FilledIn, Limit, Manifest, Version
from optimizer.errors import InvalidInputError, SolverError


def plan_of(portfolio, options, limit=Limit.NONE, reason=TerminationReason.OPTIMAL):
    """A plan that shows what the worker was given: what was stated in the portfolio, and the options."""
    horizon = portfolio.horizon
    return Plan(
        termination=Termination(reason=reason, limit=limit, objective_usd=1.5e6, bound_usd=1.6e6, gap_frac=0.0625),
        capacity=tuple(
            CapacityRow(
                site=site.name, month=month, grid_mw=site.grid_mw_at(month), mining_mw=1.25, hosting_mw=0.0, gpu_mw=0.0,
                idle_mw=site.grid_mw_at(month) - 1.25, hashrate_eh_s=0.5,
            )
            for site in portfolio.sites
            for month in horizon.months
        ),
        filled_in=tuple(
            FilledIn(path=name, value="default")
            for name in sorted(type(portfolio).model_fields)
            if name not in portfolio.model_fields_set
        ),
        manifest=Manifest(
            portfolio_name=portfolio.name, portfolio_sha256="0" * 64, options=options,
            versions=(Version(component="fake", version="1"),),
        ),
    )  # fmt: skip


def quick(portfolio, options=None, on_progress=None, should_stop=None):
    for stage in ("curves", "build", "solve", "audit", "done"):
        if on_progress is not None:
            on_progress(Progress(stage=stage, elapsed_s=0.1, incumbent_usd=1.5e6 if stage == "solve" else None))
    return plan_of(portfolio, options or SolveOptions())


def process_id(portfolio, options, on_progress, should_stop):
    return plan_of(portfolio, options).model_copy(update={"format": os.getpid()})


def slow(portfolio, options, on_progress, should_stop):
    """Until it is asked to stop, at most for the time limit; progress ten times a second."""
    start = time.monotonic()
    while time.monotonic() - start < options.time_limit_s:
        on_progress(Progress(stage="solve", elapsed_s=time.monotonic() - start, node_count=os.getpid()))
        if should_stop():
            return plan_of(portfolio, options, Limit.INTERRUPTED, TerminationReason.FEASIBLE)
        time.sleep(0.1)
    return plan_of(portfolio, options, Limit.TIME, TerminationReason.FEASIBLE)


def held(portfolio, options, on_progress, should_stop):
    """Takes its time limit; a second run of the same portfolio at the same time leaves a file that says so."""
    mine = Path(os.environ["HELD_FOLDER"]) / portfolio.name
    with mine.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            mine.with_suffix(".doubled").touch()
        on_progress(Progress(stage="solve", elapsed_s=0.0))
        time.sleep(options.time_limit_s)
    return plan_of(portfolio, options)


def silent(portfolio, options, on_progress, should_stop):
    while not should_stop():
        time.sleep(0.02)
    return plan_of(portfolio, options)


def deaf(portfolio, options, on_progress, should_stop):
    """Never looks whether it should stop."""
    on_progress(Progress(stage="solve", elapsed_s=0.0, node_count=os.getpid()))
    while True:
        time.sleep(0.05)


def chatty(portfolio, options, on_progress, should_stop):
    for node in range(2000):
        on_progress(Progress(stage="solve", elapsed_s=0.0, node_count=node))
    return plan_of(portfolio, options)


def audit_fails(portfolio, options, on_progress, should_stop):
    check = AuditCheck(name="cash", unit="USD", largest_deviation=5.0, tolerance=1.0)
    return plan_of(portfolio, options).model_copy(update={"audit": AuditReport(checks=(check,))})


def infeasible(portfolio, options, on_progress, should_stop):
    return Plan(
        termination=Termination(reason=TerminationReason.INFEASIBLE), manifest=plan_of(portfolio, options).manifest
    )


def by_name(portfolio, options, on_progress, should_stop):
    """The target that the portfolio is named after."""
    return globals()[portfolio.name](portfolio, options, on_progress, should_stop)


def greedy(portfolio, options, on_progress, should_stop):
    """Takes ever more memory."""
    grab()


def grab(_: bytes = b"") -> bytes:
    """The same as the answer to a question, until it is ended; what it grabs is more than all that it is given."""
    held = []
    while len(held) < 200:
        held.append(b"x" * 2**23)
        time.sleep(0.02)
    return b""


def crash(portfolio, options, on_progress, should_stop):
    os._exit(3)


def refuse(portfolio, options, on_progress, should_stop):
    raise SolverError("the solver refused an option")


def break_down(portfolio, options, on_progress, should_stop):
    raise ZeroDivisionError("secret")


def upper(question: bytes) -> bytes:
    """A question answered."""
    return question.upper()


def refuse_question(question: bytes) -> bytes:
    """A question refused."""
    raise InvalidInputError.single("spec", f"{question.decode()} is odd", "ask something else", "question")


def fail_at_question(_: bytes) -> bytes:
    """A solver that fails."""
    raise SolverError("HiGHS failed")


def die_of_question(_: bytes) -> bytes:
    """No answer."""
    os._exit(7)


def ponder(_: bytes) -> bytes:
    """An answer that nobody waits for."""
    time.sleep(600.0)
    return b""
