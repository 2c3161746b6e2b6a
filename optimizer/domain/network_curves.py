"""Question and answer about the network alone; the arithmetic is in :mod:`optimizer.app.network_curves`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Month, PathOf, Quantity, Real, Value, ValuePath, add_months, raise_problems
from optimizer.domain.findings import Finding


class OwnExit(Value):
    """One owner leaves the network."""

    exit_eh_s: Annotated[float, Quantity("EH/s", 1e-6, 1e6, "in EH/s: 1 ZH/s is 1000")]
    """Hashrate that leaves; the network of the question contains it."""
    from_month: Month
    """First month without it."""
    elasticity: Annotated[float, Quantity("1", 0.0, 2.0)] = 0.25
    """How the rest of the network answers to a higher hashprice: d ln hashrate / d ln hashprice."""


class NetworkCurveSpec(Value):
    """What the protocol makes of a network's hashrate, month by month."""

    start_month: Month
    """First month."""
    month_count: Annotated[int, Quantity("months", 1, 600)]
    """Months."""
    network_eh_s: Annotated[ValuePath, PathOf("EH/s", 1.0, 1e6, "in EH/s: 1 ZH/s is 1000")]
    """Hashrate of the network, constant within a month."""
    block_height_at_start: Annotated[int, Quantity("blocks", 0, 10_000_000)]
    """Block height at the start; decides when the subsidy halves."""
    difficulty_at_start: Annotated[float, Quantity("1", 1.0, 1e24)] | None = None
    """Difficulty in force at the start; that of ten minutes a block if absent."""
    fee_share_frac: Annotated[
        ValuePath, PathOf("fraction", 0.0, 0.95, "share of fees in the total reward, as a fraction")
    ] = ValuePath(value=0.007)
    """Share of transaction fees in the total block reward."""
    own_exit: OwnExit | None = None
    """Somebody leaves; without it the network goes its way."""

    @model_validator(mode="after")
    def _exit_from_the_network(self) -> NetworkCurveSpec:
        if self.own_exit is None:
            return self
        found: list[Finding] = []
        month, leaving, least = self.own_exit.from_month, self.own_exit.exit_eh_s, min(self.network_by_month)
        if month not in self.months:
            told = f"{month:%Y-%m} is not in {self.months[0]:%Y-%m}..{self.months[-1]:%Y-%m}"
            found.append((("own_exit", "from_month"), told, "leave in a month of the question", month))
        if leaving >= least:
            told = f"{leaving:g} EH/s cannot leave a network of {least:g} EH/s"
            found.append((("own_exit", "exit_eh_s"), told, "state EH/s, and less than the whole network", leaving))
        raise_problems("NetworkCurveSpec", found)
        return self

    @property
    def months(self) -> tuple[dt.date, ...]:
        """First days of the months."""
        return tuple(add_months(self.start_month, index) for index in range(self.month_count))

    @property
    def network_by_month(self) -> tuple[float, ...]:
        """Hashrate of the network in each month, EH/s."""
        return tuple(self.network_eh_s.at(self.start_month, month) for month in self.months)


class NetworkMonth(Value):
    """The network in one month."""

    network_eh_s: Real
    """Hashrate."""
    difficulty: Real
    """Difficulty that hashes earn by: the harmonic mean over the month's time."""
    blocks: Real
    """Blocks found."""
    block_height: Real
    """Height at the end of the month."""
    subsidy_btc: Real
    """Subsidy of a block, mean over the month's blocks."""
    hashprice_btc_per_ph_day: Real
    """Revenue of hashrate, BTC per PH/s and day, before a pool's fee."""


class NetworkRow(Value):
    """One month of the network, and what an exit makes of it."""

    month: Month
    """Month."""
    before: NetworkMonth
    """As if nobody left."""
    after: NetworkMonth | None = None
    """With the exit; absent without one."""
    hashprice_change_frac: Real | None = None
    """Change of hashprice that the exit makes; absent without one."""


class NetworkCurve(Value):
    """The network month by month."""

    months: tuple[NetworkRow, ...]
    """Months in order."""
