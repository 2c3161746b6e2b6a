"""Interconnects that come late: who waits for them, money by hand, in stresses, by scenario, and against the audit."""

from __future__ import annotations

import numpy as np
import pytest
from support import best, close, offer, place, portfolio, signed, site, worth

from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

SLIP = {"probability_frac": 1.0, "interconnect_slip_months": 2}


def case(*outcomes, months=9, scenarios=1, finance=None, earliest="2027-03", **changes) -> Portfolio:
    """10 MW built for a million before March, when it is connected, and a million a month for four months from then."""
    terms = place("A", **({"earliest_energize_month": earliest} if earliest else {}))
    return portfolio(
        months,
        sites=[site(construction_outcomes=list(outcomes))],
        offers=[offer(**{"term_months": 4, "sites": [terms], **changes})],
        finance=finance,
        risk={"scenario_count": scenarios},
    )


def test_who_waits_for_the_interconnect_loses_the_rent_of_the_slip():
    assert close(worth(case()), 4e6 - 1e6)
    answer = best(case(SLIP))
    assert close(answer.termination.objective_usd, 2e6 - 1e6)
    assert [row.hosting_noi_usd for row in answer.cash_flow[1:8]] == pytest.approx([0.0, 0.0, 0.0, 1e6, 1e6, 0.0, 0.0])


def test_who_does_not_wait_loses_nothing_and_who_comes_later_less():
    assert close(worth(case(SLIP, earliest=None)), 3e6)
    assert close(worth(case(SLIP, earliest="2026-12")), 3e6)  # it may slip to February, when the contract energizes
    assert close(worth(case(SLIP, earliest="2027-01")), 2e6)  # built in February, connected in March


def test_a_phase_that_comes_after_the_slip_is_not_late():
    phases = [{"share_frac": 0.5}, {"share_frac": 0.5, "offset_months": 1}]
    # Planned half a million in March and a million in the three months after it; connected in May both are there.
    assert close(worth(case(SLIP, phases=phases)), 2e6 - 1e6)
    third = [{"share_frac": 0.5}, {"share_frac": 0.5, "offset_months": 3}]
    # Half a million in May, a million in June.
    assert close(worth(case(SLIP, phases=third, price_usd_per_kw_month=200.0)), 2.0 * 1.5e6 - 1e6)


def test_the_later_of_building_and_interconnect_counts():
    both = SLIP | {"delay_months": 1}
    assert close(worth(case(both)), 1e6)
    assert close(worth(case(both | {"delay_months": 3})), 0.0)
    assert signed(best(case(both | {"delay_months": 3}))) == {}  # a month of rent for a million of building


def test_vacancy_after_an_early_default_begins_when_it_is_connected():
    credit = {"default_hazard_per_year_frac": 0.9, "vacancy_months": 1}
    stress = {
        "name": "S",
        "defaults": [{"default_month": "2027-01"}],
        "construction": [{"interconnect_slip_months": 2}],
    }
    stated = case(
        credit=credit,
        finance={"opening_cash_usd": 1e8, "stresses": [stress]},
        scenarios=1,
        price_usd_per_kw_month=400.0,
    )
    answer = best(stated)
    # In the stress the halls are connected in May and let in June alone, at 120 USD.
    assert answer.contracts
    assert answer.stresses[0].npv_usd == pytest.approx(1.2e6 - 1e6)


def rich() -> Portfolio:
    """Slips, delays and overruns, phases, defaults and energy that the landlord pays."""
    outcomes = [
        {"probability_frac": 0.3, "interconnect_slip_months": 3},
        {"probability_frac": 0.3, "interconnect_slip_months": 2, "delay_months": 1, "capex_overrun_frac": 0.2},
    ]
    return case(
        *outcomes,
        months=14,
        scenarios=120,
        term_months=9,
        price_usd_per_kw_month=140.0,
        power_payer="landlord",
        credit={"default_hazard_per_year_frac": 0.6, "recovery_frac": 0.3, "vacancy_months": 2},
        phases=[{"share_frac": 0.4}, {"share_frac": 0.6, "offset_months": 2}],
        sign_until_month="2027-04",
    )


def test_every_scenario_is_what_the_audit_finds_for_it_alone():
    stated = rich()
    answer = best(stated)
    assert answer.contracts
    found = scenario_npv_usd(stated, Futures.of(stated), answer.decisions, answer.npv.total_usd)
    assert found.mean() == pytest.approx(answer.npv.total_usd, abs=1e-3)
    assert len(np.unique(found.round())) > 20
    for number in range(25):
        alone = recalculate(stated, Futures.of(stated, number, 1), answer.decisions).npv_usd
        assert found[number] == pytest.approx(alone, abs=1e-3)


def test_the_audit_finds_a_slip_that_was_left_out():
    answer, stated = best(case()), case(SLIP)
    _, report = audit(stated, Futures.of(stated), answer.decisions, Claims(objective_usd=answer.npv.total_usd))
    assert not report.passed


def test_an_outcome_of_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="interconnect_slip_months, or drop it"):
        case({"probability_frac": 0.2})
