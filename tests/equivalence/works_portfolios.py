"""Random tiny portfolios whose sites can be changed; all their decisions are whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from random_portfolios import MONTHS, month
from support import offer, opening, place, portfolio, site

from optimizer.domain import Portfolio


def works_portfolio(seed: int) -> Portfolio:
    """Two sites on ramps that can be hurried, and two or three offers that need more power than there is at the start.

    Where a contract ends in the horizon its MW may be let again. MW are whole, so that what is let again mostly is, too.
    """
    random = np.random.default_rng(seed)
    offers = [_offer(random, f"O{i + 1}") for i in range(int(random.integers(2, 4)))]
    sites = [_site(random, "A"), _site(random, "B", closed=bool(random.random() < 0.4))]
    _add_building(np.random.default_rng([seed, 1]), sites[0], offers)
    return portfolio(
        MONTHS,
        sign_every_months=int(random.choice([1, 1, 2])),
        discount_per_year_frac=0.1,
        finance={
            "opening_cash_usd": float(random.choice([1.5e6, 3e6, 1e7])),
            "minimum_liquidity_usd": 2e5,
            "terminal": {"contract_tail_frac": 0.7},
            "capex_budgets": [
                {
                    "name": "first half",
                    "from_month": "2027-01",
                    "until_month": "2027-06",
                    "maximum_capex_usd": float(random.choice([1.5e6, 1e7])),
                }
            ],
        },
        sites=sites,
        offers=offers,
        risk={"scenario_count": 4, "seed": seed},
        market={"uncertainty": [{"factor": "re_lease_rent", "volatility_per_year_frac": 0.3}]},
    )


def _site(random: Any, name: str, *, closed: bool = False) -> dict[str, Any]:
    first, second = sorted(random.choice(np.arange(2, 9), size=2, replace=False).tolist())
    steps = [(month(first), 12.0), (month(second), float(random.choice([6.0, 24.0])))]
    grid = [{"from_month": "2026-01", "grid_mw": float(random.choice([0.0, 5.0]))}]
    for from_month, grid_mw in steps:
        step: dict[str, Any] = {"from_month": from_month, "grid_mw": grid_mw}
        if grid_mw > grid[-1]["grid_mw"] and random.random() < 0.8:  # type: ignore[operator]
            step["advance"] = _advance(random)
        grid.append(step)
    terms = site(name, grid=grid, hall_mw=4.0)
    if closed:
        terms["opening"] = opening(float(random.uniform(0, 2e5)), int(random.integers(0, 2)))
    return terms


def _add_building(random: Any, where: dict[str, Any], offers: list[dict[str, Any]]) -> None:
    """A building at the first site now and then, and contracts that need it."""
    if random.random() < 0.8:
        where["buildings"] = [
            {
                "name": "H",
                "critical_mw": float(random.choice([8.0, 12.0])),
                "capex_usd": float(random.uniform(0.0, 2e5)),
                "build_months": int(random.integers(0, 3)),
                "earliest_month": month(int(random.integers(0, 3))),
            }
        ]
        for terms in offers:
            for item in terms["sites"]:
                if item["site"] == where["name"] and random.random() < 0.7:
                    item["needs_building"] = True


def _advance(random: Any) -> dict[str, Any]:
    return {
        "maximum_months": int(random.integers(1, 4)),
        "usd_per_month": float(random.uniform(0.0, 8e4)),
        "fixed_usd": float(random.choice([0.0, 4e4])),
        "notice_months": int(random.integers(0, 3)),
    }


def _re_lease(random: Any) -> dict[str, Any]:
    return {
        "vacancy_months": int(random.integers(0, 3)),
        "refit_usd_per_critical_mw": float(random.uniform(0.0, 1e5)),
        "rent_share_frac": 0.5,
        "term_months": int(random.integers(1, 7)),
    }


def _offer(random: Any, name: str) -> dict[str, Any]:
    where = random.choice(["A", "B"], size=int(random.integers(1, 3)), replace=False)
    first = int(random.integers(0, 2))
    return offer(
        name,
        critical_mw=float(random.choice([4.0, 8.0, 11.0])),
        price_usd_per_kw_month=float(random.uniform(70, 140)),
        term_months=int(random.integers(2, 7)),
        sign_from_month=month(first),
        sign_until_month=month(first + 2),
        sites=[
            place(
                str(at),
                **({"halls_down_mw_per_critical_mw": 0.2} if name == "O2" else {}),
                **({"re_lease": _re_lease(random)} if random.random() < 0.5 else {}),
                capex_usd_per_critical_mw=float(random.uniform(2e4, 1e5)),
                build_months=int(random.integers(0, 3)),
                halls_displaced_mw_per_critical_mw=float(random.choice([0.0, 0.4])),
            )
            for at in where
        ],
    )
