"""How the market strays from its base paths: processes, overlays, a bootstrap of history, or a table of scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Frac, Month, Name, Quantity, Value, problem

FEWEST_HISTORY_MONTHS = 24


class Factor(StrEnum):
    """What is uncertain; the order is the order of the factors in the scenario generator."""

    BTC_PRICE = "btc_price"
    NETWORK_HASHRATE = "network_hashrate"
    POWER_PRICE = "power_price"
    GPU_RENTAL = "gpu_rental"
    RE_LEASE_RENT = "re_lease_rent"


class FactorUncertainty(Value):
    """How far one factor strays from its base path: a log-normal process that may revert to it."""

    factor: Factor
    """Which."""
    volatility_per_year_frac: Annotated[float, Quantity("1/year", 0.0, 10.0, "a fraction: 60 % a year is 0.6")]
    """Standard deviation of yearly log changes."""
    mean_reversion_per_year: Annotated[float, Quantity("1/year", 0.0, 50.0)] = 0.0
    """Speed at which the logarithm reverts to the base path; 0 is a random walk."""


class FactorCorrelation(Value):
    """Correlation of the monthly shocks of two factors."""

    first: Factor
    """One factor."""
    second: Factor
    """The other."""
    correlation_frac: Annotated[float, Quantity("1", -1.0, 1.0)]
    """Correlation coefficient."""


class OverlayPoint(Value):
    """The strength of an overlay some months after it began."""

    month_offset: Annotated[int, Quantity("months", 0, 600)]
    """Months since it began."""
    multiplier: Annotated[float, Quantity("1", 0.001, 1000.0)]
    """Multiplier of the path without it."""


OverlayProfile = Annotated[tuple[OverlayPoint, ...], Field(min_length=1)]


class OverlayEffect(Value):
    """What an overlay does to one factor."""

    factor: Factor
    """Which."""
    points: OverlayProfile
    """Multipliers over time: geometric between points, held after the last one."""

    @model_validator(mode="after")
    def _ascending(self) -> OverlayEffect:
        _check_profile(self.points, "points")
        return self


class Overlay(Value):
    """A jump or another regime of the market that may come: a crypto winter, an AI bust.

    It moves the mean of the factors that it touches: what it takes is not given back elsewhere.
    """

    name: Name
    """Unique name."""
    probability_frac: Frac
    """Probability that it comes at all."""
    begin_from_month: Month
    """First month in which it can begin."""
    begin_until_month: Month
    """Last month in which it can begin; all months between are equally likely."""
    preset: Name | None = None
    """Name of an overlay of the reference library, which states its effects; give this or ``effects``."""
    effects: tuple[OverlayEffect, ...] = ()
    """What it does to the market; filled from ``preset`` when the portfolio is loaded."""
    default_hazard: tuple[OverlayPoint, ...] = ()
    """Multipliers of every tenant's default hazard over time: held between points and after the last one."""

    @model_validator(mode="after")
    def _complete(self) -> Overlay:
        if self.begin_until_month < self.begin_from_month:
            raise problem("window", f"the window of {self.name} ends before it starts", "swap the months")
        if self.preset is None and not self.effects and not self.default_hazard:
            raise problem("effects", f"overlay {self.name} has no effect", "name a preset, or state effects")
        factors = [effect.factor for effect in self.effects]
        if len(factors) != len(set(factors)):
            raise problem("effects", f"overlay {self.name} states a factor twice", "one entry a factor")
        if self.default_hazard:
            _check_profile(self.default_hazard, "default_hazard")
        return self


class CreditFactor(Value):
    """What the credit of all parties has in common: tenants, and those who back them, fail in the same scenarios.

    A Gaussian copula with one factor: each party's own hazard stays what it is.
    """

    asset_correlation_frac: Frac
    """Correlation of the assets of any two parties; at 0 each fails alone."""
    market_factor: Factor | None = None
    """Factor of the market that credit goes with, one with a process of its own in ``uncertainty``."""
    market_correlation_frac: Annotated[float, Quantity("1", -1.0, 1.0)] = 0.0
    """Correlation of what is common with the mean log-deviation of that factor over the horizon: at more than 0
    defaults are more and earlier where it is low."""

    @model_validator(mode="after")
    def _with_a_market(self) -> CreditFactor:
        if (self.market_factor is None) != (self.market_correlation_frac == 0.0):
            raise problem(
                "credit_factor",
                "a credit factor goes with the market by both a market_factor and a market_correlation_frac",
                "state both, or neither",
            )
        return self


class CountryRisk(Value):
    """A country whose sites may be shut for months, all together: by decree, in unrest, where power is rationed."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166 code of the country of sites."""
    hazard_per_year_frac: Annotated[float, Quantity("1/year", 0.0, 0.9)]
    """Probability a year that a shutdown begins while none lasts."""
    shut_months: Annotated[int, Quantity("months", 1, 120)]
    """Months for which it lasts."""


class FactorColumn(Value):
    """Which column of a file holds which factor."""

    factor: Factor
    """Factor."""
    column: Name
    """Column."""


class FactorFile(Value):
    """A CSV or Parquet file with a column of months and one for each factor, beside the portfolio file."""

    path: Name
    """Path of the file, relative to the portfolio file."""
    columns: tuple[FactorColumn, ...] = Field(min_length=1)
    """Factors and their columns."""
    month_column: Name = "month"
    """Column of months, as ``2025-01``; days of a history are averaged by month."""
    scenario_column: Name | None = None
    """Column of scenario numbers; for a table of scenarios ``scenario`` if absent."""

    @model_validator(mode="after")
    def _once(self) -> FactorFile:
        factors = [item.factor for item in self.columns]
        if len(factors) != len(set(factors)):
            raise problem("columns", "a factor is listed twice", "one column a factor")
        return self


class FactorHistory(Value):
    """Monthly means of one factor in the past."""

    factor: Factor
    """Factor."""
    values: tuple[Annotated[float, Quantity("as the factor", 1e-9, 1e12)], ...]
    """One value a month, consecutive months."""


class Bootstrap(Value):
    """Scenarios from blocks of history: joint monthly changes of the factors, drawn in blocks of random length.

    The mean of every multiplier stays 1: history gives the shape of the changes, the base path their direction.
    """

    file: FactorFile | None = None
    """Where the history is; give this or ``history``."""
    history: tuple[FactorHistory, ...] = ()
    """The history itself; filled from ``file`` when the portfolio is loaded."""
    mean_block_months: Annotated[float, Quantity("months", 1.0, 120.0)] = 12.0
    """Mean length of a block; 1 draws single months."""

    @model_validator(mode="after")
    def _history(self) -> Bootstrap:
        if self.file is None and not self.history:
            raise problem("history", "a bootstrap needs a file or a history", "say where the monthly values are")
        if len({len(item.values) for item in self.history}) > 1:
            raise problem("history", "the factors have histories of different length", "cut them to common months")
        if self.history and len(self.history[0].values) < FEWEST_HISTORY_MONTHS:
            told = f"{len(self.history[0].values)} months of history"
            raise problem("history", told, f"give at least {FEWEST_HISTORY_MONTHS}")
        return self

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Factors that are drawn from history."""
        return _factors(self.history, self.file)


class TableUnit(StrEnum):
    """What the numbers of a scenario table are."""

    MULTIPLIER = "multiplier"
    LEVEL = "level"


class ScenarioPath(Value):
    """One factor in one scenario."""

    values: tuple[Annotated[float, Quantity("as stated", 1e-9, 1e12)], ...] = Field(min_length=1)
    """One value a month from the first of the horizon; the last one is held."""


class FactorPaths(Value):
    """One factor in all scenarios."""

    factor: Factor
    """Factor."""
    scenarios: tuple[ScenarioPath, ...] = Field(min_length=1)
    """Scenarios in order."""


class ScenarioTable(Value):
    """Scenarios that the user brings; scenario i of the plan is scenario i of the table, again from its start."""

    file: FactorFile | None = None
    """Where the table is, one row a scenario and month; give this or ``paths``."""
    unit: TableUnit = TableUnit.MULTIPLIER
    """Whether the numbers multiply the base path or replace it, in its unit."""
    paths: tuple[FactorPaths, ...] = ()
    """The paths themselves; filled from ``file`` when the portfolio is loaded."""

    @model_validator(mode="after")
    def _rectangular(self) -> ScenarioTable:
        if self.file is None and not self.paths:
            raise problem("paths", "a scenario table needs a file or paths", "say where the scenarios are")
        if len({len(item.scenarios) for item in self.paths}) > 1:
            raise problem("paths", "the factors have different numbers of scenarios", "give every factor in each")
        if len({len(path.values) for item in self.paths for path in item.scenarios}) > 1:
            raise problem("paths", "the scenarios have different numbers of months", "give every month in each")
        if self.unit is TableUnit.LEVEL and Factor.GPU_RENTAL in self.factors:
            raise problem("unit", "GPU rental differs by option, so it has no one level", "state it as multipliers")
        return self

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Factors whose scenarios are in the table."""
        return _factors(self.paths, self.file)

    @property
    def scenario_count(self) -> int:
        """Scenarios in the table; 0 before it is loaded."""
        return len(self.paths[0].scenarios) if self.paths else 0


def _check_profile(points: tuple[OverlayPoint, ...], name: str) -> None:
    offsets = [point.month_offset for point in points]
    if offsets != sorted(set(offsets)) or offsets[0] != 0:
        told = f"{name} of an overlay start at offset {offsets[0]} or do not ascend"
        raise problem(name, told, "start at month_offset 0, one point a month, ascending")


def _factors(loaded: Sequence[FactorHistory | FactorPaths], file: FactorFile | None) -> tuple[Factor, ...]:
    """The same before and after the file is read."""
    if loaded or file is None:
        return tuple(item.factor for item in loaded)
    return tuple(item.factor for item in file.columns)
