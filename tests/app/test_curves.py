"""The curves as answers: worked out by hand, their identities, and the names that a question may use."""

import numpy as np
import pytest

from optimizer.app.curve_inputs import find_gpu, find_machine, hourly_prices, site_terms
from optimizer.app.curves import hashing_curve, mode_breakevens, throughput_curve
from optimizer.domain.base import validated
from optimizer.domain.curves import BreakevenSpec, HashingCurveSpec, ThroughputCurveSpec
from optimizer.domain.fleet import OperatingMode
from optimizer.errors import InvalidInputError, NotFoundError, SeriesError
from optimizer.io import load_portfolio

S21 = OperatingMode(hashrate_th_s=200.0, power_w=3500.0, label="rated")
ECO = OperatingMode(hashrate_th_s=150.0, power_w=2250.0, label="eco (measured)")
WASTEFUL = OperatingMode(hashrate_th_s=140.0, power_w=3000.0)
MEAN_HOURS = 8760.0 / 12.0


def question(**changes):
    data = {"modes": [S21], "hashprice_usd_per_ph_day": [40.0], "flat_usd_per_mwh": 40.0, **changes}
    return validated(HashingCurveSpec, data, "question")


def hours(price_of_hour):
    prices = [price_of_hour(hour % 24) for hour in range(8760)]
    return {"first_hour": "2025-01-01T00:00", "usd_per_mwh": prices}


# -------------------------------------------------------------------------------------------------------------- hashing


def test_a_machine_at_a_flat_price_by_hand():
    spec = question(adder_usd_per_mwh=5.0, pue=1.1, uptime_frac=0.9, pool_fee_frac=0.02, btc_usd=80_000.0)
    curve = hashing_curve(spec)
    (point,) = curve.points
    worked = MEAN_HOURS * 0.9
    revenue = worked / 24.0 * 40.0 * 0.2 * 0.98
    energy = worked * 3.5e-3 * 1.1
    assert point.hash_ph_days_per_machine_month == pytest.approx(worked / 24.0 * 0.2)
    assert point.revenue_usd_per_machine_month == pytest.approx(revenue)
    assert point.btc_per_machine_month == pytest.approx(revenue / 80_000.0)
    assert point.energy_mwh_per_machine_month == pytest.approx(energy)
    assert point.realised_power_usd_per_mwh == pytest.approx(45.0)
    assert point.margin_usd_per_machine_month == pytest.approx(revenue - 45.0 * energy)
    assert curve.mean_power_usd_per_mwh == pytest.approx(45.0)
    assert curve.breakeven_hashprice_usd_per_ph_day == pytest.approx(45.0 * 0.024 * 17.5 * 1.1 / 0.98)


def test_dear_hours_are_left_out_of_the_realised_price():
    """Half of the hours at 20, half at 400 USD/MWh: the machine runs in the cheap half only."""
    spec = question(hours=hours(lambda hour: 20.0 if hour < 12 else 400.0), flat_usd_per_mwh=None)
    curve = hashing_curve(spec)
    (point,) = curve.points
    assert point.running_hours_frac == pytest.approx(0.5)
    assert point.realised_power_usd_per_mwh == pytest.approx(20.0)
    assert curve.mean_power_usd_per_mwh == pytest.approx(210.0)


def test_the_mean_price_weighs_months_by_their_hours():
    """Two years of hours with another price in February: its share is 28 days of 365, however often it stands there."""
    months = np.repeat(np.arange(1, 13), np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24)
    year = np.where(months == 2, 100.0, 10.0)
    first = {"first_hour": "2025-01-01T00:00", "usd_per_mwh": np.tile(year, 2).tolist()}
    curve = hashing_curve(question(hours=first, flat_usd_per_mwh=None))
    assert curve.mean_power_usd_per_mwh == pytest.approx((28 * 100.0 + 337 * 10.0) / 365)


def test_a_machine_that_never_runs_has_no_realised_price_and_earns_no_bitcoin():
    (point,) = hashing_curve(question(hashprice_usd_per_ph_day=[5.0], btc_usd=90_000.0)).points
    assert point.realised_power_usd_per_mwh is None
    assert point.btc_per_machine_month == 0.0
    assert point.running_hours_frac == point.hash_ph_days_per_machine_month == 0.0


def test_bitcoin_is_told_only_where_its_price_is_stated():
    assert hashing_curve(question()).points[0].btc_per_machine_month is None


def test_the_break_even_is_that_of_the_most_efficient_mode_worth_running():
    both = hashing_curve(question(modes=[WASTEFUL, S21, ECO]))
    eco = hashing_curve(question(modes=[ECO]))
    assert both.breakeven_hashprice_usd_per_ph_day == eco.breakeven_hashprice_usd_per_ph_day
    around = question(
        modes=[WASTEFUL, S21, ECO],
        hashprice_usd_per_ph_day=[
            both.breakeven_hashprice_usd_per_ph_day * 0.999,
            both.breakeven_hashprice_usd_per_ph_day * 1.001,
        ],
    )
    below, above = hashing_curve(around).points
    assert below.margin_usd_per_machine_month == 0.0
    assert above.margin_usd_per_machine_month > 0.0


# ----------------------------------------------------------------------------------------------------------- break-even


def breakevens(modes, hashprices, **terms):
    data = {"modes": modes, "hashprice_usd_per_ph_day": hashprices, **terms}
    return mode_breakevens(validated(BreakevenSpec, data, "question")).points


def test_break_even_prices_by_hand():
    rated, eco, wasteful = breakevens([S21, ECO, WASTEFUL], [40.0], pue=1.1, pool_fee_frac=0.02)
    assert rated.breakeven_usd_per_mwh == pytest.approx(40.0 * 0.98 / (0.024 * 17.5 * 1.1))
    assert rated.step_usd_per_mwh == pytest.approx(40.0 * 0.98 / (0.024 * (1250.0 / 50.0) * 1.1))
    assert eco.step_usd_per_mwh == eco.breakeven_usd_per_mwh  # below the lowest mode there is only standing still
    assert wasteful.step_usd_per_mwh is None


def test_step_prices_are_where_the_best_mode_changes():
    """At a flat price a little below a step the upper mode is the better one, a little above it the lower one."""
    rated, eco = breakevens([S21, ECO], [40.0], pue=1.05, pool_fee_frac=0.01)
    for item, upper_mwh, lower_mwh in ((rated, 3.5e-3, 2.25e-3), (eco, 2.25e-3, 0.0)):
        for factor, expected in ((0.999, upper_mwh), (1.001, lower_mwh)):
            spec = question(modes=[S21, ECO], flat_usd_per_mwh=item.step_usd_per_mwh * factor, uptime_frac=1.0)
            (point,) = hashing_curve(spec).points
            assert point.energy_mwh_per_machine_month == pytest.approx(MEAN_HOURS * expected * 1.05)


def test_break_evens_come_hashprice_by_hashprice():
    found = breakevens([S21, ECO], [20.0, 40.0])
    assert [(item.hashprice_usd_per_ph_day, item.mode_index) for item in found] == [(20, 0), (20, 1), (40, 0), (40, 1)]
    assert found[2].breakeven_usd_per_mwh == pytest.approx(2.0 * found[0].breakeven_usd_per_mwh)


def test_an_implausible_hashprice_is_refused():
    with pytest.raises(InvalidInputError, match="hashprice_usd_per_ph_day"):
        breakevens([S21], [-1.0])


# ----------------------------------------------------------------------------------------------------------- throughput


def test_failures_of_a_cluster_scale_with_its_gpus():
    """3 failures per 1000 GPU-days on 4,000 GPUs are one in two hours."""
    failing = {"checkpoint_save_s": 60.0, "restart_s": 600.0}
    data = {"gpu_count": 4000, "power_kw_per_gpu": 1.9}
    counted, timed = (
        throughput_curve(validated(ThroughputCurveSpec, data | {"checkpointing": failing | hazard}, "question"))
        for hazard in ({"failures_per_1000_gpu_days": 3.0}, {"mtbf_hours": 2.0})
    )
    assert counted.goodput_frac == pytest.approx(timed.goodput_frac)
    assert counted.checkpoint_interval_s == pytest.approx(timed.checkpoint_interval_s)
    assert 0.5 < counted.goodput_frac < 0.9


# ---------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["s21-xp", "S21 XP", "Antminer S21 XP", " s21_xp "])
def test_a_machine_is_found_by_any_spelling(name):
    machine = find_machine(name)
    assert machine.name == "Antminer S21 XP"
    assert [(mode.hashrate_th_s, mode.power_w) for mode in machine.modes] == [(270.0, 3645.0)]


def test_a_plus_is_part_of_a_name():
    assert find_machine("S21+").name == "Antminer S21+"
    assert find_machine("s21").name == "Antminer S21"


def test_the_portfolio_goes_before_the_library():
    machine = find_machine("S21 XP", portfolio=load_portfolio("us-miner"))
    assert machine.name == "s21-xp"
    assert [mode.label for mode in machine.modes] == ["low power (unmeasured; fitted)", "rated"]
    (low,) = find_machine("S21 XP", ["low power"], load_portfolio("us-miner")).modes
    assert low.power_w == 2579.0


def test_a_firmware_stands_for_its_modes():
    modes = find_machine("s19j-pro", ["LuxOS"]).modes
    assert len(modes) >= 9
    assert all(mode.label.startswith("luxos") for mode in modes)


@pytest.mark.parametrize(("model", "mode"), [("s19j-pro", ["LuxOS", "nameplate"]), ("s19", ["VNish"])])
def test_modes_that_no_one_machine_has_are_refused(model, mode):
    with pytest.raises(InvalidInputError, match="one firmware on one board"):
        find_machine(model, mode)


def test_unknown_names_tell_the_nearest():
    with pytest.raises(NotFoundError, match="did you mean 's21-xp'"):
        find_machine("S21 XQ")
    with pytest.raises(NotFoundError, match="did you mean 'step-480mhz'"):
        find_machine("s21", ["step 481MHz"])
    with pytest.raises(NotFoundError, match="did you mean 'h100'"):
        find_gpu("H101")
    with pytest.raises(NotFoundError, match="did you mean 'Ward County'"):
        site_terms(load_portfolio("us-miner"), "Ward Country")
    with pytest.raises(NotFoundError, match="did you mean 'ercot-west'"):
        hourly_prices("ercot-wset", {})


def test_a_family_is_its_model_in_a_rated_server():
    assert find_gpu("GB300").power_kw_per_gpu == 1.9
    assert find_gpu("H100").name == "H100 SXM5"
    assert find_gpu("h100-pcie").power_kw_per_gpu is None


def test_a_site_states_its_terms():
    portfolio = load_portfolio("us-miner")
    terms = site_terms(portfolio, "ward county")
    assert (terms["adder_usd_per_mwh"], terms["pue"], terms["uptime_frac"]) == (12.0, 1.04, 0.96)
    assert terms["pool_fee_frac"] == portfolio.market.pool_fee_frac
    assert len(terms["hours"].usd_per_mwh) == 8760
    assert site_terms(portfolio, "Villarrica")["flat_usd_per_mwh"] == 47.0


def test_prices_come_from_a_file_or_the_library(tmp_path):
    library = hourly_prices("ercot-west", {})
    file = tmp_path / "prices.csv"
    rows = [f"2025-01-{day:02d}T{hour:02d}:00,{hour}" for day in range(1, 32) for hour in range(24)]
    file.write_text("hour,lmp\n" + "\n".join(rows), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="no hours in Feb"):
        hourly_prices(str(file), {"time_column": "hour", "value_column": "lmp"})
    with pytest.raises(SeriesError, match="no column 'time'"):
        hourly_prices(str(file), {"time_column": "time"})
    assert len(library.usd_per_mwh) == 8760
