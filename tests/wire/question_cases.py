"""Questions about sites, clusters and the network that state every field there is."""

from typing import Any

from wire_cases import rich_data

from optimizer.domain.alternatives import AlternativesSpec
from optimizer.domain.backtest import BacktestSpec
from optimizer.domain.break_evens import BreakEvensSpec
from optimizer.domain.cluster_curves import ClusterCurveSpec, ClusterValueSpec
from optimizer.domain.comparison import ComparisonSpec
from optimizer.domain.diagnosis import DiagnosisSpec
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.domain.explanation import ExplanationSpec
from optimizer.domain.frontier import FrontierSpec
from optimizer.domain.merit_order import MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurveSpec
from optimizer.domain.one_more import OneMoreSpec
from optimizer.domain.replan import ReplanSpec
from optimizer.domain.simulation import SimulationSpec
from optimizer.domain.stochastic_value import StochasticValueSpec
from optimizer.domain.sweep import SweepSpec

LOSSES = {
    "failures_per_1000_gpu_days": 0.47,
    "checkpoint_save_s": 60.0,
    "restart_s": 600.0,
    "reference_gpu_count": 1024,
    "kept_per_doubling_frac": 0.9,
}


def merit_order_spec() -> MeritOrderSpec:
    data = {"portfolio": rich_data(), "site": "Odessa", "month": "2027-08", "hashprice_usd_per_ph_day": 35.0}
    return MeritOrderSpec.model_validate(data)


def evaluation_spec() -> EvaluationSpec:
    """A lease that fits its offer, but not the freeze nor the machines of the portfolio."""
    case = rich_data()
    offer = case["offers"][0]
    signed = {"offer": offer["name"], "site": offer["sites"][0]["site"], "sign_month": "2027-04", "critical_mw": 20.0}
    return EvaluationSpec.model_validate({"portfolio": case, "decisions": {"contracts": [signed]}})


def comparison_spec() -> ComparisonSpec:
    """The same lease against nothing, decided with less cash."""
    plan = evaluation_spec()
    other = rich_data()
    other["finance"]["opening_cash_usd"] = 1.0
    data = {"portfolio": plan.portfolio, "decisions": plan.decisions, "other": {}, "other_portfolio": other}
    return ComparisonSpec.model_validate(data)


def diagnosis_spec() -> DiagnosisSpec:
    """The rich portfolio, and little time."""
    return DiagnosisSpec.model_validate({"portfolio": rich_data(), "options": {"time_limit_s": 30.0}})


def explanation_spec() -> ExplanationSpec:
    """Why the same lease is in a plan that has nothing else."""
    plan = evaluation_spec()
    asked = plan.decisions.contracts[0]
    placement = {"offer": asked.offer, "site": asked.site, "sign_month": asked.sign_month}
    data = {"portfolio": plan.portfolio, "decisions": plan.decisions, "bound_usd": 1e9, "placement": placement}
    return ExplanationSpec.model_validate({**data, "relaxed_only": True})


def frontier_spec() -> FrontierSpec:
    """Two weights: the rich portfolio in a market that does not answer to the plan."""
    data = rich_data()
    data["market"]["own_hashrate_feedback"] = False
    return FrontierSpec.model_validate({"portfolio": data, "point_count": 2})


def expected_data() -> dict[str, Any]:
    """The rich portfolio, judged in expectation."""
    data = rich_data()
    data["market"]["own_hashrate_feedback"] = False
    data["risk"] = {key: item for key, item in data["risk"].items() if "cvar" not in key}
    return data


def sweep_spec() -> SweepSpec:
    """One assumption, every term stated."""
    btc = {"path": "market.btc_usd", "least_factor": 0.8, "most_factor": 1.2, "point_count": 3}
    limits = {"point_time_limit_s": 4.0, "sweep_time_limit_s": 60.0, "options": {"time_limit_s": 30.0}}
    terms = {"one_at_a_time": True, "switching_tolerance": 0.01, **limits}
    return SweepSpec.model_validate({"portfolio": expected_data(), "assumptions": [btc], **terms})


def replan_spec() -> ReplanSpec:
    """The same lease as the current plan, every term stated."""
    data = expected_data()
    data["policy"].pop("contract_changes", None)
    terms = {"freeze_until_month": "2027-03", "most_changes": 3, "cost_usd_per_change": 1e6}
    known = {"decisions": evaluation_spec().decisions, "options": {"time_limit_s": 30.0}}
    return ReplanSpec.model_validate({"portfolio": data, **terms, **known})


def alternatives_spec() -> AlternativesSpec:
    """Other plans than the lease, every term stated."""
    data, lease = expected_data(), evaluation_spec().decisions
    terms = {"count": 3, "within_frac": 0.1, "measure": "mw", "minimum_distance": 20.0, "other_month_frac": 0.5}
    terms |= {"decisions": lease, "bound_usd": 1e9, "options": {"time_limit_s": 30.0}}
    weights = [{"offer": lease.contracts[0].offer, "weight_frac": 2.0}]
    return AlternativesSpec.model_validate({"portfolio": data, "offer_weights": weights, **terms})


def simulation_spec() -> SimulationSpec:
    """Two paths of the rich portfolio, as far as it can be planned again."""
    data = {"portfolio": replannable_data(), "path_count": 2, "first_path": 7, "every_months": 6, "wait_months": 3}
    return SimulationSpec.model_validate({**data, "decisions": evaluation_spec().decisions})


def backtest_spec() -> BacktestSpec:
    """The same in a past in which everybody failed."""
    history = [{"factor": "btc_price", "values": [9e4, 8e4]}, {"factor": "power_price", "values": [1.5]}]
    data = {"portfolio": replannable_data(), "history": history, "defaults": [{"default_month": "2028-01"}]}
    return BacktestSpec.model_validate(data)


def replannable_data():
    data = rich_data()
    data["market"]["own_hashrate_feedback"] = False
    data["market"].pop("scenario_table", None)
    data["risk"] = {"scenario_count": 16}
    data["finance"]["objective"] = "npv"
    return data


def break_evens_spec() -> BreakEvensSpec:
    """Of the lease, every term stated."""
    lease = evaluation_spec().decisions
    terms = {"bound_usd": 1e9, "of": "delay", "offers": [lease.contracts[0].offer], "relaxed_only": True}
    terms |= {"decisions": lease, "options": {"time_limit_s": 30.0}}
    return BreakEvensSpec.model_validate({"portfolio": expected_data(), **terms})


def stochastic_value_spec() -> StochasticValueSpec:
    return StochasticValueSpec.model_validate({"portfolio": replannable_data(), "options": {"time_limit_s": 30.0}})


def one_more_spec() -> OneMoreSpec:
    """Of the same lease, every term stated."""
    asked = break_evens_spec()
    terms = {"of": ["grid", "machines"], "sites": ["Odessa"], "years": [2028], "step": 2.0, "prices_only": True}
    given = {"portfolio": asked.portfolio, "decisions": asked.decisions, "bound_usd": 1e9, "options": asked.options}
    return OneMoreSpec.model_validate({**given, **terms})


def cluster_spec() -> ClusterCurveSpec:
    data = {"gpu_counts": [512, 1024, 65536], "power_kw_per_gpu": 1.3, "pue": 1.2, "losses": LOSSES}
    return ClusterCurveSpec.model_validate(data)


def cluster_value_spec() -> ClusterValueSpec:
    return ClusterValueSpec.model_validate(
        {
            "largest_mw": 40.0,
            "power_kw_per_gpu": 1.3,
            "rental_usd_per_gpu_hour": 2.4,
            "power_usd_per_mwh": 55.0,
            "utilisation_frac": 0.8,
            "pue": 1.2,
            "cap_curve": "a100-training",
            "losses": LOSSES,
            "relative_error_frac": 0.01,
        }
    )


def network_spec() -> NetworkCurveSpec:
    return NetworkCurveSpec.model_validate(
        {
            "start_month": "2027-01",
            "month_count": 24,
            "network_eh_s": {"value": 1000.0, "growth_per_year_frac": 0.2},
            "block_height_at_start": 982_000,
            "difficulty_at_start": 1.4e14,
            "fee_share_frac": 0.02,
            "own_exit": {"exit_eh_s": 20.0, "from_month": "2027-06", "elasticity": 0.5},
        }
    )
