"""The planning horizon: months, grouped into periods that may grow coarser with distance."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from optimizer.domain.base import Month, Quantity, Value, add_months, months_between, problem


class Segment(Value):
    """Some periods of equal length."""

    months_per_period: Literal[1, 2, 3, 6, 12]
    """Length of each period in months."""
    period_count: Annotated[int, Quantity("periods", 1, 600)]
    """How many of them."""


class Period(Value):
    """A span of whole months over which operating decisions are constant."""

    index: int
    """Position in the horizon, from 0."""
    first: int
    """Index of its first month, from 0."""
    length: int
    """Number of months."""

    @property
    def months(self) -> range:
        """Its month indices."""
        return range(self.first, self.first + self.length)

    @property
    def last(self) -> int:
        """Index of its last month."""
        return self.first + self.length - 1


class Horizon(Value):
    """When the plan starts, how its time is cut, and how often a contract may be signed."""

    start_month: Month
    """First month of the plan."""
    segments: tuple[Segment, ...] = Field(min_length=1)
    """Monthly periods first, then quarters or years; lengths may not shrink."""
    sign_every_months: Annotated[int, Quantity("months", 1, 12)] = 1
    """Signing, GPU orders, openings and machine trades are possible every so many months."""

    @model_validator(mode="after")
    def _coarsening(self) -> Horizon:
        lengths = [segment.months_per_period for segment in self.segments]
        if lengths != sorted(lengths):
            raise problem("segments", f"periods of {lengths} months get shorter again", "put short periods first")
        if not 1 <= self.month_count <= 360:
            raise problem("segments", f"{self.month_count} months", "plan between 1 and 360 months")
        return self

    @property
    def month_count(self) -> int:
        """Number of months, T."""
        return sum(segment.months_per_period * segment.period_count for segment in self.segments)

    @cached_property
    def months(self) -> tuple[dt.date, ...]:
        """First days of the T months."""
        return tuple(add_months(self.start_month, index) for index in range(self.month_count))

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """The periods in order."""
        periods: list[Period] = []
        first = 0
        for segment in self.segments:
            for _ in range(segment.period_count):
                periods.append(Period(index=len(periods), first=first, length=segment.months_per_period))
                first += segment.months_per_period
        return tuple(periods)

    @cached_property
    def period_of_month(self) -> tuple[int, ...]:
        """Index of the period of each month."""
        return tuple(period.index for period in self.periods for _ in period.months)

    @property
    def end_month(self) -> dt.date:
        """First month after the horizon."""
        return add_months(self.start_month, self.month_count)

    def index_of(self, month: dt.date) -> int:
        """Months from the start; negative before it, T or more after the end."""
        return months_between(self.start_month, month)

    def month_at(self, index: int) -> dt.date:
        """The month at an index; the inverse of :meth:`index_of`, also outside the horizon."""
        return add_months(self.start_month, index)
