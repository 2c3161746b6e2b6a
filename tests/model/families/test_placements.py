"""Contracts that must, or must not, be signed; and the freeze."""

from __future__ import annotations

import pytest
from support import best, binding, close, offer, place, portfolio, reason, signed, site, worth

from optimizer.errors import InvalidInputError

LOSS = offer("L", price_usd_per_kw_month=25.0, sign_until_month="2027-03", sites=[place("A"), place("B")])
"""Worth -0.5 million USD."""
GAIN = offer("O", sign_until_month="2027-03", sites=[place("A"), place("B")])
"""Worth a million USD."""


def case(offers, **policy):
    return portfolio(8, sites=[site("A"), site("B")], offers=offers, policy=policy)


def test_what_is_mandatory_is_signed_at_a_loss():
    bound = case([LOSS], mandatory=[{"offer": "L"}])
    assert close(worth(bound), -0.5e6)
    assert binding(bound) == {"mandatory_contract_signed"}


@pytest.mark.parametrize("named", [{"site": "B"}, {"sign_month": "2027-02"}, {"site": "B", "sign_month": "2027-03"}])
def test_where_and_when_can_be_named(named):
    site_name, month = signed(best(case([LOSS], mandatory=[{"offer": "L", **named}])))["L"]
    assert named.get("site", site_name) == site_name
    assert named.get("sign_month", month) == month


def test_a_month_in_which_it_cannot_be_signed_is_infeasible():
    with pytest.raises(InvalidInputError, match="L cannot be signed in 2027-04; it can from 2027-01 until"):
        case([LOSS], mandatory=[{"offer": "L", "sign_month": "2027-04"}])
    assert reason(case([LOSS], mandatory=[{"offer": "L", "site": "A"}, {"offer": "L", "site": "B"}])) == "infeasible"


def test_what_is_forbidden_is_not_signed():
    barred = case([GAIN], forbidden=[{"offer": "O"}])
    assert close(worth(barred), 0.0)
    assert binding(barred) == {"forbidden_contract_unsigned"}


def test_forbidden_at_a_site_or_in_a_month_leaves_the_others():
    assert signed(best(case([GAIN], forbidden=[{"offer": "O", "site": "A"}])))["O"][0] == "B"
    months = [{"offer": "O", "sign_month": month} for month in ("2027-01", "2027-03")]
    assert signed(best(case([GAIN], forbidden=months)))["O"][1] == "2027-02"


def test_both_is_infeasible():
    assert reason(case([GAIN], mandatory=[{"offer": "O"}], forbidden=[{"offer": "O"}])) == "infeasible"


def test_nothing_is_signed_before_the_freeze_ends():
    frozen = case([GAIN], freeze_until_month="2027-03")
    assert signed(best(frozen))["O"][1] == "2027-03"
    assert close(worth(case([GAIN], freeze_until_month="2027-04")), 0.0)
    assert binding(case([GAIN], freeze_until_month="2027-04")) == {"forbidden_contract_unsigned"}


def test_what_is_mandatory_with_its_month_breaks_the_freeze():
    policy = {"freeze_until_month": "2027-04", "mandatory": [{"offer": "O", "sign_month": "2027-02"}]}
    assert signed(best(case([GAIN], **policy)))["O"][1] == "2027-02"
    assert reason(case([GAIN], freeze_until_month="2027-04", mandatory=[{"offer": "O"}])) == "infeasible"
