"""Questions and answers about the margin of one machine and the power caps of one cluster.

The arithmetic is in :mod:`optimizer.app.curves`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Frac, Number, Pue, Quantities, Quantity, Real, UsdPerMwh, Value, problem
from optimizer.domain.fleet import OperatingMode
from optimizer.domain.gpu import CapCurve
from optimizer.domain.series import HourlyPrices

MAXIMUM_POINT_COUNT = 10_000
"""Most points in one question."""
HASHPRICE = Quantity(
    "USD/PH/day",
    0.0,
    5e3,
    "give a value between 0 and 5,000 USD per PH/s and day: per TH/s it is 1,000 times less, per EH/s more",
)
GpuPowerKw = Annotated[float, Quantity("kW", 0.05, 20.0, "critical IT power per GPU, in kW")]


class HashingCurveSpec(Value):
    """What one machine earns at a site over a range of hashprices, when it may stop in any hour."""

    modes: tuple[OperatingMode, ...] = Field(min_length=1)
    """Operating modes of the machine; dominated ones never run."""
    hashprice_usd_per_ph_day: Annotated[tuple[Number, ...], Quantities(HASHPRICE)] = Field(
        min_length=1, max_length=MAXIMUM_POINT_COUNT
    )
    """Hashprices at which the curve is wanted, in USD per PH/s and day."""
    hours: HourlyPrices | None = None
    """Hourly energy prices; give this or ``flat_usd_per_mwh``."""
    flat_usd_per_mwh: UsdPerMwh | None = None
    """Energy price in USD/MWh, the same in every hour."""
    adder_usd_per_mwh: UsdPerMwh = 0.0
    """Delivery, losses, taxes and other charges on top of every MWh, in USD/MWh."""
    pue: Pue = 1.05
    """Grid draw over machine power."""
    uptime_frac: Frac = 0.97
    """Share of hours in which a machine that wants to run does."""
    pool_fee_frac: Annotated[float, Quantity("fraction", 0.0, 0.2)] = 0.01
    """What the pool keeps."""
    btc_usd: Annotated[float, Quantity("USD/BTC", 1.0, 1e8)] | None = None
    """Price of one bitcoin in USD; with it the answer says what is earned in bitcoin."""

    @model_validator(mode="after")
    def _one_price(self) -> HashingCurveSpec:
        if (self.hours is None) == (self.flat_usd_per_mwh is None):
            raise problem("power_price", "give exactly one of hours and flat_usd_per_mwh", "state one energy price")
        return self


class HashingCurvePoint(Value):
    """One machine in the mean month of a year of 365 days, at one hashprice."""

    hashprice_usd_per_ph_day: Real
    """Hashprice in USD per PH/s and day."""
    margin_usd_per_machine_month: Real
    """Revenue less energy."""
    revenue_usd_per_machine_month: Real
    """Revenue after the pool's fee."""
    power_cost_usd_per_machine_month: Real
    """Energy with adders."""
    energy_mwh_per_machine_month: Real
    """Energy at the meter."""
    running_hours_frac: Real
    """Share of the hours in which it pays to run, before uptime."""
    margin_usd_per_mw_month: Real
    """The margin per MW at the meter of the strongest mode worth running."""
    hash_ph_days_per_machine_month: Real
    """Work done: PH/s times days of running."""
    realised_power_usd_per_mwh: Real | None = None
    """What a MWh costs on average in the hours that run, with adders; absent where none does."""
    btc_per_machine_month: Real | None = None
    """Revenue after the pool's fee in bitcoin; absent without ``btc_usd`` in the question."""


class HashingCurve(Value):
    """The margin of mining over the hashprice: convex and piecewise linear."""

    points: tuple[HashingCurvePoint, ...]
    """Points in the order of the question."""
    mean_power_usd_per_mwh: Real
    """Mean price of a MWh over all hours of the year, with adders."""
    breakeven_hashprice_usd_per_ph_day: Real
    """Hashprice at which the most efficient mode earns nothing at the mean price of power, if it never stops."""


class BreakevenSpec(Value):
    """At which power price the modes of a machine stop paying."""

    modes: tuple[OperatingMode, ...] = Field(min_length=1)
    """Operating modes of the machine."""
    hashprice_usd_per_ph_day: Annotated[tuple[Number, ...], Quantities(HASHPRICE)] = Field(
        min_length=1, max_length=MAXIMUM_POINT_COUNT
    )
    """Hashprices, in USD per PH/s and day."""
    pue: Pue = 1.0
    """Grid draw over machine power."""
    pool_fee_frac: Annotated[float, Quantity("fraction", 0.0, 0.2)] = 0.0
    """What the pool keeps."""


class ModeBreakeven(Value):
    """Power prices in USD/MWh, with adders, at which one mode stops paying, at one hashprice."""

    hashprice_usd_per_ph_day: Real
    """Hashprice."""
    mode_index: int
    """Index of the mode in the question."""
    breakeven_usd_per_mwh: Real
    """Above it the mode loses money: its whole hashrate against its whole power."""
    step_usd_per_mwh: Real | None = None
    """Above it the next lower mode worth running earns more, or standing still below the lowest one: the extra
    hashrate of the mode against its extra power. Absent for a mode that is never worth running."""


class ModeBreakevens(Value):
    """Break-evens of all modes at all hashprices."""

    points: tuple[ModeBreakeven, ...]
    """Hashprices in the order of the question, modes in order within them."""


class Checkpointing(Value):
    """How a training job on the cluster fails and comes back."""

    checkpoint_save_s: Annotated[float, Quantity("s", 0.0, 1e6)]
    """Seconds that saving a checkpoint takes."""
    restart_s: Annotated[float, Quantity("s", 0.0, 1e6)]
    """Seconds from a failure to training again."""
    failures_per_1000_gpu_days: Annotated[float, Quantity("failures", 0.0, 1e6)] | None = None
    """Failures per 1000 GPU-days; each stops the whole job. Give this or ``mtbf_hours``."""
    mtbf_hours: Annotated[float, Quantity("h", 0.001, 1e9)] | None = None
    """Mean time between failures of the whole cluster, in hours."""

    @model_validator(mode="after")
    def _one_hazard(self) -> Checkpointing:
        if (self.failures_per_1000_gpu_days is None) == (self.mtbf_hours is None):
            raise problem(
                "failures", "give exactly one of failures_per_1000_gpu_days and mtbf_hours", "say how often it fails"
            )
        return self


class ThroughputCurveSpec(Value):
    """What a cluster of GPUs gets done over a range of power caps."""

    gpu_count: Annotated[int, Quantity("GPUs", 1, 100_000_000)]
    """GPUs of the cluster."""
    power_kw_per_gpu: GpuPowerKw
    """Critical IT power per GPU including its share of the server and network."""
    cap_curve: CapCurve = CapCurve.UNCAPPED
    """How throughput answers to a power cap."""
    pue: Pue = 1.25
    """Grid draw over critical IT power."""
    checkpointing: Checkpointing | None = None
    """Failures and checkpoints; without it nothing is lost to them."""


class ThroughputCurvePoint(Value):
    """The cluster under one power cap."""

    cap_frac: Real
    """Power cap over rated power."""
    throughput_frac: Real
    """Throughput relative to no cap."""
    power_frac: Real
    """Mean power relative to no cap."""
    critical_mw: Real
    """Critical IT power in MW."""
    grid_mw: Real
    """Power at the meter in MW."""
    effective_gpu_count: Real
    """GPUs without caps and failures that would get the same done."""


class ThroughputCurve(Value):
    """Throughput over power: concave."""

    points: tuple[ThroughputCurvePoint, ...]
    """Points in ascending order of power."""
    goodput_frac: Real
    """Share of the time that is not lost to failures, restarts and checkpoints."""
    checkpoint_interval_s: Real | None = None
    """Best seconds from one checkpoint to the next; absent without ``checkpointing``."""
