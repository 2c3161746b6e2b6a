"""What mining was published to earn, from difficulty, price and fees.

Means of the years 2021 and 2022, dated hashprices, network hashrates and retargets are in ``tests/curves``.
"""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from optimizer.curves import hashprice_btc_per_ph_day

# Hours of the day, UTC, in which blocks 420,000 and 630,000 were found, and the subsidies before and after.
HALVING_DAYS = {"2016/07/09": (16.77, 25.0, 12.5), "2020/05/11": (19.40, 12.5, 6.25)}


@pytest.fixture
def daily(shared_file):
    """Days from 2016 to 2021 (BitInfoCharts): hashprice by the formula and as published, USD per PH/s per day."""
    names = ("difficulty", "price", "fee_to_rewardUSD", "mining_profitability")
    columns = []
    for name in names:
        with shared_file(f"data/bitcoin_2010_2021/{name}.csv").open(newline="", encoding="utf-8") as stream:
            columns.append({row["Date"]: float(row[name]) for row in csv.DictReader(stream) if row[name]})
    days = sorted(day for day in set.intersection(*map(set, columns)) if day >= "2016")
    difficulty, price, fee_percent, usd_per_th_day = (np.array([column[day] for day in days]) for column in columns)
    subsidy = np.select([np.array(days) < "2016/07/09", np.array(days) < "2020/05/11"], [25.0, 12.5], 6.25)
    for day, (hour, before, after) in HALVING_DAYS.items():
        subsidy[days.index(day)] = (hour * before + (24.0 - hour) * after) / 24.0
    in_btc = hashprice_btc_per_ph_day(difficulty=difficulty, subsidy_btc=subsidy, fee_share_frac=fee_percent / 100.0)
    return pd.DataFrame({"computed": price * in_btc, "published": usd_per_th_day * 1000.0}, index=pd.to_datetime(days))


def test_monthly_profitability_from_2016_to_2021(daily):
    """The published figure uses the blocks that were found: single days scatter by 7 %, their means agree."""
    by_month = daily.groupby(daily.index.to_period("M")).mean()
    assert len(by_month) == 72
    ratio = by_month.computed / by_month.published
    assert np.abs(ratio - 1.0).max() < 0.012
    assert abs(ratio.mean() - 1.0) < 0.004
    assert by_month.published.max() / by_month.published.min() > 20.0  # over very different markets


def test_extremes_of_2021_and_2022(daily, shared_file):
    """Published highest day of 2021 and highest and lowest of 2022 (Hashrate Index), at their own spot prices."""
    with shared_file("data/published_hashprice.csv").open(newline="", encoding="utf-8") as stream:
        published = {
            (row["period_or_date"], row["statistic"]): float(row["value_usd_per_ph_day"])
            for row in csv.DictReader(stream)
        }
    assert daily.computed["2021"].max() == pytest.approx(published["2021", "max"], rel=0.025)
    difficulty = pd.read_csv(
        shared_file("data/bitcoin_2020_2025/difficulty.csv"), index_col="Date", parse_dates=True
    ).difficulty
    price = pd.read_csv(
        shared_file("data/bitcoin_2020_2025/bitcoin_price.csv"), skiprows=[1, 2], index_col="Price", parse_dates=True
    ).Close
    in_btc = pd.Series(
        hashprice_btc_per_ph_day(difficulty=difficulty.to_numpy(), subsidy_btc=6.25, fee_share_frac=0.0165),
        index=difficulty.index,
    )
    year = (in_btc * price)["2022"].dropna()
    assert len(year) == 365
    assert year.max() == pytest.approx(published["2022", "max"], rel=0.025)
    assert year.min() == pytest.approx(published["2022", "min"], rel=0.025)
