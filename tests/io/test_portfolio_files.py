"""Portfolio files: lossless round trips, and errors that name path, value and fix."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.io import (
    dump_portfolio,
    dump_without_files,
    fingerprint,
    load_portfolio,
    parse_portfolio,
    portfolio_schema,
    save_portfolio,
)
from optimizer.io.text import parse_text
from optimizer.library.portfolios import example_names

TINY = dump_portfolio(load_portfolio("tiny"))


def problems(change) -> list[str]:
    """The problems of the tiny portfolio after ``change`` has been applied to its data."""
    data = copy.deepcopy(TINY)
    change(data)
    with pytest.raises(InvalidInputError) as caught:
        parse_portfolio(data, None, "tiny")
    return [str(item) for item in caught.value.problems]


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_round_trip_is_lossless(name, suffix, tmp_path):
    original = load_portfolio(name)
    save_portfolio(original, tmp_path / f"copy{suffix}")
    again = load_portfolio(tmp_path / f"copy{suffix}")
    assert again == original
    assert dump_portfolio(again) == dump_portfolio(original)
    assert fingerprint(again) == fingerprint(original)


def test_the_fingerprint_sees_hours_and_ignores_where_they_come_from(tmp_path):
    original = load_portfolio("tiny")
    inline = dump_portfolio(original)
    hours = original.series[0].hours
    inline["series"] = [{"name": "west", "hours": hours.model_dump(mode="json")}]
    same = parse_portfolio(inline, None, "inline")
    assert fingerprint(same) == fingerprint(original)
    inline["series"][0]["hours"]["usd_per_mwh"][100] += 1.0
    assert fingerprint(parse_portfolio(inline, None, "inline")) != fingerprint(original)


def test_a_portfolio_without_files_means_the_same_and_can_be_read_anywhere():
    data = dump_portfolio(load_portfolio("tiny"))
    market = {name: value for name, value in data["market"].items() if name != "uncertainty"}
    columns = [{"factor": "btc_price", "column": "usd"}]
    history = [{"factor": "btc_price", "values": [100.0 + month for month in range(40)]}]
    paths = [{"factor": "btc_price", "scenarios": [{"values": [1.0, 1.5]}, {"values": [1.0, 0.5]}]}]
    hours = load_portfolio("tiny").series[0].hours.model_dump(mode="json")
    data["series"] = [{"name": "west", "file": {"path": "west.csv"}, "hours": hours}]
    for part in (
        {"bootstrap": {"file": {"path": "f.csv", "columns": columns}, "history": history}},
        {"scenario_table": {"file": {"path": "f.csv", "columns": columns}, "paths": paths}},
    ):
        stated = {**data, "market": {**market, **part}}
        loaded = Portfolio.model_validate(stated)
        portable = dump_without_files(loaded)
        assert ".csv" not in json.dumps(portable)
        assert fingerprint(parse_portfolio(portable, None, "portable")) == fingerprint(loaded)
        assert dump_portfolio(loaded)["series"][0].keys() == {"name", "file"}  # what is dumped with files is as it was
    assert dump_without_files(load_portfolio("tiny")) == dump_portfolio(load_portfolio("tiny"))


def test_examples_obey_the_published_schema():
    validator = jsonschema.Draft202012Validator(portfolio_schema())
    for name in example_names():
        assert list(validator.iter_errors(dump_portfolio(load_portfolio(name)))) == []
    wrong = copy.deepcopy(TINY)
    wrong["sites"][0]["hall_mw"] = "95 MW"
    wrong["sites"][1]["hal_mw"] = 3
    assert len(list(validator.iter_errors(wrong))) == 2


def test_the_schema_names_units_and_meanings():
    offer = portfolio_schema()["$defs"]["Offer"]["properties"]["price_usd_per_kw_month"]
    assert offer["x-unit"] == "USD/kW-month"
    assert offer["maximum"] == 2000
    assert "per kW of critical IT" in offer["description"]


def set_at(*path_and_value):
    *path, value = path_and_value

    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (set_at("offers", 0, "price_usd_per_kw_month", 150_000), ["offers[0].price_usd_per_kw_month", "150,000", "150 USD/kW-month"]),
        (
            set_at("asic_models", 0, "modes", [{"hashrate_th_s": 1, "power_w": 20_000, "efficiency_j_per_th": 20}]),
            ["asic_models[0].modes[0]", "20,000 W over 1 TH/s", "2e+04 J/TH"],
        ),
        (
            set_at("asic_models", 0, "modes", [{"hashrate_th_s": 100, "power_w": 2_000, "efficiency_j_per_th": 21}]),
            ["asic_models[0].modes[0]", "is 20 J/TH, not 21"],
        ),
        (set_at("sites", 0, "hal_mw", 3), ["sites[0].hal_mw", "unknown key", "did you mean 'hall_mw'"]),
        (set_at("sites", 1, "name", "Pecos"), ["sites[1].name", "'Pecos' is used twice"]),
        (set_at("fleets", 0, "site", "Pekos"), ["fleets[0].site", "no site is named 'Pekos'", "did you mean 'Pecos'"]),
        (set_at("sites", 0, "power", "hourly_series", "east"), ["sites[0].power.hourly_series", "'east'", "'west'"]),
        (set_at("offers", 0, "energize_by_month", "2027-06"), ["offers[0].sites[0]", "2027-06", "before 2028-03"]),
        (
            set_at("offers", 0, "sign_until_month", "2026-01"),
            ["offers[0]", "from 2027-01 until 2026-01", "must not be before"],
        ),
        (set_at("finance", "discount", "mining_per_year_frac", 14), ["mining_per_year_frac", "8 % is 0.08"]),
        (set_at("market", "btc_usd", "90k"), ["market.btc_usd", "'90k' is not a number or a path"]),
        (set_at("sites", 0, "country", "Texas"), ["sites[0].country", "Texas"]),
        (set_at("sites", 0, "grid", 0, "from_month", "2027-13"), ["sites[0].grid[0].from_month", "'2027-13' is not a month"]),
        (set_at("horizon", "start_month", "2035-01"), ["offers[0].sign_until_month", "outside the horizon"]),
        (set_at("offers", 1, "landlord_opex_usd_per_kw_month", None), ["offers[1]", "exactly one of landlord_opex"]),
        (set_at("offers", 0, "phases", 0, "share_frac", 0.6), ["offers[0]", "sum to 1.1"]),
        (set_at("policy", "forbidden", [{"offer": "chip-lab", "site": "Oslo"}]), ["policy.forbidden[0].site", "cannot be placed at 'Oslo'"]),
        (set_at("sites", 0, "hall_mw", True), ["sites[0].hall_mw", "True is not a number"]),
        (set_at("sites", 0, "hall_mw", float("nan")), ["sites[0].hall_mw"]),
        (set_at("series", 0, "library", "ercot-wst"), ["series[0].library", "ercot-wst", "did you mean 'ercot-west'"]),
    ],
)  # fmt: skip
def test_each_mistake_names_its_path_and_value_and_fix(change, expected):
    found = problems(change)
    assert [item for item in found if all(words in item for words in expected)], found
    assert len({item.partition("]")[0] for item in found}) <= 3, found


def test_all_mistakes_are_told_at_once():
    def change(data):
        data["sites"][0]["hall_mw"] = -1
        data["offers"][1]["term_months"] = 0
        data["colour"] = "blue"
        data["sites"].append(dict(data["sites"][1]))

    found = problems(change)
    assert len(found) == 4, found


def test_tenants_default_once():
    def change(data):
        data["offers"][1] |= {"tenant": "Northern Cloud"}

    (found,) = problems(change)
    assert "hazard of 0 here and 0.04 before" in found


def test_yaml_means_what_people_mean():
    data = parse_text("country: NO\nmoney: 1e6\nmonth: 2027-01\nyes: off\nlist: [1_000, 2.5]\n", ".yaml", "x", "x")
    assert data == {"country": "NO", "money": 1e6, "month": "2027-01", "yes": "off", "list": [1000, 2.5]}
    assert isinstance(data["money"], float)


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ".yaml", "key 'a' stands twice"),
        ("a: [1\n", ".yaml", "is not YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", ".yaml", "is not YAML"),
        ("{", ".json", "is not JSON"),
        ("[" * 100_000, ".json", "nested too deeply"),
        ("a: 1", ".toml", "use .yaml, .yml or .json"),
    ],
)
def test_unreadable_text_is_told_with_its_line(text, suffix, expected):
    with pytest.raises(InvalidInputError, match=expected):
        parse_text(text, suffix, "x", "x")


def test_a_name_that_is_nothing_lists_what_there_is():
    with pytest.raises(NotFoundError, match="did you mean 'tiny'"):
        load_portfolio("tinny")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InvalidInputError, match="No such file"):
        load_portfolio(tmp_path / "no.yaml")


def test_schema_is_json():
    assert json.loads(json.dumps(portfolio_schema()))["title"] == "Portfolio"
