"""Exports of market operators: columns, clocks, quarter-hours, and what is wrong with a file."""

import datetime as dt

import pandas as pd
import pytest

from optimizer.domain import MarketOperator, SeriesFile
from optimizer.errors import SeriesError
from optimizer.io.hourly_files import read_hours
from optimizer.io.market_exports import read_market_export


def written(tmp_path, text, name="export.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def hours(tmp_path, text, operator, place, **options):
    table = read_market_export([written(tmp_path, text)], MarketOperator(operator), place, **options)
    return list(table.itertuples(index=False, name=None))


PJM = "datetime_beginning_utc,datetime_beginning_ept,pnode_name,total_lmp_rt\n"
CAISO = "INTERVALSTARTTIME_GMT,OPR_HR,NODE,LMP_TYPE,MW\n"
ERCOT = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n"
QUARTERS = (
    "Delivery Date,Delivery Hour,Delivery Interval,Repeated Hour Flag,Settlement Point Name,Settlement Point Price\n"
)


def test_pjm_is_read_by_its_utc_column_in_eastern_standard_time(tmp_path):
    text = PJM + "7/8/2025 4:00:00 AM,7/8/2025 12:00:00 AM,WESTERN HUB,31.5\n7/8/2025 5:00:00 AM,x,AEP,1\n"
    assert hours(tmp_path, text, "pjm", "WESTERN HUB") == [("2025-07-07T23:00", 31.5)]


def test_caiso_takes_the_price_and_not_its_components(tmp_path):
    rows = "2025-01-01T08:00:00-00:00,1,TH_NP15,LMP,40\n2025-01-01T08:00:00-00:00,1,TH_NP15,MCC,-3\n"
    assert hours(tmp_path, CAISO + rows, "caiso", "TH_NP15") == [("2025-01-01T00:00", 40.0)]


def test_ercot_hours_end_and_summer_is_an_hour_earlier(tmp_path):
    text = ERCOT + "01/05/2025,01:00,HB_WEST,20,N\n01/05/2025,24:00,HB_WEST,21,N\n07/05/2025,01:00,HB_WEST,22,N\n"
    expected = [("2025-01-05T00:00", 20.0), ("2025-01-05T23:00", 21.0), ("2025-07-04T23:00", 22.0)]
    assert hours(tmp_path, text, "ercot", "HB_WEST") == expected


def test_the_hour_that_autumn_repeats_is_two_hours(tmp_path):
    rows = ["11/02/2025,01:00,A,1,N", "11/02/2025,02:00,A,2,N", "11/02/2025,02:00,A,3,Y", "11/02/2025,03:00,A,4,N"]
    found = hours(tmp_path, ERCOT + "\n".join(rows), "ercot", "A")
    assert found == [
        ("2025-11-01T23:00", 1.0),
        ("2025-11-02T00:00", 2.0),
        ("2025-11-02T01:00", 3.0),
        ("2025-11-02T02:00", 4.0),
    ]


def test_quarter_hours_become_their_mean_and_a_part_of_an_hour_becomes_nothing(tmp_path):
    rows = [
        f"01/05/2025,{hour},{quarter},N,HB_WEST,{10 * hour + quarter}" for hour in (1, 2) for quarter in (1, 2, 3, 4)
    ]
    assert hours(tmp_path, QUARTERS + "\n".join(rows[:-1]), "ercot", "HB_WEST") == [("2025-01-05T00:00", 12.5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '"MTU (UTC)","Area","Day-ahead Price (EUR/MWh)"\n"01/07/2025 00:00:00 - 01/07/2025 01:00:00","BZN|FR","50"\n',
            "2025-07-01T01:00",
        ),
        (
            '"MTU (CET/CEST)","Area","Day-ahead Price [EUR/MWh]"\n"01.07.2025 02:00 - 01.07.2025 03:00","BZN|FR","50"\n',
            "2025-07-01T01:00",
        ),
    ],
)
def test_entso_e_in_either_zone_becomes_dollars_at_the_stated_rate(text, expected, tmp_path):
    assert hours(tmp_path, text, "entso-e", "BZN|FR", usd_per_eur=1.1) == [(expected, pytest.approx(55.0))]


def test_the_repeated_hour_of_central_europe_is_told_by_the_order_of_rows(tmp_path):
    units = ["26.10.2025 01:00", "26.10.2025 02:00", "26.10.2025 02:00", "26.10.2025 03:00"]
    rows = "".join(f'"{unit} - x","BZN|FR","{price}"\n' for price, unit in enumerate(units))
    found = hours(
        tmp_path, '"MTU (CET/CEST)","Area","Day-ahead Price [EUR/MWh]"\n' + rows, "entso-e", "BZN|FR", usd_per_eur=1.0
    )
    assert found == [(f"2025-10-26T0{hour}:00", float(hour)) for hour in range(4)]


def test_a_price_that_is_not_there_leaves_its_hour_out(tmp_path):
    rows = '"01.07.2025 02:00 - x","BZN|FR","-"\n"01.07.2025 03:00 - x","BZN|FR","7"\n'
    found = hours(
        tmp_path, '"MTU (CET/CEST)","Area","Day-ahead Price [EUR/MWh]"\n' + rows, "entso-e", "BZN|FR", usd_per_eur=1.0
    )
    assert found == [("2025-07-01T02:00", 7.0)]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        (PJM + "7/8/2025 4:00:00 AM,x,AEP,1\n", "AEPP", "has no prices at 'AEPP'; did you mean 'AEP'"),
        (PJM + "7/8/2025 4:00:00 AM,x,AEP,dear\n", "AEP", "row 2: 'dear' is not a price"),
        (PJM + "7/8/2025 4:00:00 AM,x,AEP,\n", "AEP", "AEP: has no price in any row"),
        (ERCOT + "01/05/2025,25:00,A,1,N\n", "A", "row 2: hour '25:00'; hours run from 1 to 24"),
        (PJM + "noon AM,x,AEP,1\n", "AEP", "row 2: 'noon AM' is not a time"),
        (PJM + 2 * "7/8/2025 4:00:00 AM,x,AEP,1\n", "AEP", "2025-07-07 23:00 stands twice; keep one file"),
        (CAISO + "2025-01-01T08:00:00-00:00,1,A,LMP,40\n", "A", "no column 'pnodename'; it has INTERVALSTARTTIME_GMT"),
    ],
)
def test_what_is_wrong_is_named(text, place, told, tmp_path):
    with pytest.raises(SeriesError, match=told):
        hours(tmp_path, text, "ercot" if text.startswith(ERCOT) else "pjm", place)


def test_euros_need_a_rate_and_dollars_must_not_have_one(tmp_path):
    with pytest.raises(SeriesError, match=r"usd_per_eur: is missing: prices of ENTSO-E are in EUR; state it"):
        hours(tmp_path, "", "entso-e", "BZN|FR")
    with pytest.raises(SeriesError, match=r"usd_per_eur: is for the euros of ENTSO-E; drop it"):
        hours(tmp_path, "", "pjm", "AEP", usd_per_eur=1.1)


def test_a_year_of_ercot_in_monthly_files_is_a_series_without_gaps_or_repeats(tmp_path):
    clock = pd.date_range("2025-01-01 06:00", "2026-01-01 05:00", freq="h", tz="UTC").tz_convert("America/Chicago")
    frame = pd.DataFrame(
        {
            "DeliveryDate": clock.strftime("%m/%d/%Y"),
            "HourEnding": [f"{hour + 1:02d}:00" for hour in clock.hour],
            "SettlementPoint": "HB_WEST",
            "SettlementPointPrice": range(len(clock)),
            "DSTFlag": ["Y" if moment.fold else "N" for moment in clock],
        }
    )
    files = [tmp_path / f"{month}.csv" for month in range(1, 13)]
    for file, (_, rows) in zip(files, frame.groupby(clock.month), strict=True):
        rows.to_csv(file, index=False)
    read_market_export(files, MarketOperator.ERCOT, "HB_WEST").to_csv(tmp_path / "west.csv", index=False)
    read = read_hours(tmp_path / "west.csv", SeriesFile(path="west.csv"), "series[0].file")
    assert read.first_hour == dt.datetime(2025, 1, 1)
    assert read.usd_per_mwh == tuple(map(float, range(8760)))
    assert read.filled_hour_count == 0
