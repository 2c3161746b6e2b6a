"""Generalised assignment problems of OR-Library as one-month portfolios: the planner must find the proven optima.

Jobs go to agents of limited capacity, each exactly once; the sum of profits is to be maximised, or that of costs
minimised. Agents become sites, and a unit of profit is 1,000 USD of capex less at that site. Nothing is discounted,
nothing else earns. The instances ask for 5 to 25 units of the resource for one and the same job, more than the
plausible range of ``grid_mw_per_critical_mw`` (1 to 3) can span, so a job is stated in two ways:

- *halls*: one mandatory offer of 8 critical MW that displaces a hall MW per unit (``halls_displaced_mw_per_critical_mw``
  from 0 to 5 spans it); site limit: halls.
- *grid*: an offer for each agent of as many critical MW as units, one grid MW each, all of a job in an exclusive group,
  with a rent so high that no job is left out; site limit: grid.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from support import best, offer, place, portfolio, signed, site

from optimizer.domain import Portfolio

INSTANCES = [f"gap{family}-{number}" for family in (1, 2, 3) for number in range(5)]
UNIT_USD = 1e3
"""Worth of one unit of profit."""
JOB_MW = 8.0
"""Critical MW of a job whose resource is halls; a power of two, so that units over it are exact."""
HIGHEST_PROFIT = 25
FULL_REWARD = 1000
"""Units for doing a job at all: more than the other 24 jobs could gain together if one were left out."""


@dataclass(frozen=True)
class Instance:
    """Profit and units of resource by agent and job, capacity by agent, and the proven optimum of either sense."""

    profit: np.ndarray
    resource: np.ndarray
    capacity: np.ndarray
    optimum: dict[str, int]

    @property
    def jobs(self) -> range:
        return range(self.profit.shape[1])

    @property
    def agents(self) -> range:
        return range(self.profit.shape[0])


@pytest.fixture(params=INSTANCES)
def instance(request, shared_file) -> Instance:
    numbers = np.array(shared_file(f"data/gap/{request.param}").read_text().split(), dtype=int)
    agents, jobs = numbers[:2]
    profit, resource, capacity = np.split(numbers[2:], [agents * jobs, 2 * agents * jobs])
    with shared_file("data/gap/optima.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["path"].endswith(f"/{request.param}"))
    assert len(capacity) == agents
    return Instance(
        profit=profit.reshape(agents, jobs),
        resource=resource.reshape(agents, jobs),
        capacity=capacity,
        optimum={"max": int(row["opt_max"]), "min": int(row["opt_min"])},
    )


def job_offer(name: str, critical_mw: float, reward: int, places: list) -> dict:
    """A contract of one month that pays ``reward`` units."""
    price = reward * UNIT_USD / (critical_mw * 1e3)
    return offer(name, critical_mw=critical_mw, term_months=1, price_usd_per_kw_month=price, sites=places)


def job_place(case: Instance, sense: str, agent: int, job: int, critical_mw: float, **changes) -> dict:
    """Built at once, for what the job fails to earn of the highest profit, or for its cost."""
    value = int(case.profit[agent, job])
    units = HIGHEST_PROFIT - value if sense == "max" else value
    return place(f"A{agent}", capex_usd_per_critical_mw=units * UNIT_USD / critical_mw, build_months=0, **changes)


def limited_by_halls(case: Instance, sense: str) -> Portfolio:
    """Jobs are mandatory offers, the resource is halls."""

    def at(agent: int, job: int) -> dict:
        displaced = float(case.resource[agent, job] / JOB_MW)
        return job_place(case, sense, agent, job, JOB_MW, halls_displaced_mw_per_critical_mw=displaced)

    offers = [
        job_offer(f"J{job}", JOB_MW, reward_of("halls", sense), [at(agent, job) for agent in case.agents])
        for job in case.jobs
    ]
    return portfolio(
        1,
        sites=[site(f"A{agent}", grid_mw=1e4, hall_mw=float(case.capacity[agent])) for agent in case.agents],
        offers=offers,
        policy={"mandatory": [{"offer": item["name"]} for item in offers]},
    )


def limited_by_grid(case: Instance, sense: str) -> Portfolio:
    """Jobs are groups of offers, one an agent, of which one can be signed; the resource is grid MW."""

    def by(agent: int, job: int) -> dict:
        mw = float(case.resource[agent, job])
        places = [job_place(case, sense, agent, job, mw)]
        return job_offer(f"J{job} by A{agent}", mw, reward_of("grid", sense), places)

    groups = [{"name": f"J{job}", "offers": [f"J{job} by A{agent}" for agent in case.agents]} for job in case.jobs]
    return portfolio(
        1,
        sites=[site(f"A{agent}", grid_mw=float(case.capacity[agent]), hall_mw=0.0) for agent in case.agents],
        offers=[by(agent, job) for job in case.jobs for agent in case.agents],
        policy={"exclusive_groups": groups},
    )


def reward_of(way: str, sense: str) -> int:
    """Units of rent for a job."""
    if way == "grid":
        return FULL_REWARD
    return HIGHEST_PROFIT if sense == "max" else 0


WAYS = {"halls": limited_by_halls, "grid": limited_by_grid}


@pytest.mark.parametrize("sense", ["max", "min"])
@pytest.mark.parametrize("way", WAYS)
def test_the_proven_optimum_is_found(instance, way, sense):
    answer = best(WAYS[way](instance, sense))
    agent_of = {int(name.split()[0][1:]): int(where[1:]) for name, (where, _) in signed(answer).items()}
    assert len(answer.decisions.contracts) == len(instance.jobs)  # none twice
    assert sorted(agent_of) == list(instance.jobs)

    used, total = np.zeros(len(instance.agents), dtype=int), 0
    for job, agent in agent_of.items():
        used[agent] += instance.resource[agent, job]
        total += int(instance.profit[agent, job])
    assert (used <= instance.capacity).all()
    assert total == instance.optimum[sense]

    capex = len(instance.jobs) * HIGHEST_PROFIT - total if sense == "max" else total
    worth_usd = (len(instance.jobs) * reward_of(way, sense) - capex) * UNIT_USD
    assert answer.termination.objective_usd == pytest.approx(worth_usd, rel=1e-12)
    assert answer.termination.bound_usd == pytest.approx(worth_usd, abs=0.01 * UNIT_USD)
