"""The curve kernels on the bench: the cases, and the run that measures them.

A new path is one :class:`Case` in :data:`CASES`, or one contender in the case that it belongs to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from optimizer.bench import coefficients, fleet, gpu, loops, margin, paths, structure
from optimizer.bench.machine import limits, machine_info
from optimizer.bench.measure import LARGEST_DIFFERENCE, Contender, Row, measure, scaling_of
from optimizer.errors import NotFoundError

_MONTHS: Final = 180


class Size(StrEnum):
    """How much work a run does."""

    QUICK = "quick"
    """Everything once, in seconds: for CI."""
    STANDARD = "standard"
    FULL = "full"
    """100,000 paths, 10,000 scenarios."""


ROUNDS: Final = {Size.QUICK: 3, Size.STANDARD: 9, Size.FULL: 9}
"""Rounds unless stated."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question to the bench."""

    title: str
    evaluation: str
    """What is counted."""
    contenders: Callable[[Size], Iterator[Contender]]
    """Ours on one thread first, then ours on all threads, then the others and the limits of the machine."""
    slow: bool = False
    """Measured in a third of the rounds."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What was measured of one case."""

    name: str
    title: str
    evaluation: str
    scaling: float | None
    """How many times as fast ours is on all threads as on one, round by round; None on one processor."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A run of the bench."""

    command: str
    size: str
    rounds: int
    seconds: float
    machine: dict[str, Any]
    not_installed: tuple[str, ...]
    """Competitors that are missing in the tables."""
    cases: tuple[CaseResult, ...]

    @property
    def mismatches(self) -> tuple[tuple[str, Row], ...]:
        """Case and row of every result that is not ours."""
        return tuple((case.name, row) for case in self.cases for row in case.rows if not row.agrees)

    def as_json(self) -> dict[str, Any]:
        """Plain data, with what was found out about agreement."""
        agreement = {"largest_difference_allowed": LARGEST_DIFFERENCE, "agrees": not self.mismatches}
        return asdict(self) | agreement


def _margin(size: Size) -> Iterator[Contender]:
    inputs = _margin_inputs(size)
    limit = limits(margin.WORK, inputs.evaluations, inputs.array_bytes)
    return chain(margin.market_contenders(inputs), limit)


def _margin_hours(size: Size) -> Iterator[Contender]:
    scenarios = 200 if size is Size.QUICK else 2_000
    few, many = (margin.MarginInputs.drawn(hours=hours, months=_MONTHS, scenarios=scenarios) for hours in (730, 8_760))
    return margin.hours_contenders(few, many)


def _margin_by_scenario(size: Size) -> Iterator[Contender]:
    inputs = _margin_inputs(size)
    limit = limits(margin.WORK, inputs.evaluations, inputs.array_bytes)
    return chain(margin.scenario_contenders(inputs), limit)


def _margin_inputs(size: Size) -> margin.MarginInputs:
    scenarios = {Size.QUICK: 500, Size.STANDARD: 2_000, Size.FULL: 10_000}[size]
    return margin.MarginInputs.drawn(hours=730, months=_MONTHS, scenarios=scenarios)


def _margin_batch(size: Size) -> Iterator[Contender]:
    scenarios = {Size.QUICK: 1_000, Size.STANDARD: 4_000, Size.FULL: 10_000}[size]
    inputs = margin.MarginInputs.drawn(hours=730, months=_MONTHS, scenarios=scenarios)
    return chain(
        fleet.contenders(inputs), limits(fleet.work(inputs), fleet.MODELS * inputs.evaluations, inputs.array_bytes)
    )


def _structure(_size: Size) -> Iterator[Contender]:
    hours = structure.HOURS_PER_YEAR
    return chain(structure.contenders(), limits(structure.WORK, hours, int(hours * structure.WORK.streamed_bytes)))


def _paths(size: Size) -> Iterator[Contender]:
    scenarios = {Size.QUICK: 1_024, Size.STANDARD: 16_384, Size.FULL: 100_000}[size]
    limit = limits(paths.WORK, paths.SHARD * paths.MONTHS, paths.array_bytes())
    return chain(paths.contenders(scenarios), limit)


def _gpu(size: Size) -> Iterator[Contender]:
    inputs = gpu.GpuInputs(_MONTHS, 500 if size is Size.QUICK else 2_000)
    limit = limits(gpu.WORK, inputs.rental.size, inputs.rental.nbytes + inputs.power_price.nbytes)
    return chain(gpu.contenders(inputs), limit)


def _coefficients(size: Size) -> Iterator[Contender]:
    sites, models, months = (4, 3, 60) if size is Size.QUICK else (20, 8, _MONTHS)
    few, many = (coefficients.SetSize(sites, models, months, scenarios) for scenarios in (1_000, 10_000))
    return coefficients.contenders(few, many)


CASES: Final[dict[str, Case]] = {
    "margin": Case("Machine margin, 730 hours a month, unsorted scenarios", "month and scenario", _margin),
    "margin-hours": Case("Machine margin, 730 against 8,760 hours a month", "month and scenario", _margin_hours),
    "margin-by-scenario": Case(
        "Margin of every scenario, summed over months", "month and scenario", _margin_by_scenario
    ),
    "margin-batch": Case(
        "Eight models at a site, one power level a month: batch sweep", "model, month and scenario", _margin_batch
    ),
    "structure": Case("Price structure of a site-year, 8,760 hours", "hour", _structure),
    "paths": Case("Five correlated factors and hashprice, 240 months", "month and scenario", _paths),
    "gpu": Case("GPU block at its best power cap", "month and scenario", _gpu),
    "coefficients": Case(
        "Coefficient set: sites x models x months x scenarios",
        "site, model, month and scenario",
        _coefficients,
        slow=True,
    ),
}
"""All cases by name, in the order in which they run."""


def run(
    names: Sequence[str] = (),
    *,
    size: Size = Size.STANDARD,
    rounds: int | None = None,
    command: str = "",
    on_case: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure the cases called ``names``, or all; ``on_case`` is told each before it starts.

    An unknown name raises :class:`~optimizer.errors.NotFoundError`.
    """
    for name in names:
        if name not in CASES:
            raise NotFoundError("benchmark case", name, list(CASES))
    round_count = rounds or ROUNDS[size]
    start = time.perf_counter()
    machine = machine_info()
    results = []
    for name in names or CASES:
        on_case(name)
        case = CASES[name]
        rows = measure(tuple(case.contenders(size)), max(1, round_count // 3) if case.slow else round_count)
        results.append(CaseResult(name, case.title, case.evaluation, scaling_of(rows), rows))
    return Report(
        command=command,
        size=size.value,
        rounds=round_count,
        seconds=time.perf_counter() - start,
        machine=machine,
        not_installed=tuple(
            package for package, there in (("numexpr", loops.HAS_NUMEXPR), ("numba", loops.HAS_NUMBA)) if not there
        ),
        cases=tuple(results),
    )
