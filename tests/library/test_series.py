from __future__ import annotations

import csv
import dataclasses
import datetime
import itertools
import math
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from optimizer.errors import InvalidInputError, NotFoundError, SeriesError
from optimizer.library import series, tables

REPO_ROOT = Path(__file__).resolve().parents[2]
ERCOT = REPO_ROOT.parent / "shared" / "data" / "power_ercot"
NAMES = [profile.name for profile in series.price_profiles()]
PINNED_BITS = [988125785616366, 4665485455154597, 6908072597505081]
MOVING = [profile.name for profile in series.price_profiles() if profile.min_usd_per_mwh < profile.max_usd_per_mwh]


def check_targets(prices: np.ndarray, target: series.PriceProfile) -> None:
    cents = np.rint(prices * 100).astype(np.int64)
    assert prices.shape == (8_760,)
    assert np.array_equal(cents / 100, prices)
    assert int(cents.sum()) == round(target.mean_usd_per_mwh * 100) * 8_760
    assert prices.mean() == pytest.approx(target.mean_usd_per_mwh, abs=1e-9)
    assert int((prices < 0).sum()) == round(target.negative_hour_frac * 8_760)
    assert (prices < 0).mean() == pytest.approx(target.negative_hour_frac, abs=1 / 8_760)
    assert int((prices == 0).sum()) == round(target.zero_hour_frac * 8_760)
    assert prices.min() == target.min_usd_per_mwh
    assert np.percentile(prices, 99) == pytest.approx(target.p99_usd_per_mwh, abs=1e-9)
    assert prices.max() == target.max_usd_per_mwh


def committed(name: str) -> bytes:
    return resources.files("optimizer.library").joinpath("data", "series", f"{name}.csv").read_bytes()


def test_there_are_enough_profiles_and_one_file_each() -> None:
    folder = resources.files("optimizer.library").joinpath("data", "series")
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(f"{name}.csv" for name in NAMES)
    assert len(NAMES) == len(set(NAMES)) >= 6
    assert {"ercot-west", "ercot-north", "nyiso-west", "alberta", "paraguay-flat"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_profiles_say_where_their_figures_come_from(name: str) -> None:
    profile = series.price_profile(name)
    assert profile.source.strip()
    assert profile.confidence in {"sourced", "derived", "partly-sourced", "unsourced-estimate"}
    assert bool(profile.unsourced_fields) == (profile.confidence in {"partly-sourced", "unsourced-estimate"})
    assert set(profile.unsourced_fields) <= {field.name for field in dataclasses.fields(profile)}


def test_the_unsourced_profiles_stay_marked() -> None:
    marks = {profile.name: profile.confidence for profile in series.price_profiles() if profile.unsourced_fields}
    assert marks == {
        "nyiso-west": "unsourced-estimate",
        "alberta": "partly-sourced",
        "sweden-se2": "partly-sourced",
    }


@pytest.mark.parametrize("name", NAMES)
def test_regenerating_gives_the_committed_file(name: str, tmp_path: Path) -> None:
    assert series.main(["--out", str(tmp_path), "--profile", name]) == 0
    assert (tmp_path / f"{name}.csv").read_bytes() == committed(name)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_committed_files_hold_one_year_of_hours(name: str) -> None:
    rows = list(csv.reader(committed(name).decode().splitlines()))
    assert tuple(rows[0]) == series.COLUMNS
    times = [datetime.datetime.fromisoformat(row[0]) for row in rows[1:]]
    assert times[0] == datetime.datetime(2025, 1, 1)
    assert times[-1] == datetime.datetime(2025, 12, 31, 23)
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {datetime.timedelta(hours=1)}
    prices = np.array([float(row[1]) for row in rows[1:]])
    assert np.array_equal(prices, series.library_hourly_prices(name))
    assert np.array_equal(prices, series.synthetic_hourly_prices(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [series.LIBRARY_SEED, 0, 2**64 - 1])
def test_the_stated_statistics_hold_for_every_seed(name: str, seed: int) -> None:
    check_targets(series.synthetic_hourly_prices(name, seed), series.price_profile(name))


@pytest.mark.parametrize("name", MOVING)
def test_the_seed_moves_the_hours_and_nothing_else(name: str) -> None:
    first, again, other = (series.synthetic_hourly_prices(name, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(np.sort(first), np.sort(other))


def test_profiles_do_not_share_their_noise() -> None:
    west, north = (series.synthetic_hourly_prices(name, 5) for name in ("ercot-west", "ercot-north"))
    residuals = [np.argsort(np.argsort(x)).reshape(365, 24) for x in (west, north)]
    daily = [(x - x.mean(axis=0)).mean(axis=1) for x in residuals]
    assert abs(np.corrcoef(*daily)[0, 1]) < 0.5


@pytest.mark.parametrize("name", MOVING)
def test_prices_persist_and_repeat_daily(name: str) -> None:
    prices = series.library_hourly_prices(name).clip(-30, 150)
    assert np.corrcoef(prices[1:], prices[:-1])[0, 1] > 0.75
    assert np.corrcoef(prices[24:], prices[:-24])[0, 1] > 0.2
    by_hour = np.median(prices.reshape(365, 24), axis=0)
    assert by_hour[18:21].mean() > by_hour[1:4].mean()
    assert by_hour[18:21].mean() > by_hour[11:14].mean()


def test_negative_hours_of_west_texas_are_sunny_and_its_spikes_are_not() -> None:
    prices = series.library_hourly_prices("ercot-west").reshape(365, 24)
    negative = (prices < 0).mean(axis=0)
    assert negative[10:15].mean() > 3 * negative[17:22].mean()
    spikes = (prices > 150).sum(axis=0)
    assert spikes[17:22].sum() > 3 * spikes[10:15].sum()


def test_the_tail_is_heavy() -> None:
    prices = np.sort(series.library_hourly_prices("ercot-north"))
    assert prices[-9:].mean() > 4 * series.price_profile("ercot-north").p99_usd_per_mwh
    assert prices[-1] > 10 * prices[-88]


@pytest.mark.parametrize("name", ["ercot-west", "ercot-north"])
def test_ercot_targets_are_the_statistics_of_the_settlement_prices(name: str) -> None:
    path = ERCOT / f"{name.replace('ercot', 'hb').replace('-', '_')}.csv"
    if not path.is_file():
        pytest.skip("the settlement prices are not on this machine")
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["delivery_date"][:4] in {"2024", "2025"}]
    real = np.array([float(row["rtm_lmp"]) for row in rows if row["rtm_lmp"] not in {"", "NaN", "nan"}])
    real = real[np.isfinite(real)]
    assert len(real) > 17_000
    target = series.price_profile(name)
    assert target.mean_usd_per_mwh == pytest.approx(real.mean(), abs=0.006)
    assert target.negative_hour_frac == pytest.approx((real < 0).mean(), abs=6e-5)
    assert target.p99_usd_per_mwh == pytest.approx(np.percentile(real, 99), abs=0.006)
    assert target.p999_usd_per_mwh == pytest.approx(np.percentile(real, 99.9), abs=0.06)
    assert target.max_usd_per_mwh == pytest.approx(real.max(), abs=0.006)
    assert target.min_usd_per_mwh == pytest.approx(real.min(), abs=0.006)
    for share, price in target.body:
        assert price == pytest.approx(np.percentile(real, 100 * share), abs=0.06)
    # the synthetic year follows the real distribution between the targets, too
    synthetic = series.library_hourly_prices(name)
    for share in (25, 50, 75, 90, 95):
        assert np.percentile(synthetic, share) == pytest.approx(np.percentile(real, share), abs=2.0)
    assert synthetic.std() == pytest.approx(real.std(), rel=0.1)


def test_profiles_agree_with_the_tariff_table() -> None:
    for profile, tariff in (
        ("ercot-west", "ercot-hb-west-rt"),
        ("ercot-north", "ercot-hb-north-rt"),
        ("alberta", "alberta-pool-2024"),
        ("paraguay-flat", "paraguay-itaipu-2023"),
    ):
        assert series.price_profile(profile).mean_usd_per_mwh == tables.tariff(tariff).price_usd_per_mwh


def test_converted_targets_follow_from_the_stated_ones() -> None:
    alberta, sweden = series.price_profile("alberta"), series.price_profile("sweden-se2")
    assert alberta.mean_usd_per_mwh == pytest.approx(62.78 / 1.37, abs=0.006)
    assert alberta.max_usd_per_mwh == pytest.approx(999.99 / 1.37, abs=0.006)
    assert sweden.mean_usd_per_mwh == pytest.approx((420 + 140) / 2 / 10.2, abs=0.006)
    assert sweden.negative_hour_frac == pytest.approx(933 / 17451, abs=6e-5)
    assert sweden.min_usd_per_mwh == pytest.approx(-55.3 * 1.08, abs=0.006)


def test_raw_bits_are_pinned() -> None:
    # Philox, key (1, crc32 of the name), shifted by 11: this may never change, or every file does
    drawn = series._Stream("ercot-west", 1).uniform(3)
    assert [int(x * 2**53) for x in drawn.tolist()] == PINNED_BITS


def test_unknown_profile() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'ercot-west'"):
        series.synthetic_hourly_prices("ercot-wset")
    with pytest.raises(NotFoundError):
        series.library_hourly_prices("moon")


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_outside_the_key_are_refused(seed: int) -> None:
    with pytest.raises(InvalidInputError, match="seed"):
        series.synthetic_hourly_prices("ercot-west", seed)


@pytest.mark.parametrize(
    "change",
    [
        {"mean_usd_per_mwh": 400.0},
        {"mean_usd_per_mwh": 2.0},
        {"negative_hour_frac": 0.0},
        {"min_usd_per_mwh": 0.0},
    ],
    ids=str,
)
def test_contradicting_targets_are_refused(change: dict[str, float]) -> None:
    profile = dataclasses.replace(series.price_profile("ercot-west"), **change)  # type: ignore[arg-type]
    with pytest.raises(SeriesError, match="ercot-west"):
        series._duration_curve(profile)


def test_the_check_of_the_targets_can_fail() -> None:
    prices = np.array(series.library_hourly_prices("ercot-west"))
    top = int(prices.argmax())
    prices[top] -= 0.01
    with pytest.raises(AssertionError):
        check_targets(prices, series.price_profile("ercot-west"))


def test_the_committed_prices_cannot_be_changed_by_a_caller() -> None:
    prices = series.library_hourly_prices("alberta")
    assert prices is series.library_hourly_prices("alberta")
    with pytest.raises(ValueError, match="read-only"):
        prices[0] = 1.0


def test_wind_walk_reverts_with_unit_variance() -> None:
    walk = series._reverting(series._Stream("walk", 3).bell(200_000), 0.9)
    assert walk.std() == pytest.approx(1.0, abs=0.03)
    assert math.isclose(np.corrcoef(walk[1:], walk[:-1])[0, 1], 0.9, abs_tol=0.01)
