"""Small portfolios whose best plan can be worked out by hand, and shortcuts to solve them.

Unless a test says otherwise nothing is discounted, nothing is uncertain, every month is a period, and the hashprice is 48 USD/PH/day:
a machine earns 2 USD per PH/s and hour before energy.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from optimizer.app import plan
from optimizer.curves.futures import Futures
from optimizer.domain import Plan, Portfolio, SolveOptions, add_months, validated
from optimizer.model.family import ConstraintFamily, assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program
from optimizer.solve import Solution, solve_program

START = "2027-01"
EXACT = SolveOptions(gap_frac=0.0, time_limit_s=60.0)
HASHPRICE_USD_PER_PH_DAY = 48.0
BTC_USD = HASHPRICE_USD_PER_PH_DAY * 1e6 / 450.0
"""144 blocks of 3.125 BTC a day over a network of a million PH/s."""
LINES = ("mining", "hosting", "gpu", "corporate")


def site(name: str = "A", grid_mw: float = 100.0, **changes: Any) -> dict[str, Any]:
    """An open site at home with halls for 50 MW and energy at 40 USD/MWh; mining without overheads."""
    return {
        "name": name,
        "country": "US",
        "region": "US-TX",
        "grid": [{"from_month": "2026-01", "grid_mw": grid_mw}],
        "hall_mw": 50.0,
        "power": {"flat_usd_per_mwh": 40.0},
        "mining_pue": 1.0,
        "mining_uptime_frac": 1.0,
        **changes,
    }


def opening(capex_usd: float = 0.0, lead_months: int = 0, earliest_month: str = START) -> dict[str, Any]:
    """Terms of opening a site."""
    return {"earliest_month": earliest_month, "capex_usd": capex_usd, "lead_months": lead_months}


def place(site_name: str = "A", **changes: Any) -> dict[str, Any]:
    """Built in a month for 0.1 million USD a critical MW, a grid MW for each critical MW."""
    return {
        "site": site_name,
        "capex_usd_per_critical_mw": 1e5,
        "build_months": 1,
        "grid_mw_per_critical_mw": 1.0,
        **changes,
    }


def offer(name: str = "O1", **changes: Any) -> dict[str, Any]:
    """10 critical MW at 100 USD/kW-month for two months, signed in the first month: a rent of 1 million USD a month."""
    return {
        "name": name,
        "tenant": f"tenant of {name}",
        "critical_mw": 10.0,
        "price_usd_per_kw_month": 100.0,
        "term_months": 2,
        "sign_from_month": START,
        "sign_until_month": START,
        "noi_margin_frac": 1.0,
        "sites": [place()],
        **changes,
    }


def scalable(name: str = "O1", least: float = 2.0, most: float = 10.0, **changes: Any) -> dict[str, Any]:
    """The same with its MW to decide."""
    terms = offer(name, minimum_critical_mw=least, maximum_critical_mw=most, **changes)
    del terms["critical_mw"]
    return terms


def asic(name: str = "M", **changes: Any) -> dict[str, Any]:
    """One mode of 200 TH/s at 5 kW: 0.40 USD an hour less 0.20 USD of energy at 40 USD/MWh.

    It is worth nothing on the market, and cannot be moved within ten years.
    """
    return {
        "name": name,
        "modes": [{"hashrate_th_s": 200.0, "power_w": 5000.0}],
        "price_usd_per_th": 0.0,
        "move_usd_per_machine": 0.0,
        "move_downtime_months": 120,
        **changes,
    }


def fleet(count: int = 1000, site_name: str = "A", model: str = "M", **changes: Any) -> dict[str, Any]:
    """Machines at a site; a thousand of them draw 5 MW."""
    return {"asic_model": model, "site": site_name, "count": count, **changes}


def gpu_option(name: str = "G", **changes: Any) -> dict[str, Any]:
    """Blocks of 1000 GPUs of 1 kW at 1 USD an hour; energy at 40 USD/MWh costs 0.04 of it. Ordered in the first month."""
    return {
        "name": name,
        "gpu_model": "GB300",
        "sites": ["A"],
        "block_gpu_count": 1000,
        "maximum_block_count": 1,
        "order_from_month": START,
        "order_until_month": START,
        "capex_usd_per_gpu": 0.0,
        "fit_out_usd_per_critical_mw": 0.0,
        "power_kw_per_gpu": 1.0,
        "pue": 1.0,
        "grid_mw_per_critical_mw": 1.0,
        "lead_months": 0,
        "life_months": 2,
        "rental_usd_per_gpu_hour": 1.0,
        "utilisation_frac": 1.0,
        **changes,
    }


def portfolio(
    months: int = 4,
    *,
    segments: Sequence[tuple[int, int]] | None = None,
    sign_every_months: int = 1,
    discount_per_year_frac: float = 0.0,
    market: dict[str, Any] | None = None,
    finance: dict[str, Any] | None = None,
    risk: dict[str, Any] | None = None,
    **parts: Any,
) -> Portfolio:
    """A portfolio of some months; ``segments`` are pairs of months a period and periods."""
    cut = segments or [(1, months)]
    data: dict[str, Any] = {
        "name": "case",
        "horizon": {
            "start_month": START,
            "segments": [{"months_per_period": length, "period_count": count} for length, count in cut],
            "sign_every_months": sign_every_months,
        },
        "sites": [site()],
        **parts,
        "market": {
            "btc_usd": BTC_USD,
            "network_eh_s": 1000.0,
            "fee_share_frac": 0.0,
            "block_height_at_start": 930_000,
            "pool_fee_frac": 0.0,
            **(market or {}),
        },
        "finance": {
            "opening_cash_usd": 1e9,
            "discount": {f"{line}_per_year_frac": discount_per_year_frac for line in LINES},
            **(finance or {}),
        },
        "risk": {"scenario_count": 1, **(risk or {})},
    }
    return validated(Portfolio, data, "portfolio")


def best(case: Portfolio, options: SolveOptions = EXACT) -> Plan:
    """The best plan, which must be proven and pass its audit."""
    answer = plan(case, options)
    assert answer.termination.reason == "optimal", answer.termination
    assert answer.audit is not None
    assert answer.audit.failures == ()
    return answer


def worth(case: Portfolio) -> float:
    """Expected NPV of the best plan, in USD."""
    value = best(case).termination.objective_usd
    assert value is not None
    return value


def reason(case: Portfolio) -> str:
    """How the search ends."""
    return str(plan(case, EXACT).termination.reason)


def problem_of(case: Portfolio) -> PlanningProblem:
    """Index sets and coefficients."""
    return PlanningProblem.of(case, Futures.of(case))


def assembled(case: Portfolio, formulation: Sequence[ConstraintFamily] = FORMULATION) -> Program:
    """The program of a portfolio."""
    return assemble(problem_of(case), formulation)


def solved(case: Portfolio, formulation: Sequence[ConstraintFamily] = FORMULATION) -> Solution:
    """What the solver says about a portfolio under a formulation."""
    return solve_program(assembled(case, formulation).compile(), EXACT)


def binding(case: Portfolio) -> set[str]:
    """Row blocks without which the best plan would be worth more, or worth anything."""
    program = assembled(case)
    value = solve_program(program.compile(), EXACT).termination.objective_usd
    found = set()
    for name, block in list(program.rows.items()):
        if block.keys:
            del program.rows[name]
            if not _same(solve_program(program.compile(), EXACT).termination.objective_usd, value):
                found.add(name)
            program.rows[name] = block
    return found


def _same(value: float | None, other: float | None) -> bool:
    return (value is None and other is None) or (None not in (value, other) and abs(value - other) < 10.0)  # type: ignore[operator]


def signed(answer: Plan) -> dict[str, tuple[str, str]]:
    """Site and month of every contract signed."""
    return {item.offer: (item.site, f"{item.sign_month:%Y-%m}") for item in answer.decisions.contracts}


def hours(*months: int) -> float:
    """Hours of some months together, by their index from the start."""
    dates = [add_months(dt.date(2027, 1, 1), index) for index in months]
    return sum(24.0 * calendar.monthrange(date.year, date.month)[1] for date in dates)


def close(value: float | None, expected: float, usd: float = 1.0) -> bool:
    """Whether two sums agree to a dollar."""
    return value is not None and bool(np.isclose(value, expected, rtol=1e-9, atol=usd))


def matrix(
    cost: Sequence[float],
    rows: Sequence[Sequence[float]],
    upper: Sequence[float] | float,
    lower: Sequence[float] | float = -np.inf,
    most: float = 1.0,
    integer: bool = True,
    constant: float = 0.0,
) -> Matrix:
    """A program in ``0 <= x <= most`` as arrays: maximise ``cost x + constant`` over ``lower <= rows x <= upper``, in millions."""
    dense = np.asarray(rows, dtype=float).reshape(-1, len(cost))
    row, column = np.nonzero(dense)
    count = len(dense)
    return Matrix(
        cost=np.asarray(cost, dtype=float),
        constant=constant,
        column_lower=np.zeros(len(cost)),
        column_upper=np.full(len(cost), most),
        integer=np.full(len(cost), integer),
        row_lower=np.broadcast_to(np.asarray(lower, dtype=float), (count,)).copy(),
        row_upper=np.broadcast_to(np.asarray(upper, dtype=float), (count,)).copy(),
        start=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int32),
        index=column.astype(np.int32),
        value=dense[row, column],
        site=np.full(len(cost), -2),
    )
