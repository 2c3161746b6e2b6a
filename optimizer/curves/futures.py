"""The futures of one portfolio: every market path in every scenario, for the model, the audit and the risk measures.

Months ``t = 0 .. T-1`` are the horizon; ``T_ext >= T`` also covers what contracts and mining tails need after it.
Arrays are
``[T_ext, W]`` with ``W`` scenarios, unless stated. The definitions are in ``docs/explanation/economics.md``.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import credit, hashing, network, outcomes, overlays, scenarios, shutdowns
from optimizer.curves._sampling import name_streams
from optimizer.curves.factor_sources import history_multipliers, hourly_prices, stated_multipliers
from optimizer.curves.information import Known
from optimizer.curves.overlay_profiles import factor_profiles
from optimizer.curves.power import PowerShape
from optimizer.curves.stress import stressed_portfolio
from optimizer.domain.base import ValuePath, months_between
from optimizer.domain.market import DifficultyRule
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.stress import Stress
from optimizer.domain.uncertainty import Factor
from optimizer.units import HOURS_PER_DAY, MONTHS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_ORDER = list(Factor)
SHARD_SCENARIOS = 2048
"""Scenarios whose paths are in memory together; a multiple of the kernels' slices."""


@dataclass(frozen=True, eq=False)
class Futures:
    """All scenarios of a portfolio's market and tenants; see :meth:`of`."""

    portfolio: Portfolio
    """The portfolio they belong to."""
    first_scenario: int
    """Index of the first scenario."""
    scenario_count: int
    """Number of scenarios, W."""
    own_eh_s: Floats | None = None
    """Own hashrate by month that hashprice has answered to, ``[T]``; None: the market does not notice the plan."""
    stress: Stress | None = None
    """The stress whose one path it is; the portfolio is then that of the stress."""
    chosen: Ints | None = None
    """Where they are no range, positions of the scenarios in the one that begins with the first, ascending, ``[W]``."""
    known: Known | None = None
    """What has happened by now on one path; the scenarios are then what can follow."""
    _shapes: dict[str, PowerShape] = field(default_factory=dict, repr=False)
    _open_fracs: dict[str, Floats] = field(default_factory=dict, repr=False, init=False)

    @classmethod
    def of(cls, portfolio: Portfolio, first_scenario: int = 0, scenario_count: int | None = None) -> Futures:
        """The scenarios that the portfolio's risk specification asks for, or another range of the same sequence."""
        count = portfolio.risk.scenario_count if scenario_count is None else scenario_count
        return cls(portfolio, first_scenario, count)

    def shards(self) -> Iterator[Futures]:
        """The same scenarios in parts of at most :data:`SHARD_SCENARIOS`, in order.

        What is summed shard by shard needs memory that does not grow with the number of scenarios.
        """
        if self.scenario_count <= SHARD_SCENARIOS:
            yield self
            return
        for first in range(0, self.scenario_count, SHARD_SCENARIOS):
            count = min(SHARD_SCENARIOS, self.scenario_count - first)
            if self.chosen is None:
                yield replace(self, first_scenario=self.first_scenario + first, scenario_count=count)
            else:
                yield self.only(self.chosen[first : first + count])

    def only(self, positions: Ints) -> Futures:
        """Some of the scenarios, by ascending position ``[W]``; each is what it is among all."""
        return replace(self, chosen=positions, scenario_count=len(positions))

    def _picked(self, drawn: Callable[[Futures], NDArray[Any]]) -> NDArray[Any]:
        """What is drawn of the chosen scenarios, ``[..., W]``: from the shards of the range that they are in."""
        assert self.chosen is not None
        shard, found = self.chosen // SHARD_SCENARIOS, []
        for number in np.unique(shard).tolist():
            first = number * SHARD_SCENARIOS
            part = replace(
                self, chosen=None, first_scenario=self.first_scenario + first, scenario_count=SHARD_SCENARIOS
            )
            found.append(drawn(part)[..., self.chosen[shard == number] - first])
        return np.concatenate(found, axis=-1)

    def answering(self, own_eh_s: Floats) -> Futures:
        """The same scenarios where hashprice has answered to an own hashrate by month, ``[T]``."""
        return replace(self, own_eh_s=own_eh_s)

    def under(self, stress: Stress) -> Futures:
        """The one path of a stress: base paths times its shocks, and the defaults that it states; nothing is drawn."""
        return replace(
            self,
            portfolio=stressed_portfolio(self.portfolio, stress),
            first_scenario=0,
            scenario_count=1,
            stress=stress,
            known=None,
        )

    @property
    def month_count(self) -> int:
        """Months of the horizon, T."""
        return self.portfolio.horizon.month_count

    @cached_property
    def extended_month_count(self) -> int:
        """Months until the last contract that can be signed has ended, renewals and re-leases included: T_ext."""
        portfolio, horizon = self.portfolio, self.portfolio.horizon
        ends = [horizon.month_count + portfolio.finance.terminal.mining_tail_months]
        for offer in portfolio.offers:
            latest_sign = min(horizon.index_of(offer.sign_until_month), horizon.month_count - 1)
            renewal = offer.renewal
            stay = renewal.option_count * renewal.term_months if renewal and renewal.probability_frac > 0 else 0
            for place in offer.sites:
                energize = latest_sign + place.build_months
                if place.earliest_energize_month is not None:
                    energize = max(energize, horizon.index_of(place.earliest_energize_month))
                end = min(energize, horizon.month_count - 1) + offer.term_months
                ends.append(end + stay)
                if place.re_lease is not None:  # only of a term that ends in the horizon
                    last = min(end, horizon.month_count - 1)
                    ends.append(last + place.re_lease.vacancy_months + place.re_lease.term_months)
        return max(ends)

    @cached_property
    def calendar_month(self) -> Ints:
        """Calendar month 1..12, ``[T_ext]``."""
        start = self.portfolio.horizon.start_month.month - 1
        return (np.arange(self.extended_month_count) + start) % MONTHS_PER_YEAR + 1

    @cached_property
    def days_in_month(self) -> Ints:
        """Calendar days, ``[T_ext]``."""
        months = [self.portfolio.horizon.month_at(index) for index in range(self.extended_month_count)]
        return np.array([calendar.monthrange(month.year, month.month)[1] for month in months])

    @property
    def hours_in_month(self) -> Floats:
        """Hours, ``[T_ext]``."""
        return np.asarray(self.days_in_month * HOURS_PER_DAY, dtype=np.float64)

    def path(self, path: ValuePath, month_count: int | None = None) -> Floats:
        """A stated path by month, ``[T_ext]`` or ``[month_count]``."""
        count = self.extended_month_count if month_count is None else month_count
        months = np.arange(count)
        growth = np.asarray((1.0 + path.growth_per_year_frac) ** (months / MONTHS_PER_YEAR), dtype=np.float64)
        if path.value is not None:
            return np.asarray(path.value * growth, dtype=np.float64)
        start = self.portfolio.horizon.start_month
        steps = np.array([months_between(start, point.from_month) for point in path.points])
        held = np.searchsorted(steps, months, side="right") - 1
        return np.asarray(np.array([point.value for point in path.points])[np.maximum(held, 0)] * growth)

    @cached_property
    def multipliers(self) -> Floats:
        """Multipliers of the base paths, ``[5, T_ext, W]`` in the order of the factors: drawn, stated, overlaid."""
        if self.chosen is not None:
            return self._picked(lambda part: part.multipliers)
        found, market = self.driven_multipliers, self.portfolio.market
        if market.overlays:
            months = self.extended_month_count
            overlays.apply_overlays(
                found, self.overlay_starts, [factor_profiles(item, months) for item in market.overlays]
            )
        return found

    @property
    def driven_multipliers(self) -> Floats:
        """The same before overlays, as a new array."""
        market = self.portfolio.market
        found = scenarios.factor_multipliers(
            seed=self.portfolio.risk.seed,
            first_scenario=self.first_scenario,
            scenario_count=self.scenario_count,
            month_count=self.extended_month_count,
            volatility_per_year=market.volatilities(),
            mean_reversion_per_year=market.mean_reversions(),
            correlation=market.correlation_matrix(),
        )
        if market.bootstrap is not None:
            found *= history_multipliers(self, market.bootstrap)
        if market.scenario_table is not None:
            found *= stated_multipliers(self, market.scenario_table)
        if self.known is not None:
            self.known.continue_multipliers(found, market)
        return found

    @cached_property
    def overlay_starts(self) -> NDArray[np.int32]:
        """Month in which each overlay begins, ``[K, W]``; never, in the scenarios in which it does not come."""
        items, index_of = self.portfolio.market.overlays, self.portfolio.horizon.index_of
        if not items:
            return np.zeros((0, self.scenario_count), dtype=np.int32)
        windows = [
            (item.probability_frac, index_of(item.begin_from_month), index_of(item.begin_until_month)) for item in items
        ]
        if self.known is not None:
            windows = [self.known.still_to_begin(*window) for window in windows]
        found = overlays.overlay_starts(
            seed=self.portfolio.risk.seed,
            first_scenario=self.first_scenario,
            scenario_count=self.scenario_count,
            streams=name_streams([item.name for item in items]),
            probability_frac=[window[0] for window in windows],
            first_month=[window[1] for window in windows],
            last_month=[window[2] for window in windows],
        )
        return found if self.known is None else self.known.begun(found)

    def multiplier(self, factor: Factor) -> Floats:
        """Multiplier of one factor."""
        return np.asarray(self.multipliers[_ORDER.index(factor)])

    @property
    def gpu_rental_multiplier(self) -> Floats:
        """Multiplier of GPU rental prices."""
        return self.multiplier(Factor.GPU_RENTAL)

    @property
    def re_lease_rent_multiplier(self) -> Floats:
        """Multiplier of the rent of halls."""
        return self.multiplier(Factor.RE_LEASE_RENT)

    @cached_property
    def re_lease_rent_usd_per_kw_month(self) -> Floats:
        """Rent at which a failed tenant's halls are let again."""
        base = self.path(self.portfolio.market.re_lease_rent_usd_per_kw_month)
        return np.asarray(base[:, None] * self.re_lease_rent_multiplier)

    @property
    def btc_usd(self) -> Floats:
        """Price of a bitcoin, ``[T, W]``."""
        months = self.month_count
        base = self.path(self.portfolio.market.btc_usd, months)
        return np.asarray(base[:, None] * self.multiplier(Factor.BTC_PRICE)[:months])

    @cached_property
    def hashprice_usd_per_ph_day(self) -> Floats:
        """Hashprice, ``[T, W]``."""
        market = self.portfolio.market
        found = self._retargeted() if market.difficulty is DifficultyRule.RETARGET else self._at_once()
        return np.asarray(found * self.own_hashprice_multiplier[:, None])

    def _at_once(self) -> Floats:
        market, months = self.portfolio.market, self.month_count
        return scenarios.hashprice_paths(
            base_btc_usd=self.path(market.btc_usd, months),
            base_network_eh_s=self.path(market.network_eh_s, months),
            subsidy_btc=hashing.monthly_subsidy_btc(
                block_height_at_start=market.block_height_at_start, days_in_month=self.days_in_month[:months]
            ),
            fee_share_frac=self.path(market.fee_share_frac, months),
            multipliers=np.ascontiguousarray(self.multipliers[:, :months]),
            network_price_elasticity=self.network_price_elasticity,
            network_lag_months=market.network_lag_months,
        )

    @property
    def network_price_elasticity(self) -> float:
        """Elasticity of the network to the bitcoin price; 0 where a table states it, or history holds both together."""
        market = self.portfolio.market
        stated = market.scenario_table.factors if market.scenario_table is not None else ()
        drawn = market.bootstrap.factors if market.bootstrap is not None else ()
        if Factor.NETWORK_HASHRATE in stated or {Factor.NETWORK_HASHRATE, Factor.BTC_PRICE} <= set(drawn):
            return 0.0
        return market.network_price_elasticity

    @property
    def network_eh_s(self) -> Floats:
        """Hashrate of the network, which follows the bitcoin price with a lag, ``[T, W]``."""
        market, months, lag = self.portfolio.market, self.month_count, self.portfolio.market.network_lag_months
        hashrate = self.path(market.network_eh_s, months)[:, None] * self.multiplier(Factor.NETWORK_HASHRATE)[:months]
        hashrate[lag:] *= self.multiplier(Factor.BTC_PRICE)[: max(months - lag, 0)] ** self.network_price_elasticity
        return np.asarray(hashrate)

    def _retargeted(self) -> Floats:
        market, months = self.portfolio.market, self.month_count
        chain = network.retarget_paths(
            network_eh_s=self.network_eh_s,
            days_in_month=self.days_in_month[:months],
            block_height_at_start=market.block_height_at_start,
        )
        btc_per_ph_day = hashing.hashprice_btc_per_ph_day(
            difficulty=chain.difficulty,
            subsidy_btc=chain.subsidy_btc,
            fee_share_frac=self.path(market.fee_share_frac, months),
        )
        return self.btc_usd * btc_per_ph_day

    @cached_property
    def own_hashprice_multiplier(self) -> Floats:
        """What hashprice becomes when the own hashrate is ``own_eh_s`` instead of that of the start, ``[T]``."""
        market, months = self.portfolio.market, self.month_count
        if self.own_eh_s is None:
            return np.ones(months)
        return network.own_exit_hashprice_multiplier(
            own_eh_s=self.own_eh_s,
            reference_own_eh_s=np.full(months, self.portfolio.initial_hashrate_eh_s),
            network_eh_s=self.path(market.network_eh_s, months),
            elasticity=market.network_price_elasticity,
        )

    @cached_property
    def _default_months(self) -> dict[str, NDArray[np.int32]]:
        if self.chosen is None:
            return credit.failure_months(self)
        names = sorted(self.portfolio.default_hazards)
        if not names:
            return {}
        months = self._picked(lambda part: np.stack([part.default_month(name) for name in names]))
        return dict(zip(names, months, strict=True))

    def default_month(self, party: str) -> NDArray[np.int32]:
        """Month in which a tenant or a backstopper defaults, ``[W]``; :data:`optimizer.curves.NEVER` if it does not."""
        return self._default_months[party]

    def construction_outcome(self, site_name: str) -> Ints:
        """How building at a site turns out, ``[W]``: positions in its outcomes, ``outcomes.NONE`` as planned."""
        if self.chosen is not None:
            return self._picked(lambda part: part.construction_outcome(site_name))
        stated = self.portfolio.site(site_name).construction_outcomes
        if not stated:
            return np.full(self.scenario_count, outcomes.NONE)
        if self.known is not None and site_name in self.known.built:
            return np.full(self.scenario_count, self.known.path.construction_outcome[site_name])
        streams = name_streams([site.name for site in self.portfolio.sites])
        return outcomes.drawn_outcomes(
            seed=self.portfolio.risk.seed,
            first_scenario=self.first_scenario,
            scenario_count=self.scenario_count,
            purpose=outcomes.CONSTRUCTION,
            stream=streams[self.portfolio.site_index[site_name]],
            probability_frac=[item.probability_frac for item in stated],
        )

    def open_frac(self, site_name: str) -> Floats | None:
        """1 in the months in which a site is open, 0 in those in which its country shuts it; None if none does."""
        country = self.portfolio.site(site_name).country
        if country not in self._open_fracs:
            risks = {item.country: item for item in self.portfolio.market.country_risks}
            if country not in risks:
                return None
            self._open_fracs[country] = (
                shutdowns.open_frac(self, risks[country])
                if self.chosen is None
                else self._picked(lambda part: np.asarray(part.open_frac(site_name)))
            )
        return self._open_fracs[country]

    def hourly_prices(self, site_name: str) -> tuple[Floats, Ints]:
        """Energy prices of a site's hours in USD/MWh and the calendar month of each."""
        return hourly_prices(self.portfolio, site_name)

    def shape(self, site_name: str) -> PowerShape:
        """The site's sorted price structure; sites on one series share it."""
        power = self.portfolio.site(site_name).power
        key = f"series:{power.hourly_series}" if power.hourly_series is not None else f"flat:{power.flat_usd_per_mwh!r}"
        if key not in self._shapes:
            self._shapes[key] = PowerShape.from_hourly(*self.hourly_prices(site_name))
        return self._shapes[key]

    def _escalation(self, site_name: str) -> Floats:
        growth = 1.0 + self.portfolio.site(site_name).power.escalation_per_year_frac
        return np.asarray(growth ** (np.arange(self.extended_month_count) / MONTHS_PER_YEAR))

    @cached_property
    def market_power_level(self) -> Floats:
        """Level of market energy prices."""
        return np.asarray(self.path(self.portfolio.market.power_level)[:, None] * self.multiplier(Factor.POWER_PRICE))

    def power_level(self, site_name: str, month_count: int | None = None) -> Floats:
        """Level by which the site's energy prices are multiplied, ``[T_ext, W]`` or ``[month_count, W]``."""
        exposure, months = self.portfolio.site(site_name).power.exposure_frac, slice(month_count)
        market, escalation = self.market_power_level[months], self._escalation(site_name)[months]
        return np.asarray(escalation[:, None] * (1.0 + exposure * (market - 1.0)))

    def power_adder_usd_per_mwh(self, site_name: str) -> Floats:
        """Adders on the site's energy price, ``[T_ext]``."""
        return self._escalation(site_name) * self.portfolio.site(site_name).power.adder_usd_per_mwh

    def mean_power_usd_per_mwh(self, site_name: str) -> Floats:
        """Mean energy price over a month's hours, adders included."""
        mean = self.shape(site_name).mean_usd_per_mwh[self.calendar_month - 1]
        adder = self.power_adder_usd_per_mwh(site_name)
        return np.asarray(mean[:, None] * self.power_level(site_name) + adder[:, None])
