"""What is stored, listed, refused and computed at once, over a real connection (long: every call is in it)."""

import grpc
import pytest
import question_cases
import wire_cases
from calls import OPTIONS, portfolio_for, refused

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1.resources_pb2 import Plan
from optimizer.app.alternatives import alternatives
from optimizer.app.backtest import backtest
from optimizer.app.break_evens import break_evens
from optimizer.app.cluster_curves import cluster_curve, cluster_value
from optimizer.app.comparison import compare
from optimizer.app.curves import mode_breakevens
from optimizer.app.diagnosis import diagnose
from optimizer.app.evaluation import evaluate
from optimizer.app.explanation import explain
from optimizer.app.frontier import frontier
from optimizer.app.market import calibrate_market, market_fan
from optimizer.app.merit_order import site_merit_order
from optimizer.app.network_curves import network_curve
from optimizer.app.one_more import one_more
from optimizer.app.replan import replan
from optimizer.app.simulation import simulate
from optimizer.app.stochastic_value import stochastic_value
from optimizer.app.sweep import sweep
from optimizer.domain import Decisions, Placement, Portfolio, SolveOptions, validated
from optimizer.domain.alternatives import AlternativesSpec
from optimizer.domain.backtest import BacktestSpec
from optimizer.domain.break_evens import BreakEvensSpec
from optimizer.domain.comparison import Baseline, ComparisonSpec
from optimizer.domain.curves import BreakevenSpec
from optimizer.domain.diagnosis import DiagnosisSpec
from optimizer.domain.explanation import ExplanationSpec
from optimizer.domain.frontier import FrontierSpec
from optimizer.domain.market_answers import MarketCalibrationSpec, MarketFanSpec
from optimizer.domain.one_more import OneMoreSpec
from optimizer.domain.replan import ReplanSpec
from optimizer.domain.simulation import SimulationSpec
from optimizer.domain.stochastic_value import StochasticValueSpec
from optimizer.domain.sweep import SweepSpec, SweptAssumption
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.service.server import Server
from optimizer.wire.convert import to_message


@pytest.fixture(scope="module")
def server():
    """A server that computes no plans, so that it starts no processes."""
    with Server("127.0.0.1:0", workers=0) as running:
        yield running


# ---------------------------------------------------------------------------------------------------- stored, and asked


def test_a_stored_portfolio_comes_back(client):
    record = client.create_portfolio(wire_cases.rich_portfolio())
    assert client.get_portfolio(record.name) == record
    assert record.portfolio == wire_cases.rich_portfolio()


def test_a_request_id_makes_a_thing_once(client):
    first = client.create_portfolio(portfolio_for("quick"), request_id="one")
    assert client.create_portfolio(portfolio_for("quick"), request_id="one") == first
    assert client.create_portfolio(portfolio_for("quick")).name != first.name
    plan = client.create_plan(first.name, request_id="one")
    assert client.create_plan(first.name, request_id="one") == plan
    with pytest.raises(InvalidInputError) as caught:
        client.create_plan(first.name, SolveOptions(seed=5), request_id="one")
    assert [problem.path for problem in caught.value.problems] == ["request_id"]


def test_validate_only_stores_nothing(client, planning):
    checked = client.create_portfolio(portfolio_for("quick"), validate_only=True)
    assert (checked.name, checked.create_time) == ("", None)
    stored = client.create_portfolio(portfolio_for("quick"))
    before = [record.name for record in client.list_plans()]
    assert client.create_plan(stored.name, OPTIONS, validate_only=True) == ""
    assert [record.name for record in client.list_plans()] == before
    request = api.CreatePlanRequest(validate_only=True, plan=Plan(portfolio="portfolios/none"))
    assert refused(lambda: planning.CreatePlan(request))[0] == "NOT_FOUND"


def test_pages_neither_repeat_nor_skip_while_plans_come_in(client, planning):
    stored = client.create_portfolio(portfolio_for("quick")).name
    names = [client.create_plan(stored) for _ in range(5)][::-1]
    page = planning.ListPlans(api.ListPlansRequest(page_size=2))
    client.create_plan(stored)
    after = planning.ListPlans(api.ListPlansRequest(page_size=3, page_token=page.next_page_token))
    assert [plan.name for plan in [*page.plans, *after.plans]] == names
    listed = list(client.list_plans(page_size=2))
    assert len({record.name for record in listed}) == len(listed) >= 6
    assert all(record.plan is None for record in listed)


@pytest.mark.parametrize("token", ["x", "OTk5OTk5OTkgMDEyMzQ1Njc4OWFiY2RlZg==", "IDAxMjM0NTY3ODlhYmNkZWY=", "é"])
def test_a_made_up_token_is_refused(planning, token):
    request = api.ListPlansRequest(page_token=token)
    assert refused(lambda: planning.ListPlans(request)) == ("INVALID_ARGUMENT", "INVALID_INPUT", ["page_token"])
    assert refused(lambda: planning.ListPlans(api.ListPlansRequest(page_size=-1)))[2] == ["page_size"]


# -------------------------------------------------------------------------------------------------------- what is wrong


def test_an_empty_request_names_what_is_missing(planning):
    code, reason, fields = refused(lambda: planning.CreatePortfolio(api.CreatePortfolioRequest()))
    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert fields == ["name", "horizon", "sites", "market", "finance"]
    assert refused(lambda: planning.CreatePlan(api.CreatePlanRequest()))[2] == ["plan.portfolio"]
    assert refused(lambda: planning.GetPlan(api.GetPlanRequest(name="plans/a/b")))[2] == ["name"]
    assert refused(lambda: planning.GetPortfolio(api.GetPortfolioRequest(name="plans/a")))[2] == ["name"]


def test_an_open_oneof_names_its_path(planning):
    request = api.CreatePortfolioRequest()
    request.portfolio.spec.CopyFrom(to_message(wire_cases.small_portfolio()))
    request.portfolio.spec.sites[0].power.Clear()
    assert "sites[0].power" in refused(lambda: planning.CreatePortfolio(request))[2]


def test_a_series_without_its_hours_is_refused(client):
    data = wire_cases.rich_data()
    del data["series"][2]["hours"]
    with pytest.raises(InvalidInputError) as caught:
        client.create_portfolio(Portfolio.model_validate(data))
    assert [problem.path for problem in caught.value.problems] == ["series[2].hours"]


def test_too_many_problems_are_counted(client, planning):
    request = api.CreatePortfolioRequest()
    request.portfolio.spec.CopyFrom(to_message(wire_cases.small_portfolio()))
    for _ in range(500):
        request.portfolio.spec.offers.add(name="x" * 100)
    code, _, fields = refused(lambda: planning.CreatePortfolio(request))
    assert code == "INVALID_ARGUMENT"
    assert 1 <= len(fields) <= 50


def test_problems_of_the_service_are_those_of_the_library(client, planning):
    spec = to_message(wire_cases.rich_portfolio())
    spec.offers[0].sites[0].site = "Odesa"
    spec.finance.opening_cash_usd = -1.0
    request = api.CreatePortfolioRequest()
    request.portfolio.spec.CopyFrom(spec)
    fields = refused(lambda: planning.CreatePortfolio(request))[2]
    assert "finance.opening_cash_usd" in fields


@pytest.mark.parametrize("name", ["Süd-Ölmühle 語", "a\nb\t", "100 % \U0001f600", "x" * 119])
def test_problems_survive_any_text(client, planning, name):
    data = wire_cases.small_data()
    data["policy"] = {"mandatory": [{"offer": name}]}
    spec = to_message(wire_cases.small_portfolio())
    spec.policy.mandatory.add(offer=name)
    record = client.create_portfolio(Portfolio.model_validate(wire_cases.small_data() | {"description": name}))
    assert record.portfolio.description == name
    with pytest.raises(InvalidInputError) as local:
        validated(Portfolio, data, "portfolio")
    request = api.CreatePortfolioRequest()
    request.portfolio.spec.CopyFrom(spec)
    with pytest.raises(InvalidInputError) as remote:
        client._call(planning.CreatePortfolio, request)
    assert remote.value.problems == local.value.problems


def test_bytes_that_are_no_message_are_refused(channel):
    call = channel.unary_unary("/optimizer.api.v1.PlanningService/GetPlan")
    assert refused(lambda: call(b"\xff\xff\xff"))[:2] == ("INVALID_ARGUMENT", "INVALID_INPUT")
    stream = channel.unary_stream("/optimizer.api.v1.PlanningService/WatchPlan")
    assert refused(lambda: list(stream(b"\xff\xff\xff")))[0] == "INVALID_ARGUMENT"


def test_a_message_beyond_the_limit_is_refused(channel):
    call = channel.unary_unary("/optimizer.api.v1.PlanningService/CreatePortfolio")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\x12" + b"x" * (65 * 1024 * 1024))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_unknown_names_are_not_found(client):
    with pytest.raises(NotFoundError, match="portfolios/none"):
        client.get_portfolio("portfolios/none")
    with pytest.raises(NotFoundError, match="plans/none"):
        client.get_plan("plans/none")
    with pytest.raises(NotFoundError):
        client.cancel("plans/none")


# --------------------------------------------------------------------------------------------------------------- curves


def test_a_hashing_curve_rises_and_is_convex(client):
    curve = client.hashing_curve(wire_cases.hashing_spec())
    low, middle, high = (point.margin_usd_per_machine_month for point in curve.points)
    assert 0.0 <= low < middle < high
    assert middle <= (low + high) / 2 + 1e-9
    assert [point.running_hours_frac for point in curve.points][-1] == pytest.approx(1.0)
    for point in curve.points:
        net = point.revenue_usd_per_machine_month - point.power_cost_usd_per_machine_month
        assert point.margin_usd_per_machine_month == pytest.approx(net)


def test_a_machine_at_a_flat_price_is_worked_out_by_hand(client):
    spec = wire_cases.hashing_spec().model_copy(update={"modes": wire_cases.hourly_hashing_spec().modes})
    point = client.hashing_curve(spec).points[2]
    hours = 8760 / 12 * 0.9
    assert point.energy_mwh_per_machine_month == pytest.approx(hours * 3.5e-3 * 1.1)
    assert point.revenue_usd_per_machine_month == pytest.approx(hours / 24 * 60.0 * 0.2 * 0.98)
    assert point.power_cost_usd_per_machine_month == pytest.approx(point.energy_mwh_per_machine_month * 45.0)


def test_a_machine_stops_in_dear_hours(client):
    spec = wire_cases.hourly_hashing_spec().model_copy(update={"hashprice_usd_per_ph_day": (15.0,)})
    (point,) = client.hashing_curve(spec).points
    assert 0.0 < point.running_hours_frac < 1.0
    assert point.margin_usd_per_mw_month > 0.0


def test_the_market_is_answered_as_it_is_locally(client):
    fan = MarketFanSpec(portfolio=wire_cases.small_portfolio(), quantity="btc-price")
    assert client.market_fan(fan) == market_fan(fan)
    history = [{"factor": "btc_price", "values": [100.0 * 1.1 ** ((7 * m) % 11) for m in range(40)]}]
    calibration = MarketCalibrationSpec.model_validate({"history": history})
    assert client.calibrate_market(calibration) == calibrate_market(calibration)


def test_breakevens_are_answered_as_they_are_locally(client):
    modes = wire_cases.hashing_spec().modes
    question = BreakevenSpec(modes=modes, hashprice_usd_per_ph_day=(20.0, 40.0), pue=1.1, pool_fee_frac=0.01)
    assert client.mode_breakevens(question) == mode_breakevens(question)


def test_overlays_of_the_library_come_with_their_effects_over_the_wire(client):
    data = wire_cases.small_data()
    data["horizon"]["segments"][0]["period_count"] = 12
    data["market"]["overlays"] = [
        {
            "name": "winter",
            "preset": "crypto-winter-2022",
            "probability_frac": 1.0,
            "begin_from_month": "2027-01",
            "begin_until_month": "2027-01",
        }
    ]
    bare = Portfolio.model_validate(data)
    fan = client.market_fan(MarketFanSpec(portfolio=bare, quantity="btc-price"))
    assert fan.months[8].mean == pytest.approx(0.36 * fan.months[0].mean)


def test_a_throughput_curve_rises_with_power(client):
    curve = client.throughput_curve(wire_cases.throughput_spec())
    assert len(curve.points) > 3
    assert list(curve.points) == sorted(curve.points, key=lambda point: (point.power_frac, point.throughput_frac))
    assert curve.points[-1].critical_mw == pytest.approx(4096 * 1.9e-3)
    assert curve.points[-1].effective_gpu_count == pytest.approx(4096 * curve.goodput_frac)
    assert 0.5 < curve.goodput_frac < 1.0
    assert curve.checkpoint_interval_s > 60.0


def test_failures_that_never_come_leave_no_interval(client):
    curve = client.throughput_curve(wire_cases.throughput_spec(failures_per_1000_gpu_days=0.0))
    assert curve.checkpoint_interval_s is None
    assert curve.goodput_frac == pytest.approx(1.0, abs=1e-3)


def test_sites_clusters_and_the_network_are_answered_as_they_are_locally(client):
    order = client.merit_order(question_cases.merit_order_spec())
    assert order == site_merit_order(question_cases.merit_order_spec())
    assert len(order.steps) > 1
    assert client.cluster_curve(question_cases.cluster_spec()) == cluster_curve(question_cases.cluster_spec())
    assert client.cluster_value(question_cases.cluster_value_spec()) == cluster_value(
        question_cases.cluster_value_spec()
    )
    assert client.network_curve(question_cases.network_spec()) == network_curve(question_cases.network_spec())


def test_a_plan_is_evaluated_as_it_is_locally(client):
    spec = question_cases.evaluation_spec()
    found = client.evaluate(spec)
    assert found == evaluate(spec)
    assert not found.feasible
    unknown = spec.decisions.contracts[0].model_copy(update={"offer": "Nobody"})
    with pytest.raises(InvalidInputError, match="no offer is named 'Nobody'"):
        client.evaluate(spec.model_copy(update={"decisions": Decisions(contracts=(unknown,))}))


def test_plans_are_compared_as_they_are_locally(client):
    spec = question_cases.comparison_spec()
    found = client.compare(spec)
    assert found == compare(spec)
    assert [item.path for item in found.assumptions] == ["finance.opening_cash_usd"]


def test_a_baseline_is_searched_for_in_a_process_of_its_own(client):
    case = wire_cases.small_portfolio()
    spec = ComparisonSpec(portfolio=case, decisions=Decisions(), baseline=Baseline.MINE_ON)
    found = client.compare(spec)
    assert found.other.feasible
    assert found == compare(spec)
    refused = spec.model_copy(update={"options": SolveOptions(paranoid=True)})
    with pytest.raises(InvalidInputError, match="baselines are solved by HiGHS"):
        client.compare(refused)


def test_a_portfolio_is_diagnosed_in_a_process_of_its_own(client):
    data = {**wire_cases.small_data(), "finance": {"opening_cash_usd": 0.0, "overhead_usd_per_month": 1e5}}
    spec = DiagnosisSpec(portfolio=Portfolio.model_validate(data))
    found = client.diagnose(spec)
    assert found == diagnose(spec)
    assert [item.path for item in found.conflict] == ["finance.opening_cash_usd"]
    with pytest.raises(InvalidInputError, match="diagnoses are solved by HiGHS"):
        client.diagnose(spec.model_copy(update={"options": SolveOptions(paranoid=True)}))


def test_a_placement_is_explained_in_a_process_of_its_own(client):
    lease = {
        "name": "Lease", "tenant": "Cloud", "critical_mw": 10.0, "price_usd_per_kw_month": 10.0, "term_months": 24,
        "sign_from_month": "2027-01", "sign_until_month": "2027-01", "noi_margin_frac": 1.0,
        "sites": [{"site": "Odessa", "capex_usd_per_critical_mw": 1e5, "build_months": 1}],
    }  # fmt: skip
    case = Portfolio.model_validate({**wire_cases.small_data(), "offers": [lease]})
    spec = ExplanationSpec(portfolio=case, decisions=Decisions(), placement=Placement(offer="Lease"))
    found = client.explain(spec)
    assert found == explain(spec)
    assert (found.signed, found.possible) == (False, True)
    with pytest.raises(InvalidInputError, match="no offer is named 'Nobody'"):
        client.explain(spec.model_copy(update={"placement": Placement(offer="Nobody")}))


def test_a_simulation_and_a_backtest_are_made_in_processes_of_their_own(client):
    stated = wire_cases.small_portfolio()
    spec = SimulationSpec(portfolio=stated, path_count=1, every_months=1)
    assert client.simulate(spec) == simulate(spec)
    levels = [{"factor": "btc_price", "values": [5e4]}]
    past = BacktestSpec.model_validate({"portfolio": stated, "history": levels, "every_months": 1})
    assert client.backtest(past) == backtest(past)


def test_a_frontier_is_searched_for_in_a_process_of_its_own(client):
    spec = FrontierSpec(portfolio=wire_cases.small_portfolio(), point_count=3)
    found = client.frontier(spec)
    assert found == frontier(spec)
    assert len(found.points) == 3


def test_alternatives_are_searched_for_in_a_process_of_their_own(client):
    spec = AlternativesSpec(portfolio=wire_cases.small_portfolio(), within_frac=1.0, count=1)
    found = client.alternatives(spec)
    assert found == alternatives(spec)
    assert found.best_audit_passed


def test_a_re_plan_is_searched_for_in_a_process_of_its_own(client):
    spec = ReplanSpec(portfolio=wire_cases.small_portfolio(), decisions=Decisions(), most_changes=0)
    found, here = client.replan(spec), replan(spec)
    assert (found.change_count, found.told) == (here.change_count, here.told) == (0, here.told)
    assert found.comparison == here.comparison


def test_a_sweep_is_searched_for_in_a_process_of_its_own(client):
    btc = SweptAssumption(path="market.btc_usd", least_factor=0.9, most_factor=1.1, point_count=2)
    spec = SweepSpec(portfolio=wire_cases.small_portfolio(), assumptions=(btc,))
    found, here = client.sweep(spec), sweep(spec)
    assert [item.model_copy(update={"search_s": 0.0}) for item in found.points] == [
        item.model_copy(update={"search_s": 0.0}) for item in here.points
    ]
    assert (found.base_npv_usd, found.tornado) == (here.base_npv_usd, here.tornado)


def test_break_evens_are_searched_for_in_a_process_of_their_own(client):
    case = wire_cases.small_portfolio()
    spec = BreakEvensSpec(portfolio=case, decisions=Decisions(), relaxed_only=True)
    found = client.break_evens(spec)
    assert found == break_evens(spec)
    assert [item.offer for item in found.prices] == [offer.name for offer in case.offers]


def test_the_value_of_the_stochastic_solution_is_found_in_a_process_of_its_own(client):
    spec = StochasticValueSpec(portfolio=wire_cases.small_portfolio())
    found = client.stochastic_value(spec)
    assert found == stochastic_value(spec)
    assert found.plan.audit_passed


def test_one_more_is_valued_in_a_process_of_its_own(client):
    spec = OneMoreSpec(portfolio=wire_cases.small_portfolio(), decisions=Decisions(), prices_only=True)
    found = client.one_more(spec)
    assert found == one_more(spec)
    assert found.values


def test_what_the_kernel_refuses_is_refused_by_its_path(client):
    spec = question_cases.cluster_value_spec().model_copy(update={"largest_mw": 90_000.0})
    with pytest.raises(InvalidInputError) as local:
        cluster_value(spec)
    with pytest.raises(InvalidInputError) as remote:
        client.cluster_value(spec)
    assert remote.value.problems == local.value.problems
    assert [problem.path for problem in remote.value.problems] == ["largest_mw"]


def test_an_empty_question_is_refused(planning):
    assert refused(lambda: planning.ComputeHashingCurve(api.ComputeHashingCurveRequest()))[0] == "INVALID_ARGUMENT"
    fields = refused(lambda: planning.ComputeThroughputCurve(api.ComputeThroughputCurveRequest()))[2]
    assert fields == ["gpu_count", "power_kw_per_gpu"]
    fields = refused(lambda: planning.ComputeMeritOrder(api.ComputeMeritOrderRequest()))[2]
    assert fields == ["portfolio", "site"]
    fields = refused(lambda: planning.ComputeClusterCurve(api.ComputeClusterCurveRequest()))[2]
    assert fields == ["gpu_counts", "power_kw_per_gpu"]
    fields = refused(lambda: planning.ComputeClusterValue(api.ComputeClusterValueRequest()))[2]
    assert fields == ["largest_mw", "power_kw_per_gpu", "rental_usd_per_gpu_hour", "power_usd_per_mwh"]
    fields = refused(lambda: planning.ComputeNetworkCurve(api.ComputeNetworkCurveRequest()))[2]
    assert fields == ["start_month", "month_count", "network_eh_s", "block_height_at_start"]
