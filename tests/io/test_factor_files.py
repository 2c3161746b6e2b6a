"""Histories and scenario tables from files, and markets that refer to them."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
import support
import yaml

from optimizer.domain.uncertainty import Factor, FactorFile
from optimizer.errors import InvalidInputError, SeriesError
from optimizer.io import load_portfolio, save_portfolio
from optimizer.io.factor_files import read_history, read_scenarios
from optimizer.io.portfolios import fingerprint

COLUMNS = [{"factor": "btc_price", "column": "usd"}, {"factor": "network_hashrate", "column": "eh_s"}]


def spec(**other):
    return FactorFile.model_validate({"path": "f.csv", "columns": COLUMNS, **other})


def written(tmp_path, frame):
    frame.to_csv(tmp_path / "f.csv", index=False)
    return tmp_path / "f.csv"


def daily(days=100):
    index = pd.date_range("2021-01-01", periods=days, freq="D")
    return pd.DataFrame({"month": index, "usd": range(1, days + 1), "eh_s": 2.0})


def test_days_are_averaged_by_month_in_any_order(tmp_path):
    frame = daily().sample(frac=1.0, random_state=1)
    history = read_history(written(tmp_path, frame), spec(), "market.bootstrap.file")
    assert history[Factor.NETWORK_HASHRATE] == (2.0,) * 4
    assert history[Factor.BTC_PRICE] == pytest.approx((16.0, 45.5, 75.0, 95.5))


def test_the_ends_of_months_are_the_last_days(tmp_path):
    frame = daily().sample(frac=1.0, random_state=1)
    history = read_history(written(tmp_path, frame), spec(), "p", month_ends=True)
    assert history[Factor.BTC_PRICE] == (31.0, 59.0, 90.0, 100.0)


def test_months_are_taken_as_they_are(tmp_path):
    frame = pd.DataFrame({"month": ["2021-02", "2021-01"], "usd": [7, 5], "eh_s": [1, 2]})
    assert read_history(written(tmp_path, frame), spec(), "p")[Factor.BTC_PRICE] == (5.0, 7.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.rename(columns={"usd": "price"}), "no column 'usd'.*it has month, price, eh_s"),
        (lambda frame: frame.rename(columns={"month": "day"}), "no column 'month'"),
        (lambda frame: frame.assign(usd=0.0), "row 2: usd is 0.0.*positive"),
        (lambda frame: frame.assign(usd=["x", *frame.usd.astype(str)[1:]]), "row 2: usd is 'x'"),
        (lambda frame: pd.concat([frame, frame[3:4]]), "row 102: 2021-01-04.* stands twice"),
        (lambda frame: frame.assign(month="May"), "row 2: 'May' is not a month"),
        (lambda frame: frame[(frame.month < "2021-02-01") | (frame.month >= "2021-03-01")], "no value in 2021-02"),
    ],
)
def test_a_bad_history_names_place_value_and_fix(change, message, tmp_path):
    with pytest.raises(SeriesError, match=f"(?s)market.bootstrap.file.*{message}"):
        read_history(written(tmp_path, change(daily())), spec(), "market.bootstrap.file")


def table():
    rows = [(s, f"2027-{m:02}", 10 * s + m, 900.0) for s in (2, 1) for m in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["scenario", "month", "usd", "eh_s"])


def test_scenarios_come_in_the_order_of_their_numbers(tmp_path):
    found = read_scenarios(written(tmp_path, table()), spec(), "p", dt.date(2027, 1, 1))
    assert found[Factor.BTC_PRICE] == [(11.0, 12.0, 13.0), (21.0, 22.0, 23.0)]
    assert found[Factor.NETWORK_HASHRATE] == [(900.0,) * 3] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(index=1), "every month from 2027-01 to 2027-03"),
        (lambda frame: frame[frame.month != "2027-02"], "every month"),
        (lambda frame: pd.concat([frame, frame[:1]]), "row 8: scenario 2 has 2027-01 twice"),
        (lambda frame: frame.rename(columns={"scenario": "n"}), "no column 'scenario'"),
        (lambda frame: frame.assign(scenario=[1, None, 1, 2, 2, 2]), "row 3: scenario is empty"),
        (lambda frame: frame.assign(month=frame.month.str.replace("2027", "2028")), "without the first month 2027-01"),
    ],
)
def test_a_bad_table_names_place_and_fix(change, message, tmp_path):
    with pytest.raises(SeriesError, match=message):
        read_scenarios(written(tmp_path, change(table())), spec(), "market.scenario_table.file", dt.date(2027, 1, 1))


def test_scenarios_are_taken_from_the_first_month_of_the_horizon_on(tmp_path):
    found = read_scenarios(written(tmp_path, table()), spec(), "p", dt.date(2027, 2, 1))
    assert found[Factor.BTC_PRICE] == [(12.0, 13.0), (22.0, 23.0)]


def test_days_are_local_days_whatever_the_offset(tmp_path):
    frame = pd.DataFrame(
        {"month": ["2021-01-31T23:00:00-06:00", "2021-02-01T23:30:00-05:00"], "usd": [1.0, 3.0], "eh_s": [1.0, 1.0]}
    )
    assert read_history(written(tmp_path, frame), spec(), "p")[Factor.BTC_PRICE] == (1.0, 3.0)


def portfolio_file(tmp_path, **market):
    data = support.portfolio(sites=[support.site()], risk={"scenario_count": 4}).model_dump(
        mode="json", exclude_unset=True
    )
    data["market"] |= market
    path = tmp_path / "portfolio.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


OVERLAY = {"name": "w", "probability_frac": 0.5, "begin_from_month": "2027-01", "begin_until_month": "2028-01"}


def test_a_portfolio_takes_overlays_histories_and_tables_and_writes_what_was_stated(tmp_path):
    written(tmp_path, daily(800)).rename(tmp_path / "h.csv")
    table().to_csv(tmp_path / "t.csv", index=False)
    path = portfolio_file(
        tmp_path,
        overlays=[OVERLAY | {"preset": "ai-bust"}],
        bootstrap={"file": {"path": "h.csv", "columns": COLUMNS[:1]}},
        scenario_table={"file": {"path": "t.csv", "columns": COLUMNS[1:]}, "unit": "level"},
    )
    loaded = load_portfolio(path)
    assert {effect.factor for effect in loaded.market.overlays[0].effects} == {"gpu_rental", "re_lease_rent"}
    assert len(loaded.market.bootstrap.history[0].values) == 27
    assert loaded.market.scenario_table.scenario_count == 2
    copy = tmp_path / "copy.yaml"
    save_portfolio(loaded, copy)
    assert "effects" not in copy.read_text()
    assert "values" not in copy.read_text()
    again = load_portfolio(copy)
    assert again == loaded
    assert fingerprint(again) == fingerprint(loaded)


def test_the_fingerprint_is_of_the_numbers_not_of_the_file(tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    stated = {"file": {"path": "t.csv", "columns": COLUMNS[:1]}}
    one = load_portfolio(portfolio_file(tmp_path, scenario_table=stated))
    (tmp_path / "t.csv").rename(tmp_path / "u.csv")
    stated["file"]["path"] = "u.csv"
    other = load_portfolio(portfolio_file(tmp_path, scenario_table=stated))
    assert fingerprint(one) == fingerprint(other)
    table().assign(usd=90.0).to_csv(tmp_path / "u.csv", index=False)
    assert fingerprint(load_portfolio(portfolio_file(tmp_path, scenario_table=stated))) != fingerprint(other)


@pytest.mark.parametrize(
    ("market", "message"),
    [
        ({"overlays": [OVERLAY | {"preset": "ai-burst"}]}, r"overlays\[0\].preset.*ai-bust"),
        ({"overlays": [OVERLAY]}, "no effect"),
        ({"overlays": [OVERLAY | {"preset": "ai-bust"}] * 2}, "used twice"),
        ({"overlays": [OVERLAY | {"preset": "ai-bust", "begin_from_month": "2020-01"}]}, "before the horizon"),
        ({"overlays": [OVERLAY | {"default_hazard": [{"month_offset": 3, "multiplier": 2}]}]}, "month_offset 0"),
        ({"bootstrap": {"file": {"path": "none.csv", "columns": COLUMNS}}}, "market.bootstrap.file.*none.csv"),
        ({"bootstrap": {}}, "a file or a history"),
        (
            {"overlays": [OVERLAY | {"preset": "ai-bust", "default_hazard": [{"month_offset": 0, "multiplier": 2}]}]},
            r"overlays\[0\].default_hazard.*drop one of the two",
        ),
        ({"bootstrap": {"history": [{"factor": "btc_price", "values": [1.0] * 12}]}}, "12 months of history"),
        (
            {
                "bootstrap": {"history": [{"factor": "btc_price", "values": [1.0] * 24}]},
                "uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.5}],
            },
            "btc_price has more than one source",
        ),
        (
            {"scenario_table": {"paths": [{"factor": "btc_price", "scenarios": [{"values": [1.0]}] * 3}]}},
            r"4 scenarios do not take each of the 3.*use a multiple of it, as 3",
        ),
        (
            {
                "scenario_table": {
                    "unit": "level",
                    "paths": [{"factor": "gpu_rental", "scenarios": [{"values": [1.0]}]}],
                }
            },
            "GPU rental differs by option",
        ),
    ],
)
def test_a_bad_market_is_refused_with_path_and_fix(market, message, tmp_path):
    with pytest.raises(InvalidInputError, match=f"(?s){message}"):
        load_portfolio(portfolio_file(tmp_path, **market))
