"""A small market with the interface of the real one, and portfolios to try the audit on."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optimizer.domain import Portfolio, add_months, months_between, validated

NEVER = 2**30


@dataclass
class Market:
    """Market paths with numbers that a test can state; flat and certain unless it does."""

    start: dt.date
    month_count: int
    extended_month_count: int
    scenario_count: int = 1
    hashprice: float = 50.0
    bitcoin: float = 100_000.0
    re_lease_rent: float = 0.0
    defaults: dict[str, list[int]] = field(default_factory=dict)
    prices: dict[str, tuple[list[float], list[int]]] = field(default_factory=dict)
    level: list[float] | None = None
    """By scenario."""
    adder: float = 0.0
    gpu_multiplier: list[float] | None = None
    """By scenario."""
    hashprice_by_scenario: list[float] | None = None
    shut_months: dict[str, list[list[int]]] = field(default_factory=dict)
    """By site, for each scenario."""
    rent_multiplier: list[float] | None = None
    """Of the re-lease rent, by scenario."""

    @property
    def calendar_month(self) -> np.ndarray:
        return np.array([add_months(self.start, t).month for t in range(self.extended_month_count)])

    @property
    def hours_in_month(self) -> np.ndarray:
        months = [add_months(self.start, t) for t in range(self.extended_month_count)]
        return np.array([calendar.monthrange(month.year, month.month)[1] * 24.0 for month in months])

    def _paths(self, by_scenario: list[float], month_count: int) -> np.ndarray:
        return np.tile(np.array(by_scenario, dtype=float), (month_count, 1))

    @property
    def hashprice_usd_per_ph_day(self) -> np.ndarray:
        values = self.hashprice_by_scenario or [self.hashprice] * self.scenario_count
        return self._paths(values, self.month_count)

    @property
    def own_hashprice_multiplier(self) -> np.ndarray:
        return np.ones(self.month_count)

    @property
    def btc_usd(self) -> np.ndarray:
        return np.full((self.month_count, self.scenario_count), self.bitcoin)

    def shards(self):
        yield self

    @property
    def gpu_rental_multiplier(self) -> np.ndarray:
        return self._paths(self.gpu_multiplier or [1.0] * self.scenario_count, self.extended_month_count)

    @property
    def re_lease_rent_multiplier(self) -> np.ndarray:
        return self._paths(self.rent_multiplier or [1.0] * self.scenario_count, self.extended_month_count)

    @property
    def re_lease_rent_usd_per_kw_month(self) -> np.ndarray:
        return self.re_lease_rent * self.re_lease_rent_multiplier

    def default_month(self, tenant: str) -> np.ndarray:
        return np.array(self.defaults.get(tenant, [NEVER] * self.scenario_count), dtype=np.int32)

    def open_frac(self, site_name: str) -> np.ndarray | None:
        shut = self.shut_months.get(site_name)
        if shut is None:
            return None
        months = np.arange(self.extended_month_count)[:, None]
        return 1.0 - np.hstack([np.isin(months, by_scenario) for by_scenario in shut])

    def hourly_prices(self, site_name: str) -> tuple[np.ndarray, np.ndarray]:
        prices, months = self.prices.get(site_name, ([40.0] * 12, list(range(1, 13))))
        return np.array(prices), np.array(months)

    def power_level(self, site_name: str) -> np.ndarray:
        return self._paths(self.level or [1.0] * self.scenario_count, self.extended_month_count)

    def power_adder_usd_per_mwh(self, site_name: str) -> np.ndarray:
        return np.full(self.extended_month_count, self.adder)


def month(text: str) -> dt.date:
    """2027-03 as a date."""
    return dt.date.fromisoformat(f"{text}-01")


def market_of(portfolio: Portfolio, extra_months: int = 60, **numbers: Any) -> Market:
    """Market paths for a portfolio, long enough for its contracts."""
    horizon = portfolio.horizon
    return Market(horizon.start_month, horizon.month_count, horizon.month_count + extra_months, **numbers)


def site(name: str = "A", **changes: Any) -> dict[str, Any]:
    """An open site of 100 MW with a flat price."""
    return {
        "name": name,
        "country": "US",
        "region": "US-TX",
        "grid": [{"from_month": "2026-01", "grid_mw": 100.0}],
        "hall_mw": 50.0,
        "power": {"flat_usd_per_mwh": 40.0},
        "mining_pue": 1.05,
        "mining_uptime_frac": 1.0,
        **changes,
    }


def offer(name: str = "O", **changes: Any) -> dict[str, Any]:
    """10 critical MW at 100 USD/kW-month for two years, without landlord's cost."""
    return {
        "name": name,
        "tenant": "T1",
        "critical_mw": 10.0,
        "price_usd_per_kw_month": 100.0,
        "term_months": 24,
        "sign_from_month": "2027-01",
        "sign_until_month": "2027-12",
        "noi_margin_frac": 1.0,
        "sites": [place()],
        **changes,
    }


def place(name: str = "A", **changes: Any) -> dict[str, Any]:
    """A million a critical MW, three months of building, half as much grid again."""
    return {
        "site": name,
        "capex_usd_per_critical_mw": 1e6,
        "build_months": 3,
        "grid_mw_per_critical_mw": 1.5,
        **changes,
    }


def asic(name: str = "M", **changes: Any) -> dict[str, Any]:
    """Two modes worth running and, between them, one that is not."""
    return {
        "name": name,
        "modes": [
            {"hashrate_th_s": 100.0, "power_w": 3000.0},
            {"hashrate_th_s": 110.0, "power_w": 3900.0},
            {"hashrate_th_s": 160.0, "power_w": 5000.0},
        ],
        "price_usd_per_th": 10.0,
        "resale_frac": 0.5,
        **changes,
    }


def portfolio(
    months: int = 12, finance: dict[str, Any] | None = None, discount_per_year_frac: float = 0.0, **parts: Any
) -> Portfolio:
    """A portfolio of monthly periods from 2027-01 and, by default, without discounting."""
    lines = ("mining", "hosting", "gpu", "corporate")
    data: dict[str, Any] = {
        "name": "case",
        "horizon": {"start_month": "2027-01", "segments": [{"months_per_period": 1, "period_count": months}]},
        "sites": [site()],
        "market": {
            "btc_usd": 1e5,
            "network_eh_s": 1000.0,
            "block_height_at_start": 930_000,
            "pool_fee_frac": 0.0,
        },
        **parts,
    }
    data["finance"] = {
        "opening_cash_usd": 1e8,
        "discount": {f"{line}_per_year_frac": discount_per_year_frac for line in lines},
        **(finance or {}),
    }
    return validated(Portfolio, data, "portfolio")


def months_from_start(portfolio: Portfolio, text: str) -> int:
    """Index of a month."""
    return months_between(portfolio.horizon.start_month, month(text))
