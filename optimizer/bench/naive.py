r"""The planning model as it is first written down: what runs where in every month, and what follows from what.

A signature is the rise of a status; building, being live and having taken halls are statuses too, tied to it month by
month, and power is tied to them by big-M. Money is that of the model, by start; so is all that is not a contract.

.. math::
   r_t - r_{t-1} \le z_t \le r_t \qquad z_t + r_{t-1} \le 1 \qquad
   \sum_{\tau=m}^{e_m} r_\tau \ge (e_m - m + 1)\, z_m \qquad \sum_s r_{o,s,t} \le 1
.. math::
   l_t \ge r_t + r_{t-L} - 1 \qquad l_t \le r_t,\ r_{t-L} \qquad h_t \ge r_t,\ h_{t-1} \qquad
   d_t \le d_{t-1} + l_t \qquad b_t \ge h_t - d_t
.. math:: x_t \ge q - \overline q\,(1 - \mathrm{status}_t) \qquad p \ge \sum_{\mathrm{phases}} g\,x_t \quad \forall t

======================  =======  ===========================================================================
symbol                  unit     meaning
======================  =======  ===========================================================================
:math:`z, r`            0/1      signed in the month; under contract in it, for an offer at a site
:math:`e_m`             month    last month of a contract that is signed in *m*
:math:`l`               0/1      a phase is live; *L* months of building after the signature at least
:math:`h, d, b`         0/1      its building has begun; it has been live; it is being built
:math:`x`               MW       critical IT of a phase while a status holds
:math:`q, \overline q`  MW       critical IT signed at the site, and the most of it
:math:`p, g`            MW       power, space or halls used in a period, and what a MW uses of it
======================  =======  ===========================================================================

It has the same optimum as the model, and a relaxation that says little: what solvers are spared by starts whose whole
profile is a column.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.domain.offer import Offer, OfferSite
from optimizer.model.families.contract_start import CONTRACT_START, declare_contracts, post_contract_money
from optimizer.model.families.parallel_builds import PARALLEL_BUILDS
from optimizer.model.family import ConstraintFamily
from optimizer.model.formulation import FORMULATION
from optimizer.model.posting import contract_quantity, month_key, period_keys, post_by_site
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Floats, Ints, Program, Triplets

ROWS: Final = (
    "signed_when_contract_begins",
    "contract_lasts",
    "one_contract_an_offer",
    "live_after_building",
    "halls_taken_for_good",
    "under_construction_until_live",
    "construction_at_open_site",
    "works_until_live",
    "megawatts_of_status",
    "use_in_period",
)
STATUSES: Final = ("under_contract", "live", "begun", "completed", "works", "building")
BY_PHASE: Final = ("live", "begun", "completed", "works")
MEGAWATTS: Final = ("live_mw", "begun_mw", "works_mw")
"""By month: critical MW of a phase while the status holds."""
USES: Final = ("most_power_mw", "most_space_mw", "most_halls_mw")
"""By period: the most of its months, of all phases together."""


@dataclass(frozen=True, eq=False)
class _Placement:
    """An offer at a site, with the starts that it has there."""

    offer: Offer
    place: OfferSite
    site: int
    starts: Ints
    first_live: int
    """Earliest month in which it can be live."""

    @property
    def key(self) -> tuple[str, str]:
        return self.offer.name, self.place.site


class _Rows:
    """Rows ``terms >= least`` of one block, added a few at a time."""

    def __init__(self) -> None:
        self.terms = Triplets()
        self.keys: list[Hashable] = []
        self.least: list[float] = []

    def add(self, key: Sequence[Hashable], least: float, *parts: tuple[Ints, Floats | float]) -> None:
        """One row for each column of the parts, which are (columns, factor) and equally long."""
        count = len(parts[0][0])
        rows = len(self.keys) + np.arange(count)
        for columns, factor in parts:
            self.terms.add(rows, columns, factor)
        self.keys += [(*key, str(index)) for index in range(len(self.keys), len(self.keys) + count)]
        self.least += [least] * count

    def add_sum(self, key: Sequence[Hashable], least: float, *parts: tuple[Ints, Floats | float]) -> None:
        """One row with all columns of the parts."""
        for columns, factor in parts:
            self.terms.add(len(self.keys), columns, factor)
        self.keys.append((*key, str(len(self.keys))))
        self.least.append(least)


class _Statement:
    """The statuses of all placements under construction: rows by block, and the columns of each status."""

    def __init__(self, program: Program, problem: PlanningProblem) -> None:
        self.program, self.problem = program, problem
        self.months = problem.calendar.month_count
        self.sign = program.variables["sign"].columns
        self.quantity, self.factor = contract_quantity(program, problem)
        self.rows = {name: _Rows() for name in ROWS}
        self.placements = list(_placements(problem))
        phases = [(p, i) for p in self.placements for i in range(len(p.offer.phases))]
        whole, parts = [p.key for p in self.placements], [(*p.key, f"phase {i + 1}") for p, i in phases]
        self.position = {id(p): n for n, p in enumerate(self.placements)}
        self.phase_position = {(id(p), i): n for n, (p, i) in enumerate(phases)}
        months, periods = [month_key(problem, t) for t in range(self.months)], period_keys(problem)
        for name in STATUSES:
            keys = [(*key, month) for key in (parts if name in BY_PHASE else whole) for month in months]
            program.add_variables(name, keys, upper=self._upper(name, phases), integer=True)
        for name in MEGAWATTS:
            program.add_variables(name, [(*key, month) for key in parts for month in months])
        for name in USES:
            program.add_variables(name, [(*key, period) for key in whole for period in periods])

    def _upper(self, name: str, phases: list[tuple[_Placement, int]]) -> Floats | float:
        """0 before a phase can be live, or its building have begun."""
        if name not in ("live", "begun"):
            return 1.0
        first = [
            p.first_live + p.offer.phases[i].offset_months - (p.place.build_months if name == "begun" else 0)
            for p, i in phases
        ]
        return (np.arange(self.months) >= np.array(first).reshape(-1, 1)).astype(float).ravel()

    def status(self, name: str, p: _Placement, phase: int = 0) -> Ints:
        """Columns of a status, or of its MW, by month, ``[T]``."""
        by_phase = name in (*BY_PHASE, *MEGAWATTS)
        position = self.phase_position[id(p), phase] if by_phase else self.position[id(p)]
        return self.program.variables[name].columns[position * self.months : (position + 1) * self.months]

    def use(self, name: str, p: _Placement) -> Ints:
        """Columns by period, ``[P]``."""
        periods, position = self.problem.calendar.period_count, self.position[id(p)]
        return self.program.variables[name].columns[position * periods : (position + 1) * periods]

    # ------------------------------------------------------------------------------------------------------ the rows

    def contract(self, p: _Placement) -> None:
        """Signed when the status rises, and then for as long as the contract has the site."""
        run, rise, lasts = self.status("under_contract", p), self.rows[ROWS[0]], self.rows[ROWS[1]]
        starts, sign = self.problem.starts, self.sign
        signed_in = {int(starts.sign_month[n]): sign[n] for n in p.starts}
        for t in range(self.months):
            before = [(run[t - 1 : t], 1.0)] if t else []
            signed = [(np.array([signed_in[t]]), 1.0)] if t in signed_in else []
            rise.add_sum(p.key, 0.0, *before, *signed, (run[t : t + 1], -1.0))
            if signed:
                rise.add_sum(p.key, 0.0, (run[t : t + 1], 1.0), (signed[0][0], -1.0))
                rise.add_sum(p.key, -1.0, (signed[0][0], -1.0), *[(columns, -1.0) for columns, _ in before])
        for n in p.starts:
            last = int(np.flatnonzero(starts.reserved_mw[n])[-1])
            held = run[starts.sign_month[n] : last + 1]
            lasts.add_sum(p.key, 0.0, (held, 1.0), (sign[n : n + 1], -float(len(held))))

    def phases(self, p: _Placement) -> None:
        """Live so many months after the signature, halls taken from the start of building and for good."""
        run, build, last = self.status("under_contract", p), p.place.build_months, len(p.offer.phases) - 1
        live, taken, works, down = (self.rows[name] for name in (*ROWS[3:6], ROWS[7]))
        for i, phase in enumerate(p.offer.phases):
            on, begun = self.status("live", p, i), self.status("begun", p, i)
            lag = build if i == 0 else phase.offset_months
            earlier = run if i == 0 else self.status("live", p, 0)
            first = p.first_live + phase.offset_months
            now = np.arange(min(first, self.months), self.months)
            live.add(p.key, -1.0, (on[now], 1.0), (run[now], -1.0), (earlier[now - lag], -1.0))
            live.add(p.key, 0.0, (run[now], 1.0), (on[now], -1.0))
            live.add(p.key, 0.0, (earlier[now - lag], 1.0), (on[now], -1.0))
            now = np.arange(min(first - build, self.months), self.months)
            source = run[now] if i == 0 else self.status("begun", p, 0)[now - phase.offset_months]
            taken.add(p.key, 0.0, (begun[now], 1.0), (source, -1.0))
            taken.add(p.key, 0.0, (begun[1:], 1.0), (begun[:-1], -1.0))
            done = self.status("completed", p, i)
            works.add(p.key, 0.0, (on[:1], 1.0), (done[:1], -1.0))
            works.add(p.key, 0.0, (on[1:], 1.0), (done[:-1], 1.0), (done[1:], -1.0))
            down.add(p.key, 0.0, (self.status("works", p, i), 1.0), (begun, -1.0), (done, 1.0))
        first_begun, all_done = self.status("begun", p, 0), self.status("completed", p, last)
        works.add(p.key, 0.0, (self.status("building", p), 1.0), (first_begun, -1.0), (all_done, 1.0))

    def opened(self, p: _Placement) -> None:
        """Building only where the site is open."""
        opening = self.problem.portfolio.sites[p.site].opening
        if opening is None:
            return
        site, month = self.problem.openings
        columns = self.program.variables["open_site"].columns
        for t, begun in enumerate(self.status("begun", p, 0)):
            open_by = columns[(site == p.site) & (month + opening.lead_months <= t)]
            self.rows[ROWS[6]].add_sum(p.key, 0.0, (open_by, 1.0), (np.array([begun]), -1.0))

    def megawatts(self, p: _Placement) -> None:
        """Critical MW of every status, by big-M."""
        most = float(self.problem.starts.maximum_mw[p.starts[0]])
        signed, factor = self.quantity[p.starts], self.factor[p.starts]
        for name in MEGAWATTS:
            for i in range(len(p.offer.phases)):
                pairs = zip(self.status(name, p, i), self.status(name.removesuffix("_mw"), p, i), strict=True)
                for mw, on in pairs:
                    parts = ((np.array([mw]), 1.0), (signed, -factor), (np.array([on]), -most))
                    self.rows[ROWS[8]].add_sum(p.key, -most, *parts)

    def uses(self, p: _Placement) -> None:
        """Power, space and halls of a period: the most of its months."""
        place, calendar = p.place, self.problem.calendar
        down = place.halls_down_mw_per_critical_mw or 0.0
        rates = (
            {"live_mw": place.grid_mw_per_critical_mw},
            {"live_mw": float(bool(place.needs_building))},
            {"begun_mw": place.halls_displaced_mw_per_critical_mw, "works_mw": down},
        )
        period_of = np.repeat(np.arange(calendar.period_count), calendar.period_length)
        for name, account, rate in zip(USES, ("power_mw", "space_mw", "halls_mw"), rates, strict=True):
            used = self.use(name, p)
            parts = [
                (self.status(of, p, i), -each * phase.share_frac)
                for of, each in rate.items()
                for i, phase in enumerate(p.offer.phases)
            ]
            self.rows[ROWS[9]].add(p.key, 0.0, (used[period_of], 1.0), *parts)
            post_by_site(self.program, self.problem, account, np.full(len(used), p.site), used, np.eye(len(used)))

    def one_at_a_time(self) -> None:
        """An offer is under contract at one site."""
        for name in dict.fromkeys(p.offer.name for p in self.placements):
            theirs = [self.status("under_contract", p) for p in self.placements if p.offer.name == name]
            self.rows[ROWS[2]].add((name,), -1.0, *[(columns, -1.0) for columns in theirs])


def _placements(problem: PlanningProblem) -> list[_Placement]:
    portfolio, starts, found = problem.portfolio, problem.starts, []
    for o, offer in enumerate(portfolio.offers):
        for place in offer.sites:
            site = portfolio.site_index[place.site]
            ours = np.flatnonzero((starts.offer == o) & (starts.site == site))
            earliest = place.earliest_energize_month
            first = portfolio.horizon.index_of(earliest) if earliest is not None else 0
            if len(ours):
                found.append(_Placement(offer, place, site, ours, max(first, place.build_months)))
    return found


def _contracts(program: Program, problem: PlanningProblem) -> None:
    """State contracts month by month."""
    declare_contracts(program, problem)
    statement = _Statement(program, problem)
    for placement in statement.placements:
        statement.contract(placement)
        statement.phases(placement)
        statement.opened(placement)
        statement.megawatts(placement)
        statement.uses(placement)
    statement.one_at_a_time()
    for name, rows in statement.rows.items():
        program.add_rows(name, rows.keys, rows.terms, lower=np.array(rows.least))
    if problem.starts.count:
        post_contract_money(program, problem)


def _builds(program: Program, problem: PlanningProblem) -> None:
    """Count the contracts under construction in every month."""
    months, rows = problem.calendar.month_count, _Rows()
    sites, building = np.array([p.site for p in _placements(problem)], dtype=int), program.variables["building"].columns
    regions = np.array([site.region for site in problem.portfolio.sites])[sites]
    for limit in problem.portfolio.policy.parallel_builds:
        inside = np.flatnonzero((regions == limit.region) | (limit.region is None))
        for t in range(months if len(inside) else 0):
            columns = building[inside * months + t]
            rows.add_sum((limit.region or "everywhere",), -float(limit.maximum_count), (columns, -1.0))
    program.add_rows("parallel_builds_within_limit", rows.keys, rows.terms, lower=np.array(rows.least))


_CONTRACTS: Final = ConstraintFamily(
    "contracts_by_month",
    CONTRACT_START.needs,
    (
        "sign",
        "critical_mw",
        "offer_signed_at_most_once",
        "critical_mw_within_offer",
        *STATUSES,
        *MEGAWATTS,
        *USES,
        *ROWS,
    ),
    _contracts,
)
_BUILDS: Final = ConstraintFamily("builds_by_month", ("building",), PARALLEL_BUILDS.adds, _builds)
NAIVE_FORMULATION: Final = tuple(
    {CONTRACT_START.name: _CONTRACTS, PARALLEL_BUILDS.name: _BUILDS}.get(family.name, family) for family in FORMULATION
)
"""The formulation of the model with contracts stated by month."""
