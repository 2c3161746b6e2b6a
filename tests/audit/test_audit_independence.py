"""The audit shares no code with the planning model, and agrees with the compiled curves on the real market."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from audit_cases import asic, offer, portfolio, site

from optimizer.audit import MarketPaths, recalculate
from optimizer.curves import mining_month_values
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, MachineDecision, ModeCount


def test_no_model_no_solver_no_pyomo():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, optimizer.audit; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = told.stdout.split()
    assert "optimizer.audit.recalculate" in loaded
    foreign = ("pyomo", "highspy", "optimizer.model", "optimizer.risk", "optimizer.solve", "optimizer.app")
    assert [name for name in loaded if name.startswith(foreign)] == []


def test_margin_agrees_with_the_compiled_curves_on_uncertain_paths():
    rng = np.random.default_rng(3)
    hours = {"first_hour": "2025-01-01T00:00", "usd_per_mwh": rng.lognormal(3.6, 0.6, 8760).tolist()}
    case = portfolio(
        months=14,
        sites=[site(power={"hourly_series": "h", "adder_usd_per_mwh": 3.0, "escalation_per_year_frac": 0.05})],
        series=[{"name": "h", "hours": hours}],
        asic_models=[asic()],
        fleets=[{"asic_model": "M", "site": "A", "count": 7}],
        offers=[offer()],
        market={
            "btc_usd": 1e5,
            "network_eh_s": 1000.0,
            "block_height_at_start": 930_000,
            "uncertainty": [
                {"factor": "btc_price", "volatility_per_year_frac": 0.6},
                {"factor": "power_price", "volatility_per_year_frac": 0.4},
            ],
        },
        risk={"scenario_count": 50},
    )
    futures = Futures.of(case)
    paths: MarketPaths = futures
    running = (ModeCount(mode=0, machine_count=3.0), ModeCount(mode=2, machine_count=4.0))
    decisions = Decisions(
        machines=tuple(
            MachineDecision(site="A", asic_model="M", month=when, stock_count=7.0, running=running)
            for when in case.horizon.months
        )
    )
    found = recalculate(case, paths, decisions)
    values = mining_month_values(
        futures.shape("A"),
        calendar_month=futures.calendar_month[:14],
        hours_in_month=futures.hours_in_month[:14],
        hashprice_usd_per_ph_day=futures.hashprice_usd_per_ph_day,
        level=futures.power_level("A")[:14],
        adder_usd_per_mwh=futures.power_adder_usd_per_mwh("A")[:14],
        hashrate_th_s=[100.0, 160.0],
        power_w=[3000.0, 5000.0],
        pue=1.05,
        uptime_frac=1.0,
        pool_fee_frac=0.01,
    ).margin_usd
    margins = [row.mining_margin_usd for row in found.cash_flow]
    assert len(set(margins)) == 14
    assert margins == pytest.approx(3 * values[0] + 4 * values[1], rel=1e-12)
