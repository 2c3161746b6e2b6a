"""Rents that move until they are signed for, and renewals at the market's: by hand, by scenario, against the audit."""

from __future__ import annotations

import numpy as np
import pytest
from support import best, close, offer, place, portfolio, problem_of, scalable, signed, site, worth

from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.domain.base import validated
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

WINDOW = {"sign_until_month": "2027-04"}


def table(*paths, factor="re_lease_rent"):
    """A market of equally likely paths of a factor, as multipliers of its base path."""
    return {"scenario_table": {"paths": [{"factor": factor, "scenarios": [{"values": list(path)} for path in paths]}]}}


def case(*paths, months=8, factor="re_lease_rent", offers=None, **index) -> Portfolio:
    """10 MW built in a month for a million, and two months of a rent of a million each if it did not move."""
    return portfolio(
        months,
        offers=offers or [offer(rent_index={"factor": factor, **index}, **WINDOW)],
        market=table(*paths, factor=factor) if paths else {},
        risk={"scenario_count": max(len(paths), 1)},
    )


def by_scenario(stated, answer):
    return scenario_npv_usd(stated, Futures.of(stated), answer.decisions, answer.npv.total_usd)


@pytest.mark.parametrize("factor", ["re_lease_rent", "gpu_rental"])
def test_the_rent_is_that_of_the_month_of_signing(factor):
    # Up to 1.5 and 1.1 in month 1, 1.3 on average, and down again after it: signed in month 1, kept to the end.
    stated = case((1.0, 1.5, 0.2), (1.0, 1.1, 0.2), factor=factor)
    answer = best(stated)
    assert signed(answer) == {"O1": ("A", "2027-02")}
    assert close(answer.termination.objective_usd, 1.3 * 2e6 - 1e6)
    assert by_scenario(stated, answer) == pytest.approx([2e6, 1.2e6])


def test_a_part_of_the_market_and_a_growth_of_its_own():
    # Half of -40 % at signing, on a rent that doubles in a year: 2 ** (3 / 12) * 0.8 in April.
    stated = case((1.0, 0.6), exposure_frac=0.5, growth_per_year_frac=1.0)
    answer = best(stated)
    assert signed(answer) == {"O1": ("A", "2027-01")}  # 2.0 is more than 2 * 0.8 * 1.19
    late = case((0.6, 0.6), exposure_frac=0.5, growth_per_year_frac=1.0)
    assert signed(best(late)) == {"O1": ("A", "2027-04")}
    assert close(worth(late), 2e6 * 0.8 * 2.0**0.25 - 1e6)


def test_a_rent_that_has_fallen_is_not_signed():
    assert signed(best(case((0.4, 0.4), (0.5, 0.5)))) == {}


def test_no_exposure_and_no_growth_is_no_index():
    plain = case((1.0, 1.5), (0.2, 0.1), offers=[offer(**WINDOW)])
    none = case((1.0, 1.5), (0.2, 0.1), exposure_frac=0.0)
    assert close(worth(none), worth(plain))
    np.testing.assert_allclose(problem_of(none).starts.noi_musd, problem_of(plain).starts.noi_musd, rtol=1e-15)


def test_a_renewal_at_the_market_has_the_rent_of_its_first_month():
    renewal = {"option_count": 2, "term_months": 2, "probability_frac": 0.5, "market_rent_share_frac": 0.5}
    stated = case((1.0, 1.0, 1.0, 0.8, 9.0, 2.0, 0.5), (1.0,) * 7, months=8, offers=[offer(renewal=renewal)])
    answer = best(stated)
    # Energized in month 1: renewals begin in months 3 and 5, at half of 120 times 0.8 and 2.0, or 1 and 1.
    first, second = 2 * 0.5 * 10e3 * 0.5 * 120.0, 2 * 0.25 * 10e3 * 0.5 * 120.0
    assert by_scenario(stated, answer) == pytest.approx([1e6 + 0.8 * first + 2.0 * second, 1e6 + first + second])
    assert answer.audit.passed


def test_a_lender_looks_at_the_mean_of_the_rent_that_is_signed_for():
    terms = {"loan_to_cost_frac": 1.0, "interest_per_year_frac": 0.12, "amortization_months": 4, "minimum_dscr": 10.0}

    def most_debt(*paths):
        index = {} if not paths else {"rent_index": {}}
        stated = portfolio(
            8,
            offers=[offer(term_months=6, **index)],
            market=table(*paths) if paths else {},
            finance={"project_debt": terms},
            risk={"scenario_count": max(len(paths), 1)},
        )
        answer = best(stated)
        assert close(answer.contracts[0].first_year_rent_usd, 12e6 * np.mean([path[0] for path in paths] or [1.0]))
        return problem_of(stated).starts.debt_limit_musd[0]

    assert 0.0 < most_debt() < 0.1  # less than the cost: the rent is what limits it
    assert most_debt((0.6,), (1.0,)) == pytest.approx(0.8 * most_debt())


def rich(**market) -> Portfolio:
    """Everything that a rent can meet: defaults, a backstop, phases, late building, prepayment, debt, a tail."""
    credit = {"default_hazard_per_year_frac": 0.5, "recovery_frac": 0.3, "vacancy_months": 2}
    backstop = {"backstop_share_frac": 0.6, "backstopper": "G", "backstop_hazard_per_year_frac": 0.4}
    terms = {
        "credit": credit | backstop,
        "escalator_per_year_frac": 0.1,
        "rent_index": {"factor": "gpu_rental", "exposure_frac": 0.7, "growth_per_year_frac": 0.3},
        "renewal": {"option_count": 2, "term_months": 5, "probability_frac": 0.6, "market_rent_share_frac": 0.8},
        "phases": [{"share_frac": 0.4}, {"share_frac": 0.6, "offset_months": 2}],
        "prepayment": {"rent_months": 2, "credit_months": 6},
        "power_payer": "landlord",
        "noi_margin_frac": 0.9,
        "term_months": 14,
        "sign_until_month": "2027-05",
        "sites": [place("A"), place("B", build_months=2)],
    }
    uncertainty = [
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.6},
        {"factor": "re_lease_rent", "volatility_per_year_frac": 0.4},
    ]
    together = {"asset_correlation_frac": 0.5, "market_factor": "gpu_rental", "market_correlation_frac": 0.7}
    return portfolio(
        22,
        sites=[
            site("A", construction_outcomes=[{"probability_frac": 0.3, "delay_months": 2, "capex_overrun_frac": 0.1}]),
            site("B"),
        ],
        offers=[scalable("O1", most=10.0, **terms), scalable("O2", most=8.0, **terms | {"tenant": "T2"})],
        market={"uncertainty": uncertainty, "credit_factor": together, **market},
        finance={
            "project_debt": {"loan_to_cost_frac": 0.6, "interest_per_year_frac": 0.1, "amortization_months": 12},
            "terminal": {"contract_tail_frac": 0.5},
        },
        risk={"scenario_count": 60, "tail_probability": 0.1},
        discount_per_year_frac=0.1,
    )


def test_every_scenario_is_what_the_audit_finds_for_it_alone():
    stated = rich()
    answer = best(stated)
    assert len(answer.contracts) == 2
    found = by_scenario(stated, answer)
    assert found.mean() == pytest.approx(answer.npv.total_usd, abs=1e-3)
    assert found.std() > 1e6
    undrawn = answer.decisions.model_copy(
        update={"contracts": tuple(c.model_copy(update={"debt_usd": 0.0}) for c in answer.decisions.contracts)}
    )
    whole = recalculate(stated, Futures.of(stated), undrawn).npv_usd
    for number in range(12):
        alone = recalculate(stated, Futures.of(stated, number, 1), undrawn).npv_usd
        assert found[number] - found.mean() == pytest.approx(alone - whole, abs=1e-2)


def test_a_tail_that_counts_is_closed_and_audited():
    stated = rich()
    careful = stated.model_copy(update={"risk": stated.risk.model_copy(update={"cvar_weight_frac": 1.0})})
    answer = best(careful)
    spread = answer.distribution
    assert close(answer.termination.objective_usd, spread.mean_usd + spread.cvar_usd, usd=2e-4 * abs(spread.mean_usd))


def test_the_audit_finds_a_plan_whose_rent_moved_otherwise():
    stated = case((1.0, 1.5, 0.2), (1.0, 1.1, 0.2))
    answer = best(stated)
    other = case((1.0, 1.4, 0.2), (1.0, 1.1, 0.2))
    claims = Claims(objective_usd=answer.npv.total_usd)
    assert audit(stated, Futures.of(stated), answer.decisions, claims)[1].passed
    _, report = audit(other, Futures.of(other), answer.decisions, claims)
    assert not report.passed


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rent_index": {"factor": "btc_price"}}, "a rent that follows btc_price; choose re_lease_rent or gpu_rental"),
        ({"rent_index": {"exposure_frac": 1.5}}, r"rent_index.exposure_frac: 1.5 fraction is outside"),
        (
            {"renewal": {"option_count": 1, "term_months": 2, "rent_frac": 0.9, "market_rent_share_frac": 1.0}},
            "both a rent_frac and a market_rent_share_frac",
        ),
    ],
)
def test_what_is_stated_wrongly_is_told(changes, told):
    data = case().model_dump(mode="json")
    data["offers"][0] |= changes
    with pytest.raises(InvalidInputError, match=told):
        validated(Portfolio, data, "portfolio")
