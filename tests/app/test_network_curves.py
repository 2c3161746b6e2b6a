"""The network by the protocol: still waters by hand, growth, halvings, and an exit."""

import datetime as dt

import numpy as np
import pytest
import support

from optimizer.app.network_curves import network_curve
from optimizer.curves import difficulty_of_hashrate, hashprice_btc_per_ph_day, own_exit_hashprice_multiplier
from optimizer.curves.futures import Futures
from optimizer.domain.base import validated
from optimizer.domain.network_curves import NetworkCurveSpec
from optimizer.errors import InvalidInputError

STILL = {"start_month": "2027-01", "month_count": 6, "network_eh_s": 1000.0, "block_height_at_start": 900_000}
EXIT = {"exit_eh_s": 50.0, "from_month": "2027-03"}


def followed(**changes):
    return network_curve(validated(NetworkCurveSpec, STILL | changes, "question"))


def test_a_still_network_by_hand():
    rows = followed(fee_share_frac=0.1).months
    assert [row.month for row in rows][::5] == [dt.date(2027, 1, 1), dt.date(2027, 6, 1)]
    days = np.array([31, 28, 31, 30, 31, 30])
    assert [row.before.blocks for row in rows] == pytest.approx((days * 144.0).tolist())
    assert [row.before.block_height for row in rows] == pytest.approx((900_000 + np.cumsum(days) * 144.0).tolist())
    for row in rows:
        assert row.before.network_eh_s == 1000.0
        assert row.before.difficulty == pytest.approx(1e21 * 600 / 2**32)
        assert row.before.subsidy_btc == 3.125
        assert row.before.hashprice_btc_per_ph_day == pytest.approx(144.0 * 3.125 / 0.9 / 1e6)
        assert row.after is row.hashprice_change_frac is None


def test_difficulty_lags_a_network_that_grows_and_the_halving_comes_earlier():
    grown = followed(network_eh_s={"value": 1000.0, "growth_per_year_frac": 0.5}, month_count=12).months
    assert grown[6].before.network_eh_s == pytest.approx(1000.0 * 1.5**0.5)
    for row in grown[1:]:
        assert row.before.difficulty < difficulty_of_hashrate(row.before.network_eh_s)
        assert row.before.blocks > 28 * 144.0
    still = followed(month_count=12).months
    assert grown[-1].before.block_height > still[-1].before.block_height
    halving = followed(block_height_at_start=1_050_000 - 20 * 144).months
    assert halving[0].before.subsidy_btc == pytest.approx((20 * 3.125 + 11 * 1.5625) / 31)


def test_a_stated_difficulty_holds_until_the_first_retarget():
    at_rest = float(difficulty_of_hashrate(1000.0))
    easy = followed(difficulty_at_start=0.8 * at_rest, block_height_at_start=2016 * 446).months
    assert easy[0].before.blocks > 31 * 144.0
    assert easy[0].before.difficulty < at_rest
    assert easy[-1].before.difficulty == pytest.approx(at_rest)


@pytest.mark.parametrize("elasticity", [0.0, 0.25, 2.0])
def test_an_exit_settles_at_its_multiplier_once_difficulty_has_followed(elasticity):
    rows = followed(own_exit=EXIT | {"elasticity": elasticity}).months
    settled = float(
        own_exit_hashprice_multiplier(own_eh_s=0.0, reference_own_eh_s=50.0, network_eh_s=1000.0, elasticity=elasticity)
    )
    changes = [row.hashprice_change_frac for row in rows]
    assert changes[:2] == [0.0, 0.0]
    assert 0.0 < changes[2] < settled - 1.0  # for up to two weeks blocks are slow instead
    assert changes[3:] == pytest.approx([settled - 1.0] * 3)
    assert rows[1].after == rows[1].before
    assert rows[2].after.network_eh_s == pytest.approx(1000.0 / settled)
    assert rows[2].after.blocks < rows[2].before.blocks
    if elasticity == 0.0:
        assert rows[-1].after.network_eh_s == pytest.approx(950.0)


def test_who_leaves_in_the_first_month_leaves_a_network_at_rest():
    first = followed(own_exit=EXIT | {"from_month": "2027-01"}).months[0]
    assert first.after.blocks < first.before.blocks == pytest.approx(31 * 144.0)
    assert first.hashprice_change_frac > 0.0


def test_it_is_the_network_of_a_portfolio_that_retargets():
    market = {"network_eh_s": {"value": 800.0, "growth_per_year_frac": 0.4}, "difficulty": "retarget", "btc_usd": 1e5}
    portfolio = support.portfolio(18, market=market)
    rows = followed(
        network_eh_s=portfolio.market.network_eh_s,
        month_count=18,
        block_height_at_start=portfolio.market.block_height_at_start,
        fee_share_frac=portfolio.market.fee_share_frac,
        start_month=portfolio.horizon.start_month,
    ).months
    expected = Futures.of(portfolio).hashprice_usd_per_ph_day[:, 0] / 1e5
    np.testing.assert_allclose([row.before.hashprice_btc_per_ph_day for row in rows], expected, rtol=1e-12)
    again = hashprice_btc_per_ph_day(
        difficulty=rows[5].before.difficulty,
        subsidy_btc=rows[5].before.subsidy_btc,
        fee_share_frac=portfolio.market.fee_share_frac.value,
    )
    assert rows[5].before.hashprice_btc_per_ph_day == pytest.approx(float(again))


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"network_eh_s": 0.5}, ["network_eh_s"]),
        ({"month_count": 0}, ["month_count"]),
        ({"own_exit": EXIT | {"from_month": "2026-12"}}, ["own_exit.from_month"]),
        ({"own_exit": EXIT | {"from_month": "2027-07"}}, ["own_exit.from_month"]),
        ({"own_exit": EXIT | {"exit_eh_s": 1000.0}}, ["own_exit.exit_eh_s"]),
        ({"own_exit": {"elasticity": 0.1}}, ["own_exit.exit_eh_s", "own_exit.from_month"]),
    ],
)
def test_nonsense_is_refused_with_its_path(changes, paths):
    with pytest.raises(InvalidInputError) as caught:
        followed(**changes)
    assert [problem.path for problem in caught.value.problems] == paths
