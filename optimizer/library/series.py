"""Synthetic hourly power prices of one year, calibrated to stated statistics (long: the table of profiles is in it).

The public settlement prices behind the statistics are not redistributed; a synthetic year stands in for them in
examples and tests. It is made in two steps:

1. A *scarcity index* orders the hours: the shape of the day (morning and evening peaks, a solar valley that is deeper
   in summer), season, weekends, slow mean-reverting wind, fast mean-reverting noise, and rare scarcity events of one
   to five hours with a heavy tail.
2. A *price duration curve* gives the k-th cheapest hour its price: negative hours, zero hours, a body through the
   profile's quantiles, and a tail that is a straight line in log price over log exceedance from the 99th percentile
   to the maximum. The body is bent by one exponent, and then by single cents, until the mean is exact.

So the mean (to a cent), the count of negative and of zero hours, the minimum, the 99th percentile and the maximum of
a series are those of its profile, whatever the seed; the seed moves only the order of the hours.

Random bits come from Philox and are turned into numbers with additions, multiplications and square roots alone, whose
results do not depend on the platform. Logarithms enter only before a rounding to cents.

``python -m optimizer.library.series --out DIR`` writes the committed files again.
"""

from __future__ import annotations

import argparse
import datetime
import math
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InvalidInputError, NotFoundError, SeriesError
from optimizer.library.hours import COLUMNS, HOURS, YEAR, hour_starts, hourly_prices

LIBRARY_SEED: Final = 20_250_101
"""Seed of the committed files."""
CENTS_PER_USD: Final = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HourShape:
    """Weights of the parts of the scarcity index, all in units of one standard deviation of the fast noise."""

    morning: float = 0.8
    evening: float = 1.5
    solar: float = 0.0
    summer: float = 0.0
    winter: float = 0.0
    weekend: float = 0.3
    wind: float = 0.0
    noise: float = 1.0
    events_per_year: float = 40.0


@dataclass(frozen=True, slots=True)
class PriceProfile:
    """What the synthetic year of a market must look like; the figures are targets except ``body`` and ``p999``."""

    name: str
    display_name: str
    mean_usd_per_mwh: float
    negative_hour_frac: float
    zero_hour_frac: float
    min_usd_per_mwh: float
    p99_usd_per_mwh: float
    max_usd_per_mwh: float
    p999_usd_per_mwh: float
    """Near-target: a knot of the tail."""
    body: tuple[tuple[float, float], ...]
    """Knots (share of hours below, price) between the cheap end and the 99th percentile, bent to meet the mean."""
    shape: HourShape
    confidence: str
    """As in the tables: ``sourced``, ``derived``, ``partly-sourced`` or ``unsourced-estimate``."""
    unsourced_fields: tuple[str, ...]
    source: str
    note: str

    @property
    def negative_hours(self) -> int:
        """Hours with a price below zero."""
        return round(self.negative_hour_frac * HOURS)

    @property
    def zero_hours(self) -> int:
        """Hours with a price of exactly zero."""
        return round(self.zero_hour_frac * HOURS)


_ERCOT: Final = "computed from public ERCOT real-time settlement prices, 2024-01-01 to 2025-12-31"

_PROFILES: Final = (
    PriceProfile(
        name="ercot-west",
        display_name="ERCOT West hub, real time",
        mean_usd_per_mwh=30.25,
        negative_hour_frac=0.0834,
        zero_hour_frac=0.0,
        min_usd_per_mwh=-31.74,
        p99_usd_per_mwh=152.54,
        max_usd_per_mwh=3056.64,
        p999_usd_per_mwh=690.9,
        body=((0.1, 0.6), (0.25, 13.2), (0.5, 23.1), (0.75, 36.4), (0.9, 55.8), (0.95, 77.6)),
        shape=HourShape(morning=0.7, evening=2.2, solar=1.1, summer=0.7, winter=0.4, wind=1.3),
        confidence="derived",
        unsourced_fields=(),
        source=_ERCOT,
        note="extremes are those of two years",
    ),
    PriceProfile(
        name="ercot-north",
        display_name="ERCOT North hub, real time",
        mean_usd_per_mwh=29.13,
        negative_hour_frac=0.0224,
        zero_hour_frac=0.0,
        min_usd_per_mwh=-32.42,
        p99_usd_per_mwh=143.12,
        max_usd_per_mwh=3052.65,
        p999_usd_per_mwh=690.4,
        body=((0.1, 8.7), (0.25, 16.0), (0.5, 21.9), (0.75, 30.6), (0.9, 48.6), (0.95, 69.2)),
        shape=HourShape(morning=0.6, evening=2.0, solar=0.6, summer=0.7, winter=0.4, wind=0.8),
        confidence="derived",
        unsourced_fields=(),
        source=_ERCOT,
        note="extremes are those of two years",
    ),
    PriceProfile(
        name="nyiso-west",
        display_name="NYISO West zone",
        mean_usd_per_mwh=40.0,
        negative_hour_frac=0.02,
        zero_hour_frac=0.0,
        min_usd_per_mwh=-80.0,
        p99_usd_per_mwh=150.0,
        max_usd_per_mwh=900.0,
        p999_usd_per_mwh=350.0,
        body=((0.1, 15.0), (0.25, 23.0), (0.5, 32.0), (0.75, 46.0), (0.9, 68.0), (0.95, 88.0)),
        shape=HourShape(morning=1.0, evening=1.4, solar=0.3, summer=0.5, winter=1.2, wind=0.5),
        confidence="unsourced-estimate",
        unsourced_fields=(
            "mean_usd_per_mwh",
            "negative_hour_frac",
            "min_usd_per_mwh",
            "p99_usd_per_mwh",
            "max_usd_per_mwh",
            "p999_usd_per_mwh",
            "body",
        ),
        source="none; statewide means 41.81 (2024) and 74.40 (2025) from the NYISO release of 2026-01-29",
        note="set below the statewide mean because the western zones are cheaper",
    ),
    PriceProfile(
        name="alberta",
        display_name="Alberta pool price",
        mean_usd_per_mwh=45.82,
        negative_hour_frac=0.0,
        zero_hour_frac=376 / 8784,
        min_usd_per_mwh=0.0,
        p99_usd_per_mwh=480.0,
        max_usd_per_mwh=729.92,
        p999_usd_per_mwh=690.0,
        body=((0.1, 8.0), (0.25, 18.0), (0.5, 26.0), (0.75, 34.0), (0.9, 62.0), (0.95, 115.0)),
        shape=HourShape(morning=0.8, evening=1.5, solar=0.8, summer=0.3, winter=0.8, wind=1.4, events_per_year=70.0),
        confidence="partly-sourced",
        unsourced_fields=("p99_usd_per_mwh", "p999_usd_per_mwh", "body"),
        source=(
            "mean 62.78 CAD: AESO 2024 Annual Market Statistics via content.goldenwestapps.com; "
            "376 zero hours of 2024, floor 0 and cap 1000 CAD: arder.ca"
        ),
        note="1.37 CAD/USD assumed; the maximum is the 999.99 CAD offer cap",
    ),
    PriceProfile(
        name="sweden-se2",
        display_name="Sweden SE2 (Sundsvall), day ahead",
        mean_usd_per_mwh=27.45,
        negative_hour_frac=0.0535,
        zero_hour_frac=0.0,
        min_usd_per_mwh=-59.72,
        p99_usd_per_mwh=130.0,
        max_usd_per_mwh=350.0,
        p999_usd_per_mwh=220.0,
        body=((0.1, 1.5), (0.25, 5.0), (0.5, 17.0), (0.75, 38.0), (0.9, 62.0), (0.95, 82.0)),
        shape=HourShape(morning=1.1, evening=1.0, solar=0.5, winter=2.0, wind=1.5, events_per_year=25.0),
        confidence="partly-sourced",
        unsourced_fields=("p99_usd_per_mwh", "max_usd_per_mwh", "p999_usd_per_mwh", "body"),
        source=(
            "mean of 42 and 14 ore/kWh, first halves of 2024 (energiforetagen.se) and 2025 (tn.se); "
            "933 negative hours in 17451 and lowest -55.3 EUR: electricitymaps.com review 2025"
        ),
        note="10.2 SEK/USD and 1.08 USD/EUR assumed; negative hours and minimum are those of Sweden as a whole",
    ),
    PriceProfile(
        name="paraguay-flat",
        display_name="Paraguay, flat hydro tariff",
        mean_usd_per_mwh=47.0,
        negative_hour_frac=0.0,
        zero_hour_frac=0.0,
        min_usd_per_mwh=47.0,
        p99_usd_per_mwh=47.0,
        max_usd_per_mwh=47.0,
        p999_usd_per_mwh=47.0,
        body=(),
        shape=HourShape(),
        confidence="sourced",
        unsourced_fields=(),
        source="tariff table, paraguay-itaipu-2023: bitcoinnewsdepot; Binance Square",
        note="one price in every hour",
    ),
)


def price_profiles() -> tuple[PriceProfile, ...]:
    """All profiles."""
    return _PROFILES


def price_profile(name: str) -> PriceProfile:
    """One profile."""
    for candidate in _PROFILES:
        if candidate.name == name:
            return candidate
    raise NotFoundError("price profile", name, [candidate.name for candidate in _PROFILES])


def synthetic_hourly_prices(profile: str, seed: int = LIBRARY_SEED) -> Floats:
    """Prices of the 8,760 hours of a year in local standard time, USD/MWh, in whole cents.

    The same profile and seed give the same prices. Seeds are whole numbers below 2**64.
    """
    target = price_profile(profile)
    if not 0 <= seed < 2**64:
        raise InvalidInputError.single("seed", f"{seed} is outside 0 .. 2**64 - 1")
    cents = _duration_curve(target)
    prices = np.empty(HOURS)
    order = np.argsort(_scarcity_index(target, seed), kind="stable")
    prices[order] = cents.astype(np.float64) / CENTS_PER_USD
    return prices


# --- the order of the hours ---------------------------------------------------------------------------------------


class _Stream:
    """Uniform and bell-shaped numbers from raw Philox bits, the same on every platform."""

    def __init__(self, name: str, seed: int) -> None:
        self._bits = np.random.Philox(key=np.array([seed, zlib.crc32(name.encode())], dtype=np.uint64))

    def uniform(self, count: int) -> Floats:
        """Multiples of 2**-53 in [0, 1)."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def bell(self, count: int) -> Floats:
        """Sum twelve uniforms less six: mean 0, variance 1."""
        total = np.full(count, -6.0)
        for _ in range(12):
            total += self.uniform(count)
        return total


def _bump(hour: int, centre: float, half_width: float) -> float:
    """Biweight bump around an hour of the day, 1 at its centre, on a clock of 24 hours."""
    distance = abs(hour - centre)
    distance = min(distance, 24.0 - distance) / half_width
    return (1.0 - distance * distance) ** 2 if distance < 1.0 else 0.0


def _reverting(steps: Floats, keep: float) -> Floats:
    """Mean-reverting walk of unit variance that keeps the share ``keep`` of itself from one hour to the next."""
    push = math.sqrt(1.0 - keep * keep)
    level = 0.0
    path = np.empty(len(steps))
    for hour, step in enumerate(steps.tolist()):
        level = keep * level + push * step
        path[hour] = level
    return path


def _events(stream: _Stream, per_year: float) -> Floats:
    """Heavy-tailed additions of one to five hours, mostly in the evening."""
    start, size, length = stream.uniform(HOURS), stream.uniform(HOURS), stream.uniform(HOURS)
    chance = [per_year / HOURS * (0.4 + 2.4 * _bump(hour, 19.0, 6.0)) for hour in range(24)]
    added = np.zeros(HOURS)
    for hour in range(HOURS):
        if start[hour] < chance[hour % 24]:
            end = hour + 1 + int(5.0 * length[hour])
            added[hour:end] += 2.0 / math.sqrt(1.0 - size[hour])
    return added


def _scarcity_index(target: PriceProfile, seed: int) -> Floats:
    """Order the hours from the cheapest to the dearest by one number each."""
    shape = target.shape
    stream = _Stream(target.name, seed)
    wind = _reverting(stream.bell(HOURS), 0.97)
    noise = _reverting(stream.bell(HOURS), 0.8)
    index = shape.noise * noise - shape.wind * wind + _events(stream, shape.events_per_year)
    first_weekday = datetime.date(YEAR, 1, 1).weekday()
    for day in range(HOURS // 24):
        warmth = -math.cos(2.0 * math.pi * (day - 15) / 365.0)  # -1 in mid-January, 1 in mid-July
        season = shape.summer * max(warmth, 0.0) + shape.winter * max(-warmth, 0.0)
        if (first_weekday + day) % 7 >= 5:
            season -= shape.weekend
        for hour in range(24):
            index[24 * day + hour] += (
                season
                + shape.morning * _bump(hour, 7.0, 4.0)
                + shape.evening * _bump(hour, 19.0, 5.0)
                - shape.solar * (1.0 + 0.4 * warmth) * _bump(hour, 12.5, 7.5)
            )
    return index


# --- the price of the k-th cheapest hour --------------------------------------------------------------------------


def _cents(price_usd: float) -> int:
    return round(price_usd * CENTS_PER_USD)


def _duration_curve(target: PriceProfile) -> NDArray[np.int64]:
    """Prices of the year in cents, rising, that meet every target."""
    if target.min_usd_per_mwh == target.max_usd_per_mwh:
        return np.full(HOURS, _cents(target.max_usd_per_mwh), dtype=np.int64)
    negative, zero = target.negative_hours, target.zero_hours
    cheap = negative + zero
    if cheap == 0 or (negative > 0) != (target.min_usd_per_mwh < 0.0):
        raise SeriesError.single(target.name, "a minimum below zero needs negative hours, one of zero needs zero hours")
    p99_at = math.floor(0.99 * (HOURS - 1))  # a percentile interpolates between this rank and the next
    curve = np.zeros(HOURS, dtype=np.int64)
    for rank in range(negative):
        depth = (negative - rank) / negative
        curve[rank] = min(-1, _cents(target.min_usd_per_mwh * depth**4))
    for rank in range(p99_at + 2, HOURS):
        curve[rank] = _cents(_tail_price(target, (HOURS - rank) / HOURS))
    curve[[p99_at, p99_at + 1]] = _cents(target.p99_usd_per_mwh)
    body = _body_prices(target, cheap, p99_at)
    wanted = _cents(target.mean_usd_per_mwh) * HOURS - int(curve.sum())
    curve[cheap:p99_at] = _meet_sum(body, _cents(target.p99_usd_per_mwh), wanted, target.name)
    return curve


def _tail_price(target: PriceProfile, exceedance: float) -> float:
    """Price exceeded in that share of the hours: log-linear from the 99th percentile over 99.9 % to the maximum."""
    if exceedance > 0.001:
        outer, inner, high, low = 0.01, 0.001, target.p999_usd_per_mwh, target.p99_usd_per_mwh
    else:
        outer, inner, high, low = 0.001, 1.0 / HOURS, target.max_usd_per_mwh, target.p999_usd_per_mwh
    share = math.log(outer / exceedance) / math.log(outer / inner)
    return float(low * math.exp(min(max(share, 0.0), 1.0) * math.log(high / low)))


def _body_prices(target: PriceProfile, first: int, last: int) -> list[float]:
    """Prices of the ranks from ``first`` to below ``last``, in cents: straight lines through the knots."""
    knots = [(float(first), 0.0)]
    knots += [(share * HOURS, price * CENTS_PER_USD) for share, price in target.body if share * HOURS > first]
    knots.append((float(last), target.p99_usd_per_mwh * CENTS_PER_USD))
    prices: list[float] = []
    piece = 0
    for rank in range(first, last):
        while rank + 1 > knots[piece + 1][0]:
            piece += 1
        (left, low), (right, high) = knots[piece], knots[piece + 1]
        prices.append(low + (high - low) * (rank + 1 - left) / (right - left))
    return prices


def _meet_sum(body: Sequence[float], top: int, wanted: int, name: str) -> NDArray[np.int64]:
    """Bend the body by an exponent that fixes zero and ``top``, then spread the last cents over its middle."""

    def bent(exponent: float) -> list[int]:
        return [min(top, max(1, round(top * (price / top) ** exponent))) for price in body]

    low, high = 0.2, 5.0  # a larger exponent gives lower prices
    if not sum(bent(high)) <= wanted <= sum(bent(low)):
        raise SeriesError.single(name, "no body of prices meets the mean; the targets contradict each other")
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if sum(bent(middle)) > wanted else (low, middle)
    cents = np.array(bent(high), dtype=np.int64)
    missing = wanted - int(cents.sum())
    start = (len(cents) - abs(missing)) // 2
    if start < 0:
        raise SeriesError.single(name, f"{missing} cents are left over {len(cents)} hours")
    cents[start : start + abs(missing)] += 1 if missing > 0 else -1
    return cents


# --- files --------------------------------------------------------------------------------------------------------


def series_text(profile: str, seed: int = LIBRARY_SEED) -> str:
    """Text of the CSV file of a profile."""
    prices = synthetic_hourly_prices(profile, seed)
    lines = [",".join(COLUMNS)]
    lines += [f"{time},{price:.2f}" for time, price in zip(hour_starts(), prices.tolist(), strict=True)]
    return "\n".join(lines) + "\n"


@cache
def library_hourly_prices(profile: str) -> Floats:
    """Prices of the committed file of a profile, USD/MWh, read-only."""
    prices = np.array(hourly_prices(profile))
    prices.flags.writeable = False
    return prices


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one CSV file a profile into a folder."""
    parser = argparse.ArgumentParser(prog="python -m optimizer.library.series", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--seed", type=int, default=LIBRARY_SEED)
    parser.add_argument("--profile", action="append", choices=[p.name for p in _PROFILES], help="default: all")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.profile or [p.name for p in _PROFILES]:
        target = options.out / f"{name}.csv"
        target.write_bytes(series_text(name, options.seed).encode())
        sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
