"""Named hourly price series: where they come from, and their hours once loaded."""

from __future__ import annotations

import calendar
import datetime as dt
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Name, Number, Quantities, Quantity, Value, problem
from optimizer.units import HOURS_PER_DAY, MONTHS_PER_YEAR


class MissingHours(StrEnum):
    """What to do about hours without a price."""

    ERROR = "error"
    INTERPOLATE = "interpolate"
    TYPICAL_HOUR = "typical-hour"


class MarketOperator(StrEnum):
    """Who hands out files of hourly prices."""

    ERCOT = "ercot"
    PJM = "pjm"
    CAISO = "caiso"
    ENTSO_E = "entso-e"


class SeriesFile(Value):
    """A CSV or Parquet file with one row an hour, beside the portfolio file."""

    path: Name
    """Path of the file, relative to the portfolio file."""
    value_column: Name = "price_usd_per_mwh"
    """Column of prices in USD/MWh."""
    time_column: Name | None = None
    """Column of hour starts in local standard time, as ``2025-01-01T00:00``; ``time`` if neither this nor a
    date column is given."""
    date_column: Name | None = None
    """Column of dates, together with ``hour_ending_column``."""
    hour_ending_column: Name | None = None
    """Column of hours 1 to 24 that end the hour."""
    missing_hours: MissingHours = MissingHours.ERROR
    """``error``; ``interpolate`` between neighbours; or ``typical-hour``: the mean of that hour of day in that
    month."""

    @model_validator(mode="after")
    def _columns(self) -> SeriesFile:
        if (self.date_column is None) != (self.hour_ending_column is None) or (
            self.date_column is not None and self.time_column is not None
        ):
            raise problem(
                "columns",
                "give time_column, or date_column together with hour_ending_column",
                "name the columns that say which hour a row is",
            )
        return self


class HourlyPrices(Value):
    """Consecutive hourly prices."""

    first_hour: dt.datetime
    """Start of the first hour, local standard time."""
    usd_per_mwh: Annotated[tuple[Number, ...], Quantities(Quantity("USD/MWh", -1e5, 1e5))] = Field(min_length=1)
    """One price an hour, without gaps."""
    filled_hour_count: int = Field(default=0, ge=0)
    """How many of them were missing at the source and filled in."""

    @model_validator(mode="after")
    def _every_month(self) -> HourlyPrices:
        whole_hour = self.first_hour.replace(minute=0, second=0, microsecond=0)
        if self.first_hour.tzinfo is not None or self.first_hour != whole_hour:
            raise problem("first_hour", f"{self.first_hour} is not a local hour start", "write it as 2025-01-01T00:00")
        missing = sorted(set(range(1, MONTHS_PER_YEAR + 1)) - set(self.month_of_year))
        if missing:
            names = ", ".join(calendar.month_abbr[month] for month in missing)
            raise problem("hours", f"no hours in {names}", "give at least one whole year")
        return self

    @cached_property
    def month_of_year(self) -> tuple[int, ...]:
        """Calendar month, 1 to 12, of each hour."""
        day, hours_a_day = self.first_hour.date(), int(HOURS_PER_DAY)
        before, count = self.first_hour.hour, len(self.usd_per_mwh)
        days = -(-(before + count) // hours_a_day)
        months = [(day + dt.timedelta(days=passed)).month for passed in range(days)]
        return tuple(month for month in months for _ in range(hours_a_day))[before : before + count]


class HourlySeries(Value):
    """A named series of hourly power prices in USD/MWh."""

    name: Name
    """Unique name, by which sites refer to it."""
    file: SeriesFile | None = None
    """A file beside the portfolio; give this, ``library`` or ``hours``."""
    library: Name | None = None
    """Name of a synthetic series of the reference library."""
    hours: HourlyPrices | None = None
    """The hours themselves; filled from ``file`` or ``library`` when the portfolio is loaded."""

    @model_validator(mode="after")
    def _one_source(self) -> HourlySeries:
        if (self.file is not None) + (self.library is not None) > 1 or not (self.file or self.library or self.hours):
            raise problem(
                "series_source",
                f"series {self.name} needs exactly one of file, library and hours",
                "say where its hours come from",
            )
        return self
