"""When columns are decided: every variable of the formulation says so, and the months are those of the decisions."""

from __future__ import annotations

from support import asic, assembled, fleet, gpu_option, offer, place, portfolio, problem_of, site

from optimizer.model.decided import CONSEQUENCE, DECIDED, decision_months


def rich():
    again = {"vacancy_months": 1, "refit_usd_per_critical_mw": 0.0, "term_months": 2}
    lease = offer(sign_until_month="2027-02", sites=[place(build_months=2, re_lease=again)])
    refresh = {"capex_usd_per_gpu": 1.0, "life_months": 2, "throughput_factor": 1.0, "power_factor": 1.0}
    gpus = gpu_option(order_until_month="2027-02", lead_months=1, life_months=3, refresh=refresh)
    steps = [{"from_month": "2026-01", "grid_mw": 50.0}, {"from_month": "2027-06", "grid_mw": 90.0}]
    steps[1]["advance"] = {"usd_per_month": 1e5, "maximum_months": 2, "notice_months": 1}
    there = site(grid=steps)
    return portfolio(9, sites=[there], asic_models=[asic()], fleets=[fleet()], offers=[lease], gpu_options=[gpus])


def test_every_variable_says_when_it_is_decided():
    assert set(DECIDED) == set(assembled(portfolio()).variables)


def test_months_are_those_of_signing_ordering_arrival_and_the_end():
    case = rich()
    program, problem = assembled(case), problem_of(case)
    months = decision_months(program, problem)

    def of(name):
        return months[program.variables[name].columns].tolist()

    assert of("sign") == [0, 1]
    assert of("re_leased_mw") == [4, 5]  # built in two months, let for two
    assert of("gpu_blocks") == [0, 1]
    assert of("refreshed_gpu_blocks") == [4, 5]  # a month of lead, a life of three
    assert sorted(of("advance_step")) == [2, 3]  # two months or one before 2027-06, month 5, and a month of notice
    assert of("sold_machines") == list(range(9))
    assert set(of("cash_musd")) == {CONSEQUENCE}
