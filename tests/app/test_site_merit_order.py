"""A site's fleet over MW: worked out by hand, against one machine at a time, and what is refused."""

import numpy as np
import pytest
import support

from optimizer.app.merit_order import site_merit_order
from optimizer.domain.base import validated
from optimizer.domain.merit_order import MeritOrderSpec
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio

DAYS_IN_JUNE = 30.0


def question(portfolio, **changes):
    return validated(MeritOrderSpec, {"portfolio": portfolio, "site": "Ward County", **changes}, "question")


@pytest.fixture(scope="module")
def us_miner():
    return load_portfolio("us-miner")


MODES = [{"hashrate_th_s": 150, "power_w": 2250, "label": "eco"}, {"hashrate_th_s": 200, "power_w": 3500}]
"""Two modes of one machine; the upper one is not named."""


def flat_case():
    """One site at a flat price with machines of two modes."""
    site = support.site(
        power={"flat_usd_per_mwh": 40.0, "adder_usd_per_mwh": 5.0, "escalation_per_year_frac": 0.1},
        mining_pue=1.1,
        mining_uptime_frac=0.9,
        mining_opex_usd_per_mw_month=3000.0,
        demand_response={"usd_per_mw_month": 1000.0},
        hall_mw=20.0,
    )
    fleets = [support.fleet(1000, condition_frac=0.9), support.fleet(0)]
    return support.portfolio(
        6,
        sites=[site],
        asic_models=[support.asic(modes=MODES)],
        fleets=fleets,
        market={"pool_fee_frac": 0.02, "uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.5}]},
    )


def test_a_flat_price_by_hand():
    order = site_merit_order(question(flat_case(), site="A", month="2027-06", hashprice_usd_per_ph_day=36.0))
    growth = 1.1 ** (5 / 12)
    assert order.mean_power_usd_per_mwh == pytest.approx(45.0 * growth)
    for step, th_s, watts in zip(order.steps, (150.0, 50.0), (2250.0, 1250.0), strict=True):
        mw = watts * 1e-6 * 1.1
        revenue = DAYS_IN_JUNE * 0.9 * 36.0 * th_s * 0.9e-3 * 0.98
        margin = revenue - DAYS_IN_JUNE * 24.0 * 0.9 * mw * 45.0 * growth
        assert step.usd_per_mw_month == pytest.approx(max(margin, 0.0) / mw + 1000.0 - 3000.0)
        assert step.grid_mw == pytest.approx(1000 * mw)
        assert (step.machine_count, step.condition_frac) == (1000, 0.9)
    eco, rated = order.steps
    assert (eco.mode, rated.mode) == ("eco", "3,500 W")
    assert eco.usd_per_mw_month > 0.0 > rated.usd_per_mw_month  # its margin is below its operating cost
    assert order.paying_grid_mw == eco.cumulative_grid_mw == pytest.approx(2.475)
    assert rated.cumulative_usd_per_month == eco.cumulative_usd_per_month
    assert order.fleet_grid_mw == pytest.approx(3.85)
    assert order.limit_grid_mw == pytest.approx(20.0 * 1.1)


def test_the_hashprice_is_that_of_the_base_paths_unless_stated():
    assert site_merit_order(question(flat_case(), site="A")).hashprice_usd_per_ph_day == pytest.approx(
        support.HASHPRICE_USD_PER_PH_DAY
    )
    stated = site_merit_order(question(flat_case(), site="A", hashprice_usd_per_ph_day=60.0))
    assert stated.hashprice_usd_per_ph_day == 60.0
    assert stated.month == flat_case().horizon.start_month


def test_a_site_on_hourly_prices_hour_by_hour(us_miner):
    order = site_merit_order(question(us_miner, month="2027-08", hashprice_usd_per_ph_day=40.0))
    first, site = order.steps[0], us_miner.site("Ward County")
    mode = next(m for m in us_miner.asic_models_by_name[first.asic_model].modes if m.label == first.mode)
    hours = us_miner.series_by_name[site.power.hourly_series].hours
    august = np.array(hours.usd_per_mwh)[np.array(hours.month_of_year) == 8]
    growth = (1.0 + site.power.escalation_per_year_frac) ** (7 / 12)
    price = growth * (august * us_miner.market.power_level.value + site.power.adder_usd_per_mwh)
    mwh = mode.power_w * 1e-6 * site.mining_pue
    revenue = 40.0 / 24.0 * mode.hashrate_th_s * 1e-3 * first.condition_frac * (1.0 - us_miner.market.pool_fee_frac)
    margin = np.maximum(revenue - mwh * price, 0.0).mean() * 744.0 * site.mining_uptime_frac
    assert order.mean_power_usd_per_mwh == pytest.approx(price.mean())
    assert first.usd_per_mw_month == pytest.approx(margin / mwh + 2000.0 - 3500.0)


def test_steps_fall_and_add_up(us_miner):
    order = site_merit_order(question(us_miner, month="2029-02", hashprice_usd_per_ph_day=22.0))
    assert order.month.isoformat() == "2029-02-01"
    values = np.array([step.usd_per_mw_month for step in order.steps])
    mw = np.array([step.grid_mw for step in order.steps])
    assert (np.diff(values) <= 0.0).all()
    np.testing.assert_allclose([step.cumulative_grid_mw for step in order.steps], np.cumsum(mw))
    worth = np.cumsum(np.maximum(values, 0.0) * mw)
    np.testing.assert_allclose([step.cumulative_usd_per_month for step in order.steps], worth)
    assert 0.0 < order.paying_grid_mw < order.fleet_grid_mw == pytest.approx(mw.sum())
    assert order.paying_grid_mw == pytest.approx(mw[values > 0.0].sum())
    assert order.load_income_usd_per_mw_month == 0.0  # demand response ends with 2028


def test_uncertainty_plays_no_part(us_miner):
    calm = us_miner.model_copy(
        update={"market": us_miner.market.model_copy(update={"uncertainty": (), "correlations": (), "overlays": ()})}
    )
    assert us_miner.market.uncertainty
    assert site_merit_order(question(calm)) == site_merit_order(question(us_miner))


@pytest.mark.parametrize(
    ("changes", "path", "fix"),
    [
        ({"site": "Ward Country"}, "site", "did you mean 'Ward County'"),
        ({"site": "Gilgel Gibe"}, "site", "they do at "),
        ({"month": "2026-12"}, "month", "name a month of the horizon"),
        ({"month": "2037-01"}, "month", "name a month of the horizon"),
        ({"hashprice_usd_per_ph_day": -1.0}, "hashprice_usd_per_ph_day", "give a value between 0"),
    ],
)
def test_nonsense_is_refused_with_its_path(us_miner, changes, path, fix):
    with pytest.raises(InvalidInputError) as caught:
        question(us_miner, **changes)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert fix in problem.fix
