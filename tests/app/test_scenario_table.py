"""Scenarios as a table: what is in it, and that a portfolio reads its own market back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support import offer, portfolio

from optimizer.app import save_scenarios
from optimizer.curves import futures as futures_module
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.io import dump_portfolio, load_portfolio, save_portfolio

MARKET = {
    "uncertainty": [
        {"factor": "btc_price", "volatility_per_year_frac": 0.8},
        {"factor": "power_price", "volatility_per_year_frac": 0.5},
        {"factor": "re_lease_rent", "volatility_per_year_frac": 0.4},
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.4},
    ],
    "network_price_elasticity": 0.5,
    "network_lag_months": 1,
}
LEVELS = {
    "btc_price": "btc_usd",
    "network_hashrate": "network_eh_s",
    "power_price": "power_level",
    "re_lease_rent": "re_lease_rent_usd_per_kw_month",
}


def case(count=7):
    lease = offer("O1", credit={"default_hazard_per_year_frac": 0.9})
    return portfolio(6, offers=[lease], market=MARKET, risk={"scenario_count": count})


@pytest.mark.parametrize("name", ["scenarios.parquet", "scenarios.csv"])
def test_a_row_a_scenario_and_month(name, tmp_path, monkeypatch):
    monkeypatch.setattr(futures_module, "SHARD_SCENARIOS", 4)
    assert save_scenarios(case(), tmp_path / name) == 7 * 6
    table = pd.read_parquet(tmp_path / name) if name.endswith("parquet") else pd.read_csv(tmp_path / name)
    assert table["scenario"].tolist() == np.repeat(np.arange(7), 6).tolist()
    assert table["month"].tolist()[:7] == [f"2027-{month:02}" for month in (1, 2, 3, 4, 5, 6, 1)]
    for w in range(7):
        alone, rows = Futures.of(case(), w, 1), table[table["scenario"] == w]
        for column, path in (
            ("btc_usd", alone.btc_usd),
            ("network_eh_s", alone.network_eh_s),
            ("hashprice_usd_per_ph_day", alone.hashprice_usd_per_ph_day),
            ("power_level", alone.market_power_level),
            ("gpu_rental_multiplier", alone.gpu_rental_multiplier),
            ("re_lease_rent_usd_per_kw_month", alone.re_lease_rent_usd_per_kw_month),
        ):
            np.testing.assert_allclose(rows[column], path[:6, 0], rtol=1e-12, err_msg=column)
        paying = min(int(alone.default_month("tenant of O1")[0]), 6)
        assert rows["solvent tenant of O1"].tolist() == [True] * paying + [False] * (6 - paying)
    assert not table["solvent tenant of O1"].all()


def test_a_portfolio_reads_its_own_market_back(tmp_path):
    stated = case(64)
    save_scenarios(stated, tmp_path / "scenarios.parquet")
    data = dump_portfolio(stated)
    columns = [{"factor": factor, "column": column} for factor, column in LEVELS.items()]
    data["market"] |= {
        "uncertainty": [],
        "scenario_table": {"file": {"path": "scenarios.parquet", "columns": columns}, "unit": "level"},
    }
    save_portfolio(Portfolio.model_validate(data), tmp_path / "again.yaml")
    again = Futures.of(load_portfolio(tmp_path / "again.yaml"))
    drawn = Futures.of(stated)
    for name in ("btc_usd", "network_eh_s", "hashprice_usd_per_ph_day"):
        np.testing.assert_allclose(getattr(again, name), getattr(drawn, name), rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(again.market_power_level[:6], drawn.market_power_level[:6], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "told"), [("scenarios.xlsx", "neither CSV nor Parquet"), ("missing/scenarios.csv", "cannot be written")]
)
def test_what_cannot_be_written_is_refused(name, told, tmp_path):
    with pytest.raises(InvalidInputError, match=told):
        save_scenarios(case(), tmp_path / name)
