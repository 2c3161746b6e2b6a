"""Hourly series from files: order, gaps, repeats, formats; the real ERCOT files through the same reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer.domain import SeriesFile
from optimizer.errors import SeriesError
from optimizer.io.hourly_files import read_hours

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "power_ercot"
HOURS = pd.date_range("2025-01-01", periods=8760, freq="h")
PRICES = np.round(30 + 10 * np.sin(np.arange(8760) / 24), 2)


def table() -> pd.DataFrame:
    return pd.DataFrame({"time": HOURS.strftime("%Y-%m-%dT%H:%M"), "price_usd_per_mwh": PRICES})


def read(frame: pd.DataFrame, tmp_path, name="p.csv", **spec):
    path = tmp_path / name
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return read_hours(path, SeriesFile(path=name, **spec), "series[0].file")


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz", "p.parquet"])
def test_hours_are_read_in_order_whatever_the_order_of_rows(name, tmp_path):
    hours = read(table().sample(frac=1.0, random_state=1), tmp_path, name)
    assert hours.usd_per_mwh == tuple(PRICES)
    assert hours.first_hour == HOURS[0].to_pydatetime()
    assert hours.month_of_year == tuple(HOURS.month)
    assert hours.filled_hour_count == 0


def test_date_and_hour_ending(tmp_path):
    frame = pd.DataFrame({"day": HOURS.strftime("%Y-%m-%d"), "he": HOURS.hour + 1, "lmp": PRICES})
    hours = read(frame, tmp_path, date_column="day", hour_ending_column="he", value_column="lmp")
    assert hours.usd_per_mwh == tuple(PRICES)


def test_a_gap_is_an_error_unless_a_filling_is_stated(tmp_path):
    frame = table().drop(index=[100, 101])
    with pytest.raises(SeriesError, match=r"lacks 2 hours, the first is 2025-01-05 04:00.*typical-hour"):
        read(frame, tmp_path)
    hours = read(frame, tmp_path, missing_hours="interpolate")
    assert hours.filled_hour_count == 2
    assert hours.usd_per_mwh[100] == pytest.approx(PRICES[99] + (PRICES[102] - PRICES[99]) / 3)


def test_a_long_gap_takes_the_typical_hour(tmp_path):
    frame = table().drop(index=range(200, 300))
    with pytest.raises(SeriesError, match="gap of 100 hours, too long"):
        read(frame, tmp_path, missing_hours="interpolate")
    hours = read(frame, tmp_path, missing_hours="typical-hour")
    same = (HOURS.month == 1) & (HOURS.hour == HOURS[200].hour)
    same[200:300] = False
    assert hours.usd_per_mwh[200] == pytest.approx(PRICES[same].mean())
    assert hours.filled_hour_count == 100


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda f: pd.concat([f, f.iloc[[5]]]), "2025-01-01 05:00:00 twice"),
        (lambda f: f.assign(price_usd_per_mwh=["x", *f.price_usd_per_mwh[1:]]), "row 2: 'x' is not a price"),
        (lambda f: f.assign(time=["noon", *f.time[1:]]), "row 2: 'noon' is not a time"),
        (lambda f: f.rename(columns={"time": "when"}), "no column 'time'"),
        (lambda f: f.rename(columns={"price_usd_per_mwh": "p"}), "no column 'price_usd_per_mwh'"),
        (lambda f: f.iloc[:700], "no hours in Feb"),
        (lambda f: f.iloc[:0], "no rows"),
    ],
)
def test_what_is_wrong_is_named(spoil, expected, tmp_path):
    with pytest.raises(Exception, match=expected):
        read(spoil(table()), tmp_path)


@pytest.mark.parametrize("name", ["hb_west", "hb_north", "lz_west"])
def test_real_ercot_files_load(name):
    path = SHARED / f"{name}.csv"
    if not path.exists():
        pytest.skip("public ERCOT data is not beside the project")
    spec = SeriesFile(
        path=path.name,
        date_column="delivery_date",
        hour_ending_column="hour_ending",
        value_column="rtm_lmp",
        missing_hours="typical-hour",
    )
    hours = read_hours(path, spec, "series[0].file")
    raw = pd.read_csv(path)
    assert hours.filled_hour_count > 100  # a missing week and clock changes
    assert len(hours.usd_per_mwh) > len(raw)
    assert min(hours.usd_per_mwh) < 0 < 3000 < max(hours.usd_per_mwh)
    assert np.mean(hours.usd_per_mwh) == pytest.approx(raw.rtm_lmp.mean(), rel=0.01)
