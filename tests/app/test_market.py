"""The market alone: calibration and fans."""

from __future__ import annotations

import numpy as np
import pytest
import support

from optimizer.app.market import calibrate_market, market_fan
from optimizer.curves.futures import Futures
from optimizer.domain.market_answers import MarketCalibrationSpec, MarketFanSpec, MarketQuantity
from optimizer.domain.uncertainty import Factor
from optimizer.errors import InvalidInputError

MARKET = {
    "uncertainty": [
        {"factor": "btc_price", "volatility_per_year_frac": 0.6},
        {"factor": "network_hashrate", "volatility_per_year_frac": 0.3},
    ],
    "correlations": [{"first": "btc_price", "second": "network_hashrate", "correlation_frac": 0.5}],
}


def test_what_is_calibrated_from_paths_is_what_they_were_made_with_and_fits_into_a_portfolio():
    made = Futures.of(support.portfolio(360, market=MARKET, risk={"scenario_count": 1, "seed": 4}))
    history = [{"factor": factor, "values": made.multiplier(factor)[:360, 0].tolist()} for factor in list(Factor)[:2]]
    found = calibrate_market(MarketCalibrationSpec.model_validate({"history": history}))
    for item, expected in zip(found.factors, (0.6, 0.3), strict=True):
        assert abs(item.volatility_per_year_frac - expected) < 4 * item.volatility_standard_error_frac
        assert item.volatility_standard_error_frac < 0.1 * expected
    assert found.correlations[0].correlation_frac == pytest.approx(0.5, abs=0.17)
    stated = found.model_dump(mode="json", include={"uncertainty", "correlations"})
    again = support.portfolio(market=stated)
    assert again.market.volatilities()[0] == pytest.approx(found.factors[0].volatility_per_year_frac, abs=1e-4)


@pytest.mark.parametrize("quantity", MarketQuantity)
def test_a_fan_widens_around_its_median(quantity):
    uncertain = [{"factor": factor.value, "volatility_per_year_frac": 0.5} for factor in Factor]
    case = support.portfolio(18, market={"uncertainty": uncertain}, risk={"scenario_count": 3000})
    fan = market_fan(MarketFanSpec(portfolio=case, quantity=quantity))
    assert [row.month for row in fan.months] == list(case.horizon.months)
    assert fan.scenario_count == 3000
    quantiles = np.array([row.quantiles for row in fan.months])
    assert (np.diff(quantiles, axis=1) > 0.0).all()
    spread = np.log(quantiles[:, -1] / quantiles[:, 0])
    assert spread[-1] > 3 * spread[0]
    middle = fan.probabilities.index(0.5)
    assert (quantiles[:, 0] < [row.mean for row in fan.months]).all()
    assert (quantiles[:, middle] < quantiles[:, -1]).all()


def test_a_certain_market_is_a_line():
    fan = market_fan(MarketFanSpec(portfolio=support.portfolio(3)))
    for row in fan.months:
        assert row.quantiles == pytest.approx([support.HASHPRICE_USD_PER_PH_DAY] * 5)
        assert row.mean == pytest.approx(support.HASHPRICE_USD_PER_PH_DAY)


def test_collinear_history_gives_correlations_that_a_portfolio_takes():
    random = np.random.default_rng(5)
    common = np.cumsum(random.normal(0.0, 0.1, 60))
    noise = np.cumsum(random.normal(0.0, 1e-4, (3, 60)), axis=1)
    history = [
        {"factor": factor, "values": np.exp(common + row).tolist()}
        for factor, row in zip(list(Factor)[:3], noise, strict=True)
    ]
    found = calibrate_market(MarketCalibrationSpec.model_validate({"history": history}))
    assert min(item.correlation_frac for item in found.correlations) > 0.99
    support.portfolio(market=found.model_dump(mode="json", include={"uncertainty", "correlations"}))


@pytest.mark.parametrize(("spike", "told"), [(1_500.0, None), (1e12, r"what history says of power_price.*volatility")])
def test_a_month_of_spikes_is_calibrated_or_told(spike, told):
    values = [40.0 + (m * 7) % 5 for m in range(60)]
    values[25] = spike
    question = MarketCalibrationSpec.model_validate({"history": [{"factor": "power_price", "values": values}]})
    if told:
        with pytest.raises(InvalidInputError, match=f"(?s){told}"):
            calibrate_market(question)
    else:
        assert 2.0 < calibrate_market(question).uncertainty[0].volatility_per_year_frac < 10.0
