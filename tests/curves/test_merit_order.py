"""Merit orders against linear programmes, and the concavity that makes them exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from optimizer.curves import (
    Machine,
    MarketPaths,
    PowerShape,
    SiteFleet,
    envelope,
    fleet_month_values,
    merit_order,
    mining_month_values,
    site_merit_orders,
)
from optimizer.errors import InvalidInputError

# Two classes by hand: 10 machines of 3 kW and 5 kW, 4 machines of 2 kW; USD per machine and month.
MARGIN_USD = [[90.0, 130.0], [50.0]]
GRID_MW = [[0.003, 0.005], [0.002]]
COUNT = [10.0, 4.0]


def random_fleet(rng):
    """Margins that rise concavely over power, some flat or falling, ties among them."""
    margin, mw = [], []
    for _ in range(rng.integers(1, 6)):
        steps = int(rng.integers(1, 5))
        step_mw = rng.integers(1, 6, steps) * 0.001
        usd_per_mw = np.sort(rng.integers(-3, 9, steps) * 10_000.0)[::-1]
        margin.append(np.cumsum(usd_per_mw * step_mw))
        mw.append(np.cumsum(step_mw))
    return {"margin_usd": margin, "grid_mw": mw, "machine_count": rng.integers(0, 30, len(mw)).astype(float)}


def best_by_linear_programme(fleet, mw):
    """Machines under each ceiling, or off, to fill ``mw`` with the most value."""
    margin, draw = np.concatenate(fleet["margin_usd"]), np.concatenate(fleet["grid_mw"])
    classes = np.repeat(np.arange(len(fleet["grid_mw"])), [len(modes) for modes in fleet["grid_mw"]])
    rows = np.vstack([draw, *(classes == c for c in range(len(fleet["grid_mw"])))])
    found = linprog(-margin, A_ub=rows, b_ub=[mw, *fleet["machine_count"]], method="highs")
    assert found.success
    return -found.fun


def test_by_hand():
    order = merit_order(margin_usd=MARGIN_USD, grid_mw=GRID_MW, machine_count=COUNT)
    assert order.usd_per_mw == pytest.approx([30_000, 25_000, 20_000])
    assert order.mw == pytest.approx([0.0, 0.03, 0.038, 0.058])
    assert order.value_usd == pytest.approx([0.0, 900.0, 1_100.0, 1_500.0])
    assert (order.class_index.tolist(), order.mode_index.tolist()) == ([0, 1, 0], [0, 0, 1])
    assert order.paying_mw == pytest.approx(0.058)
    assert order.value_at([0.0, 0.015, 0.048, 5.0]) == pytest.approx([0.0, 450.0, 1_300.0, 1_500.0])
    assert order.marginal_usd_per_mw([0.0, order.mw[1], 0.037, 0.05, 0.06]) == pytest.approx(
        [30_000, 25_000, 25_000, 20_000, 0.0]
    )
    assert isinstance(order.value_at(0.01), float)


def test_steps_that_do_not_pay_are_kept_apart():
    order = merit_order(margin_usd=[[90.0, 80.0], [-5.0]], grid_mw=GRID_MW, machine_count=COUNT)
    assert order.paying_mw == pytest.approx(0.03)
    assert order.usd_per_mw == pytest.approx([30_000.0, -2_500.0, -5_000.0])
    assert order.value_usd == pytest.approx([0.0, 900.0, 900.0, 900.0])
    assert order.value_at(0.055) == pytest.approx(900.0)
    assert order.marginal_usd_per_mw(order.paying_mw) == 0.0
    nothing_pays = merit_order(margin_usd=[[0.0]], grid_mw=[[0.003]], machine_count=[7])
    assert (nothing_pays.paying_mw, float(nothing_pays.value_at(1.0))) == (0.0, 0.0)


def test_no_machines():
    for order in (
        merit_order(margin_usd=[], grid_mw=[], machine_count=[]),
        merit_order(margin_usd=MARGIN_USD, grid_mw=GRID_MW, machine_count=[0, 0]),
    ):
        assert (order.paying_mw, float(order.value_at(3.0)), float(order.marginal_usd_per_mw(0.0))) == (0.0, 0.0, 0.0)


@given(st.integers(0, 2**32 - 1))
def test_value_equals_the_linear_programme(seed):
    rng = np.random.default_rng(seed)
    fleet = random_fleet(rng)
    order = merit_order(**fleet)
    for mw in (0.0, *rng.uniform(0.0, 1.1 * order.mw[-1], 4), order.mw[-1]):
        assert order.value_at(mw) == pytest.approx(best_by_linear_programme(fleet, mw), rel=1e-9, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_value_is_concave_and_its_slope_is_the_marginal(seed):
    rng = np.random.default_rng(seed)
    order = merit_order(**random_fleet(rng))
    assert (np.diff(order.usd_per_mw) <= 0.0).all()
    assert (np.diff(order.mw) > 0.0).all()
    assert (np.diff(order.value_usd) >= 0.0).all()
    low, high = np.sort(rng.uniform(0.0, 1.2 * order.mw[-1], (2, 20)), axis=0)
    middle = (low + high) / 2
    assert (order.value_at(middle) >= (order.value_at(low) + order.value_at(high)) / 2 - 1e-6).all()
    inside = (order.mw[:-1] + order.mw[1:]) / 2
    step = np.diff(order.mw) / 4
    slope = (order.value_at(inside + step) - order.value_at(inside)) / step
    assert slope == pytest.approx(order.marginal_usd_per_mw(inside), rel=1e-6, abs=1e-3)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_classes_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    fleet = random_fleet(rng)
    shuffled = rng.permutation(len(fleet["grid_mw"]))
    order = merit_order(**fleet)
    other = merit_order(
        margin_usd=[fleet["margin_usd"][c] for c in shuffled],
        grid_mw=[fleet["grid_mw"][c] for c in shuffled],
        machine_count=fleet["machine_count"][shuffled],
    )
    mw = np.linspace(0.0, 1.1 * order.mw[-1], 50)
    assert other.value_at(mw) == pytest.approx(order.value_at(mw), rel=1e-12, abs=1e-9)
    assert other.paying_mw == pytest.approx(order.paying_mw)


@given(st.integers(0, 2**32 - 1))
def test_a_machine_fills_its_steps_in_order(seed):
    """Also where they tie: no step comes before the one below it."""
    fleet = random_fleet(np.random.default_rng(seed))
    order = merit_order(**fleet)
    for c in range(len(fleet["grid_mw"])):
        steps = order.mode_index[order.class_index == c]
        assert steps.tolist() == list(range(steps.size))


def market(rng, months=3, scenarios=4):
    """A site with negative prices and spikes, and arguments of its market."""
    price = rng.normal(30.0, 25.0, 12 * 40)
    shape = PowerShape.from_hourly(np.where(rng.random(price.size) < 0.03, 900.0, price), np.repeat(range(1, 13), 40))
    return shape, {
        "calendar_month": rng.integers(1, 13, months),
        "hours_in_month": np.full(months, 720.0),
        "hashprice_usd_per_ph_day": rng.uniform(1.0, 80.0, (months, scenarios)),
        "level": rng.uniform(0.5, 2.0, (months, scenarios)),
        "adder_usd_per_mwh": rng.uniform(-5.0, 15.0, months),
        "pue": rng.uniform(1.0, 1.3),
        "uptime_frac": 0.97,
        "pool_fee_frac": 0.01,
    }


def random_modes(rng, modes=7):
    return rng.uniform(20.0, 300.0, modes), rng.uniform(600.0, 6000.0, modes)


@given(st.integers(0, 2**32 - 1))
def test_the_steps_of_an_envelope_fall_in_value_per_mw_under_any_market(seed):
    """Each step runs in the hours below its break-even, and break-evens fall: so does the mean surplus per MW."""
    rng = np.random.default_rng(seed)
    shape, arguments = market(rng)
    hashrate, power = random_modes(rng)
    kept = envelope(hashrate, power)
    margin = mining_month_values(shape, hashrate_th_s=hashrate[kept], power_w=power[kept], **arguments).margin_usd
    step_w = np.diff(power[kept], prepend=0.0)
    usd_per_w = np.diff(margin, axis=0, prepend=0.0) / step_w[:, None]
    assert (np.diff(usd_per_w, axis=0) <= 1e-12 * np.abs(usd_per_w).max()).all()
    assert (usd_per_w > -1e-12 * np.abs(usd_per_w).max()).all()


def orders_of(shape, machines, machine_count, hashprice_usd_per_ph_day, level, **site):
    fleet = SiteFleet.of(shape, machines, **site)
    paths = MarketPaths.of(hashprice_usd_per_ph_day=hashprice_usd_per_ph_day, level=level)
    return site_merit_orders(fleet, fleet_month_values(fleet, paths), machine_count=machine_count)


@given(st.integers(0, 2**32 - 1))
def test_a_site_month_beats_any_modes_fixed_for_the_month(seed):
    """A whole fleet against a linear programme over all modes, dominated ones too, each machine kept in one or off."""
    rng = np.random.default_rng(seed)
    shape, arguments = market(rng)
    every = [random_modes(rng, 4) for _ in range(3)]
    kept = [envelope(*modes) for modes in every]
    machines = [Machine(hashrate[k], power[k]) for (hashrate, power), k in zip(every, kept, strict=True)]
    count = rng.integers(1, 500, 3).astype(float)
    orders = orders_of(shape, machines, count, **arguments)
    assert len(orders) == 3

    def fixed(hashrate_th_s, power_w):
        return mining_month_values(shape, hashrate_th_s=[hashrate_th_s], power_w=[power_w], **arguments).margin_usd[0]

    fixed_margins = [[fixed(*mode) for mode in zip(*modes, strict=True)] for modes in every]
    for month, order in enumerate(orders):
        fleet = {
            "margin_usd": [np.array([margin[month] for margin in margins]) for margins in fixed_margins],
            "grid_mw": [power / 1e6 * arguments["pue"] for _, power in every],
            "machine_count": count,
        }
        for mw in rng.uniform(0.0, order.mw[-1], 3):
            assert order.value_at(mw) >= best_by_linear_programme(fleet, mw) * (1 - 1e-9) - 1e-6
        top_mw = sum(n * machine.power_w[-1] for n, machine in zip(count, machines, strict=True)) / 1e6
        assert order.mw[-1] == pytest.approx(top_mw * arguments["pue"])
        for c, modes in enumerate(kept):
            assert order.mode_index[order.class_index == c].tolist() == list(range(modes.size))


def test_a_fleet_of_one_machine_that_never_stops():
    """At a flat price the month is plain: 100 machines of 200 TH/s and 3.5 kW for 720 hours."""
    (order,) = orders_of(
        PowerShape.flat(30.0),
        [Machine([200.0], [3500.0], hash_factor=0.9)],
        [100.0],
        calendar_month=[7],
        hours_in_month=[720.0],
        hashprice_usd_per_ph_day=[[48.0]],
        level=[[1.0]],
        adder_usd_per_mwh=[5.0],
        pue=1.1,
        uptime_frac=1.0,
        pool_fee_frac=0.0,
    )
    assert order.mw == pytest.approx([0.0, 0.385])
    assert order.value_usd[-1] == pytest.approx(100 * 720 * (0.18 * 2.0 - 0.00385 * 35.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin_usd": [[90.0, np.nan], [50.0]]}, r"margin_usd\[0\]\[1\]: is not finite"),
        ({"margin_usd": [[90.0], [50.0]]}, r"margin_usd\[0\]: has shape \(1,\); pass shape \(2,\)"),
        ({"grid_mw": [[0.003, 0.003], [0.002]]}, r"grid_mw\[0\]\[1\]: is 0.003, not above the mode below"),
        ({"grid_mw": [[0.003, 0.005]]}, "grid_mw: has 1 classes, margin_usd has 2"),
        ({"machine_count": [10.0]}, r"machine_count: has shape \(1,\)"),
        ({"machine_count": [10.0, -1.0]}, r"machine_count\[1\]: is -1"),
        ({"margin_usd": [[90.0, 290.0], [50.0]]}, r"margin_usd\[0\]\[1\]: earns 100000 USD per MW"),
    ],
)
def test_refusals(change, message):
    arguments = {"margin_usd": MARGIN_USD, "grid_mw": GRID_MW, "machine_count": COUNT}
    with pytest.raises(InvalidInputError, match=message):
        merit_order(**(arguments | change))


@pytest.mark.parametrize("look_up", ["value_at", "marginal_usd_per_mw"])
def test_mw_must_be_plausible(look_up):
    order = merit_order(margin_usd=MARGIN_USD, grid_mw=GRID_MW, machine_count=COUNT)
    with pytest.raises(InvalidInputError, match=r"mw\[1\]: is -1"):
        getattr(order, look_up)([0.0, -1.0])
