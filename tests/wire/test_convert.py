"""Domain object to message and back."""

import datetime as dt

import pytest
import question_cases
import wire_cases
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.api.v1 import portfolio_pb2
from optimizer.domain import Plan, Portfolio, Progress, SolveOptions, ValuePath
from optimizer.domain.alternatives import Alternatives
from optimizer.domain.backtest import Backtest
from optimizer.domain.break_evens import BreakEvens
from optimizer.domain.comparison import Comparison
from optimizer.domain.curves import HashingCurve, HashingCurveSpec, ThroughputCurve, ThroughputCurveSpec
from optimizer.domain.diagnosis import Diagnosis
from optimizer.domain.evaluation import Evaluation
from optimizer.domain.explanation import Explanation
from optimizer.domain.frontier import Frontier
from optimizer.domain.one_more import OneMore
from optimizer.domain.replan import Replan
from optimizer.domain.simulation import Simulation
from optimizer.domain.stochastic_value import StochasticValue
from optimizer.domain.sweep import Sweep
from optimizer.errors import InvalidInputError
from optimizer.wire.convert import from_bytes, parse, to_bytes, to_data, to_message

VALUES = [
    wire_cases.rich_portfolio(),
    wire_cases.small_portfolio(),
    wire_cases.rich_plan(),
    wire_cases.options(),
    wire_cases.filled(Progress),
    wire_cases.hashing_spec(),
    wire_cases.hourly_hashing_spec(),
    wire_cases.throughput_spec(),
    wire_cases.throughput_spec(failures_per_1000_gpu_days=0.0),
    wire_cases.filled(HashingCurve),
    question_cases.evaluation_spec(),
    wire_cases.filled(Evaluation),
    question_cases.comparison_spec(),
    wire_cases.filled(Comparison),
    question_cases.diagnosis_spec(),
    wire_cases.filled(Diagnosis),
    question_cases.explanation_spec(),
    wire_cases.filled(Explanation),
    question_cases.frontier_spec(),
    wire_cases.filled(Frontier),
    question_cases.alternatives_spec(),
    question_cases.replan_spec(),
    question_cases.sweep_spec(),
    wire_cases.filled(Sweep),
    wire_cases.filled(Replan),
    wire_cases.filled(Alternatives),
    question_cases.stochastic_value_spec(),
    wire_cases.filled(StochasticValue),
    question_cases.break_evens_spec(),
    wire_cases.filled(BreakEvens),
    question_cases.one_more_spec(),
    wire_cases.filled(OneMore),
    question_cases.simulation_spec(),
    wire_cases.filled(Simulation),
    question_cases.backtest_spec(),
    wire_cases.filled(Backtest),
    wire_cases.filled(ThroughputCurve),
]


def stated(value):
    """What was stated, part by part."""
    return [(type(part).__name__, part.model_fields_set) for part in wire_cases.parts(value)]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_the_same_with_what_was_stated(value):
    back = from_bytes(type(value), to_bytes(value))
    assert back == value
    assert stated(back) == stated(value)
    assert to_message(back) == to_message(value)


def test_defaults_are_not_written():
    message = to_message(SolveOptions(seed=0))
    assert [field.name for field, _ in message.ListFields()] == ["seed"]


def test_an_empty_list_and_none_count_as_not_stated():
    data = wire_cases.small_data() | {"offers": (), "series": ()}
    back = from_bytes(Portfolio, to_bytes(Portfolio.model_validate(data)))
    assert "offers" not in back.model_fields_set


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
months = st.dates(dt.date(1, 1, 1), dt.date(9998, 12, 31)).map(lambda day: day.replace(day=1))
paths = st.one_of(
    st.builds(ValuePath, value=numbers),
    st.builds(ValuePath, value=numbers, growth_per_year_frac=st.floats(-0.9, 5.0)),
    st.dictionaries(months, numbers, min_size=1, max_size=5).map(
        lambda steps: ValuePath.model_validate(
            {"points": [{"from_month": month, "value": steps[month]} for month in sorted(steps)]}
        )
    ),
)


@settings(max_examples=100, deadline=None)
@given(paths)
def test_any_path_comes_back_the_same(path):
    back = from_bytes(ValuePath, to_bytes(path))
    assert back == path
    assert stated(back) == stated(path)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_part_left_out_is_told_as_in_a_file(data):
    """Whatever is left out of the rich portfolio, message and file lead to the same portfolio or the same problems."""
    content = wire_cases.rich_data()
    content["series"][0].pop("library")
    content["series"] = content["series"][:1]
    for _ in range(data.draw(st.integers(1, 3))):
        holder = content
        while True:
            key = data.draw(st.sampled_from(sorted(holder)))
            if not isinstance(holder[key], dict) or data.draw(st.booleans()):
                break
            holder = holder[key]
            if not holder:
                break
        holder.pop(key, None)
        if not content:
            break
    message = message_of(content)
    assert outcome(lambda: parse(Portfolio, message, "portfolio")) == outcome(lambda: from_file(content))


def message_of(content):
    """The message of plain data, built without the domain: by protobuf's own JSON reader."""
    from google.protobuf import json_format

    return json_format.ParseDict(json_of(content), portfolio_pb2.PortfolioSpec())


def json_of(item, key=""):
    if isinstance(item, dict):
        shaped = item if key in ("points", "critical_mw_range") else reshaped(item)
        return {name: json_of(value, name) for name, value in shaped.items()}
    if isinstance(item, list):
        return [json_of(value, key) for value in item]
    if isinstance(item, dt.datetime):
        return {"year": item.year, "month": item.month, "day": item.day, "hours": item.hour}
    if key.endswith("month") and isinstance(item, str):
        year, month = item.split("-")
        return {"year": int(year), "month": int(month), "day": 1}
    if key in PATHS and isinstance(item, float):
        return {"value": item}
    return ENUMS.get((key, item), item) if isinstance(item, str) else item


PATHS = {"btc_usd", "network_eh_s", "fee_share_frac", "power_level", "re_lease_rent_usd_per_kw_month"}
ENUMS = {
    ("factor", "btc_price"): "FACTOR_BTC_PRICE",
    ("factor", "power_price"): "FACTOR_POWER_PRICE",
    ("market_factor", "btc_price"): "FACTOR_BTC_PRICE",
    ("first", "btc_price"): "FACTOR_BTC_PRICE",
    ("second", "power_price"): "FACTOR_POWER_PRICE",
    ("factor", "network_hashrate"): "FACTOR_NETWORK_HASHRATE",
    ("factor", "gpu_rental"): "FACTOR_GPU_RENTAL",
    ("factor", "re_lease_rent"): "FACTOR_RE_LEASE_RENT",
    ("difficulty", "retarget"): "DIFFICULTY_RULE_RETARGET",
    ("unit", "multiplier"): "TABLE_UNIT_MULTIPLIER",
    ("cap_curve", "a100-training"): "CAP_CURVE_A100_TRAINING",
    ("power_payer", "landlord"): "POWER_PAYER_LANDLORD",
    ("objective", "enterprise_value"): "OBJECTIVE_ENTERPRISE_VALUE",
    ("basis", "hashrate"): "DOMESTIC_BASIS_HASHRATE",
    ("use", "hosting"): "POWER_USE_HOSTING",
}


def reshaped(item):
    out = dict(item)
    if "maximum_critical_mw" in out:
        out["critical_mw_range"] = {key: out.pop(key) for key in ("minimum_critical_mw", "maximum_critical_mw")}
    if isinstance(out.get("points"), list) and "from_month" in out["points"][0]:
        out["points"] = {"points": out["points"]}
    return out


def from_file(content):
    from optimizer.domain import validated

    return validated(Portfolio, content, "portfolio")


def outcome(call):
    try:
        return call()
    except InvalidInputError as error:
        return [(problem.path, problem.message, problem.fix) for problem in error.problems]


# ------------------------------------------------------------------------------------------------------ what is refused


def problems(message):
    with pytest.raises(InvalidInputError) as caught:
        parse(Portfolio, message, "portfolio")
    return {problem.path: str(problem) for problem in caught.value.problems}


@pytest.fixture
def message():
    return to_message(wire_cases.rich_portfolio())


def test_an_empty_message_is_told_what_is_missing():
    told = problems(portfolio_pb2.PortfolioSpec())
    assert set(told) == {"name", "horizon", "sites", "market", "finance"}


@pytest.mark.parametrize(
    ("path", "clear"),
    [
        ("sites[1].power", lambda m: m.sites[1].power.ClearField("flat_usd_per_mwh")),
        ("market.btc_usd", lambda m: m.market.btc_usd.ClearField("value")),
        ("offers[0]", lambda m: m.offers[0].ClearField("critical_mw")),
        ("offers[0]", lambda m: m.offers[0].ClearField("landlord_opex_usd_per_kw_month")),
        ("series[0]", lambda m: (m.series[0].ClearField("library"), m.series[0].ClearField("hours"))),
    ],
)
def test_an_open_oneof_is_told_by_its_path(message, path, clear):
    clear(message)
    assert path in problems(message)


@pytest.mark.parametrize("number", [0, 77, -1])
def test_an_unspecified_or_unknown_enum_is_refused(message, number):
    message.offers[0].power_payer = number
    message.market.uncertainty[0].factor = number
    told = problems(message)
    assert "is not one of 'tenant' or 'landlord'" in told["offers[0].power_payer"]
    assert "market.uncertainty[0].factor" in told


@pytest.mark.parametrize(("year", "month", "day"), [(2027, 13, 1), (2027, 0, 1), (0, 1, 1), (2027, 1, 2), (-5, 1, 1)])
def test_a_bad_month_is_refused(message, year, month, day):
    start = message.horizon.start_month
    start.year, start.month, start.day = year, month, day
    assert "is not a month" in problems(message)["horizon.start_month"]


def test_a_month_without_day_is_the_first(message):
    message.horizon.start_month.day = 0
    assert parse(Portfolio, message, "portfolio").horizon.start_month == dt.date(2027, 1, 1)


def test_a_first_hour_must_be_local_and_whole(message):
    message.series[0].hours.first_hour.minutes = 5
    message.series[1].hours.first_hour.utc_offset.FromSeconds(3600)
    message.series[2].hours.first_hour.month = 14
    assert {"series[0].hours", "series[1].hours", "series[2].hours.first_hour"} <= set(problems(message))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0])
def test_a_number_that_is_none_is_refused(message, number):
    message.sites[0].hall_mw = number
    assert "sites[0].hall_mw" in problems(message)


def test_half_a_range_is_refused(message):
    message.offers[1].critical_mw_range.ClearField("minimum_critical_mw")
    assert "offers[1]" in problems(message)


def test_plain_data_holds_only_what_is_set():
    data = to_data(Portfolio, to_message(wire_cases.small_portfolio()))
    assert set(data) == set(wire_cases.small_data())


def test_a_message_of_another_kind_is_no_plan():
    with pytest.raises(InvalidInputError):
        from_bytes(Plan, Timestamp(seconds=5).SerializeToString())


@pytest.mark.parametrize("kind", [HashingCurveSpec, ThroughputCurveSpec])
def test_an_empty_question_is_refused(kind):
    with pytest.raises(InvalidInputError):
        from_bytes(kind, b"")
