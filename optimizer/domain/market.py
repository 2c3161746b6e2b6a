"""The market: base paths, and how uncertain they are."""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations
from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import PathOf, Quantity, RentPath, Value, ValuePath, problem
from optimizer.domain.correlations import nearest_correlations, smallest_eigenvalue
from optimizer.domain.uncertainty import (
    Bootstrap,
    CountryRisk,
    CreditFactor,
    Factor,
    FactorCorrelation,
    FactorUncertainty,
    Overlay,
    ScenarioTable,
)


class DifficultyRule(StrEnum):
    """How difficulty follows the network's hashrate."""

    HASHRATE = "hashrate"
    RETARGET = "retarget"


class Market(Value):
    """Base paths that all scenarios vary around; the mean of a multiplier is 1, but for overlays and tables."""

    btc_usd: Annotated[ValuePath, PathOf("USD/BTC", 1.0, 1e8)]
    """Price of one bitcoin."""
    network_eh_s: Annotated[ValuePath, PathOf("EH/s", 1.0, 1e6, "in EH/s: 1 ZH/s is 1000")]
    """Network hashrate."""
    fee_share_frac: Annotated[
        ValuePath, PathOf("fraction", 0.0, 0.95, "share of fees in the total reward, as a fraction")
    ] = ValuePath(value=0.007)
    """Share of transaction fees in the total block reward."""
    block_height_at_start: Annotated[int, Quantity("blocks", 0, 10_000_000)]
    """Block height at the start of the horizon; decides when the subsidy halves."""
    pool_fee_frac: Annotated[float, Quantity("fraction", 0.0, 0.2)] = 0.01
    """What the pool keeps."""
    power_level: Annotated[ValuePath, PathOf("1", 0.05, 20.0)] = ValuePath(value=1.0)
    """Level of market energy prices relative to the hourly series."""
    re_lease_rent_usd_per_kw_month: RentPath = ValuePath(value=120.0)
    """Rent at which halls of a failed tenant are let again."""
    network_price_elasticity: Annotated[float, Quantity("1", 0.0, 2.0)] = 0.25
    """Elasticity of the network hashrate to the bitcoin price's deviation from its base path."""
    network_lag_months: Annotated[int, Quantity("months", 0, 36)] = 4
    """Months by which that response lags."""
    difficulty: DifficultyRule = DifficultyRule.HASHRATE
    """``hashrate``: difficulty follows at once, at 144 blocks a day. ``retarget``: every 2,016 blocks by the rule of
    the protocol, so that blocks come faster, and the halving earlier, while the network grows."""
    own_hashrate_feedback: bool = False
    """Whether hashprice answers to what the plan's own machines join or leave: ``network_eh_s`` has the fleets of the
    start in it, and the rest of the network responds with ``network_price_elasticity``."""
    uncertainty: tuple[FactorUncertainty, ...] = ()
    """Uncertain factors; a factor that is absent stays on its base path."""
    correlations: tuple[FactorCorrelation, ...] = ()
    """Correlations between them; 0 where absent."""
    bootstrap: Bootstrap | None = None
    """Factors whose changes are drawn from history instead."""
    scenario_table: ScenarioTable | None = None
    """Factors whose scenarios are stated instead."""
    overlays: tuple[Overlay, ...] = ()
    """Jumps and regimes on top of all of these."""
    credit_factor: CreditFactor | None = None
    """What the defaults of tenants have in common; each fails alone if absent."""
    country_risks: tuple[CountryRisk, ...] = ()
    """Countries whose sites may be shut; all others stay open."""

    @model_validator(mode="after")
    def _factors(self) -> Market:
        named = [item.factor for item in self.uncertainty]
        if len(named) != len(set(named)):
            raise problem("uncertainty", "a factor is listed twice", "one entry a factor")
        sources = [*named]
        sources += self.bootstrap.factors if self.bootstrap is not None else ()
        sources += self.scenario_table.factors if self.scenario_table is not None else ()
        double = sorted({factor for factor in sources if sources.count(factor) > 1})
        if double:
            told = f"{', '.join(double)} has more than one source of scenarios"
            raise problem("uncertainty", told, "keep one of uncertainty, bootstrap and scenario_table for it")
        countries = [item.country for item in self.country_risks]
        if len(countries) != len(set(countries)):
            raise problem("country_risks", "a country is listed twice", "one entry a country")
        pairs = [frozenset((item.first, item.second)) for item in self.correlations]
        if len(pairs) != len(set(pairs)) or any(len(pair) == 1 for pair in pairs):
            raise problem("correlations", "a pair is listed twice, or a factor with itself", "one entry a pair")
        loose = sorted({factor for pair in pairs for factor in pair} - set(named))
        if loose:
            told = f"{', '.join(loose)} has a correlation but no uncertainty"
            raise problem("correlations", told, "add its volatility")
        moving = self.credit_factor.market_factor if self.credit_factor is not None else None
        if moving is not None and moving not in named:
            told = f"credit goes with {moving}, which has no process of its own"
            raise problem("credit_factor", told, "add its volatility to uncertainty, or choose a factor that is there")
        smallest = smallest_eigenvalue(self.correlation_matrix())
        if smallest < -1e-10:
            raise problem(
                "correlations",
                f"the correlation matrix is not positive semidefinite (smallest eigenvalue {smallest:.4g})",
                f"no factors can move like that together; the nearest that can: {self._nearest_correlations()}",
            )
        return self

    def _nearest_correlations(self) -> str:
        """The correlations that are nearest to those stated and can be, to be pasted into the portfolio."""
        order, nearest = list(Factor), nearest_correlations(self.correlation_matrix())
        items = [
            f"{{first: {order[i]}, second: {order[j]}, correlation_frac: {nearest[i][j]:g}}}"
            for i, j in combinations(range(len(order)), 2)
            if nearest[i][j]
        ]
        return f"correlations: [{', '.join(items)}]"

    def base_path(self, factor: Factor) -> ValuePath:
        """The path that a factor's multipliers multiply; of GPU rental, which differs by option, a path of ones."""
        return {
            Factor.BTC_PRICE: self.btc_usd,
            Factor.NETWORK_HASHRATE: self.network_eh_s,
            Factor.POWER_PRICE: self.power_level,
            Factor.GPU_RENTAL: ValuePath(value=1.0),
            Factor.RE_LEASE_RENT: self.re_lease_rent_usd_per_kw_month,
        }[factor]

    def correlation_matrix(self) -> list[list[float]]:
        """Correlations of all factors in the order of :class:`Factor`."""
        order = list(Factor)
        matrix = [[1.0 if row == column else 0.0 for column in order] for row in order]
        for item in self.correlations:
            i, j = order.index(item.first), order.index(item.second)
            matrix[i][j] = matrix[j][i] = item.correlation_frac
        return matrix

    def volatilities(self) -> list[float]:
        """Volatility a year of all factors in the order of :class:`Factor`."""
        by_factor = {item.factor: item.volatility_per_year_frac for item in self.uncertainty}
        return [by_factor.get(factor, 0.0) for factor in Factor]

    def mean_reversions(self) -> list[float]:
        """Mean reversion a year of all factors in the order of :class:`Factor`."""
        by_factor = {item.factor: item.mean_reversion_per_year for item in self.uncertainty}
        return [by_factor.get(factor, 0.0) for factor in Factor]
