"""Own GPUs that bill less for every further block at a site."""

from __future__ import annotations

import pytest
from support import best, binding, close, gpu_option, hours, portfolio, problem_of, reason, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

BILLED_USD, HOUR_USD = 1000.0, 960.0
"""What a block bills in an hour, and what is left of it after energy."""


def curve(*tranches):
    return [{"from_block": block, "share_frac": share} for block, share in tranches]


HALVES = curve((1, 1.0), (2, 0.5), (4, 0.25))


def option(**changes):
    return gpu_option(**{"maximum_block_count": 4, "scale_curve": HALVES, **changes})


def blocks(answer):
    return sum(item.block_count for item in answer.decisions.gpu_orders)


def test_every_tranche_bills_its_share_and_draws_all_its_power():
    answer = best(portfolio(gpu_options=[option()]))
    # 1 + 0.5 + 0.5 + 0.25 blocks' billing less the energy of four.
    assert close(answer.termination.objective_usd, (4 * HOUR_USD - 1.75 * BILLED_USD) * hours(0, 1))
    assert [row.gpu_margin_usd for row in answer.cash_flow[:2]] == pytest.approx(
        [(4 * HOUR_USD - 1.75 * BILLED_USD) * hours(t) for t in (0, 1)]
    )
    assert [row.gpu_mw for row in answer.capacity] == pytest.approx([4.0, 4.0, 0.0, 0.0])
    assert answer.earnings[0].gpu_usd == pytest.approx(answer.termination.objective_usd)


def test_blocks_are_ordered_as_long_as_the_last_one_pays():
    # The second and third earn 460 an hour each, the fourth 210.
    case = portfolio(gpu_options=[option(capex_usd_per_gpu=0.25 * hours(0, 1))])
    assert blocks(best(case)) == 3
    assert close(worth(case), (HOUR_USD + 2 * 460.0 - 3 * 250.0) * hours(0, 1))
    assert binding(case) == {"scaled_blocks_counted"}
    assert blocks(best(portfolio(gpu_options=[option(capex_usd_per_gpu=0.47 * hours(0, 1))]))) == 1


def test_another_site_begins_anew():
    case = portfolio(sites=[site(), site("B")], gpu_options=[option(sites=["A", "B"])])
    assert close(worth(case), (4 * HOUR_USD - 2 * 0.5 * BILLED_USD) * hours(0, 1))


@pytest.mark.parametrize("segments", [None, [(6, 1)]], ids=["months", "one period"])
def test_orders_of_several_months_count_together_while_both_live(segments):
    # Ordered in months 0 and 1 for two months each: only month 1 has two blocks.
    orders = [
        {"gpu_option": "G", "site": "A", "order_month": month, "block_count": 1} for month in ("2027-01", "2027-02")
    ]
    case = portfolio(
        6,
        segments=segments,
        gpu_options=[option(maximum_block_count=2, order_until_month="2027-02")],
        policy={"mandatory_gpu_orders": orders},
    )
    assert close(worth(case), HOUR_USD * (hours(0) + 2 * hours(1) + hours(2)) - 0.5 * BILLED_USD * hours(1))


def test_blocks_that_must_be_ordered_need_the_cash_that_they_lose():
    order = {"gpu_option": "G", "site": "A", "order_month": "2027-01", "block_count": 4}
    terms = {"policy": {"mandatory_gpu_orders": [order]}, "finance": {"opening_cash_usd": 0.0}}
    left = 4 * HOUR_USD - 1.75 * BILLED_USD
    overhead = {"opening_cash_usd": 0.0, "overhead_usd_per_month": (left + 1.0) * hours(0)}
    assert reason(portfolio(1, gpu_options=[option()], **terms)) == "optimal"
    assert reason(portfolio(1, gpu_options=[option()], **terms | {"finance": overhead})) == "infeasible"
    assert reason(portfolio(1, gpu_options=[option(scale_curve=[])], **terms | {"finance": overhead})) == "optimal"


def test_a_curve_of_ones_changes_nothing():
    plain, ones = option(scale_curve=[]), option(scale_curve=curve((1, 1.0), (2, 1.0)))
    assert worth(portfolio(gpu_options=[ones])) == worth(portfolio(gpu_options=[plain]))
    assert problem_of(portfolio(gpu_options=[plain])).scaled_blocks.count == 0
    beyond = option(scale_curve=curve((1, 1.0), (5, 0.1)))
    assert problem_of(portfolio(gpu_options=[beyond])).scaled_blocks.count == 0


UNCERTAIN = {
    "market": {"uncertainty": [{"factor": "gpu_rental", "volatility_per_year_frac": 1.5}]},
    "risk": {"scenario_count": 300},
    "discount_per_year_frac": 0.1,
}


def test_scenarios_lose_what_they_bill_and_their_mean_is_the_objective():
    capped = option(rental_usd_per_gpu_hour=0.06, cap_curve="a100-training", life_months=4)
    case = portfolio(5, gpu_options=[capped], **UNCERTAIN)
    full = case.model_copy(update={"gpu_options": (case.gpu_options[0].model_copy(update={"scale_curve": ()}),)})
    answer, futures = best(case), Futures.of(case)
    decisions, objective = answer.decisions, answer.termination.objective_usd
    npv = scenario_npv_usd(case, futures, decisions, objective)
    assert npv.mean() == pytest.approx(objective)
    whole, _ = audit(full, futures, decisions, Claims())
    lost = scenario_npv_usd(full, futures, decisions, whole.npv_usd) - npv
    # A scenario without any billing loses nothing, and none gains.
    assert lost.min() >= -1e-6
    assert lost.mean() == pytest.approx(whole.npv_usd - objective)
    assert lost.max() > 2.0 * lost.mean()


def test_a_stress_loses_what_is_billed_in_it():
    glut = {"factor": "gpu_rental", "points": [{"month_offset": 0, "multiplier": 0.5}]}
    order = {"gpu_option": "G", "site": "A", "order_month": "2027-01", "block_count": 4}
    # Four blocks at half the rental: 4 * 460 less 1.75 * 500 an hour.
    left = 1e7 + (4 * 460.0 - 1.75 * 500.0) * hours(0)

    def case(floor_usd):
        shocks = [{"begin_month": "2027-01", "effects": [glut]}]
        stress = {"name": "glut", "minimum_liquidity_usd": floor_usd, "shocks": shocks}
        finance = {"opening_cash_usd": 1e7, "stresses": [stress]}
        return portfolio(1, gpu_options=[option()], policy={"mandatory_gpu_orders": [order]}, finance=finance)

    assert best(case(left - 10.0)).stresses[0].least_cash_usd == pytest.approx(left)
    assert reason(case(left + 10.0)) == "infeasible"


def test_carbon_is_that_of_all_the_power():
    # 2 MW at 0.4 t/MWh and 50 USD.
    parts = {"sites": [site(carbon_t_per_mwh=0.4)], "policy": {"carbon": {"price_usd_per_t": 50.0}}}
    case = portfolio(gpu_options=[option(maximum_block_count=2)], **parts)
    assert close(worth(case), (2 * HOUR_USD - 0.5 * BILLED_USD - 40.0) * hours(0, 1))


def test_an_enterprise_value_counts_what_is_left():
    finance = {"objective": "enterprise_value", "multiples": {"year": 2027, "gpu_multiple": 4.0}}
    answer = best(portfolio(12, gpu_options=[option(maximum_block_count=2)], finance=finance))
    assert answer.enterprise.discounted_usd > 0.0
    assert answer.earnings[0].gpu_usd == pytest.approx((2 * HOUR_USD - 0.5 * BILLED_USD) * hours(0, 1))


def test_the_audit_finds_a_plan_that_forgets_its_scale():
    case = portfolio(gpu_options=[option()])
    answer, futures = best(case), Futures.of(case)
    plain = best(portfolio(gpu_options=[option(scale_curve=[])]))
    assert plain.decisions == answer.decisions
    claimed = Claims(objective_usd=plain.termination.objective_usd)
    _, report = audit(case, futures, answer.decisions, claimed)
    assert not report.passed
    _, report = audit(case, futures, answer.decisions, Claims(objective_usd=answer.termination.objective_usd))
    assert report.passed


@pytest.mark.parametrize(
    ("tranches", "told"),
    [
        (curve((2, 1.0)), "begins with a share of 1 from block 2"),
        (curve((1, 0.9)), "begins with a share of 0.9 from block 1"),
        (curve((1, 1.0), (3, 0.5), (5, 0.6)), "begin at blocks"),
        (curve((1, 1.0), (3, 0.5), (3, 0.4)), "begin at blocks"),
        (curve((1, 1.0), (2, 0.0)), "scale_curve[1].share_frac"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(tranches, told):
    with pytest.raises(InvalidInputError) as refused:
        portfolio(gpu_options=[option(scale_curve=tranches)])
    assert told in str(refused.value)
