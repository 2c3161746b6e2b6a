"""The prose says what the plan says."""

from __future__ import annotations

import json

import pytest
from report_cases import check, contract, distribution, everything, made_plan, without_plan

from optimizer.domain.outcome import BusinessAsUsual
from optimizer.domain.plan import Plan
from optimizer.domain.proof import AuditReport, Limit, Termination, TerminationReason
from optimizer.report import formats
from optimizer.report.words import audit_alarm, headline, no_plan, proof, recommendation


def plain(text: str) -> str:
    return text.replace(formats.SPACE, " ")


def headline_of(plan: Plan) -> str:
    return plain(headline(plan))


def recommendation_of(plan: Plan) -> str:
    return plain(recommendation(plan))


class TestContracts:
    def test_none(self) -> None:
        plan = made_plan()
        assert headline_of(plan) == "Sign nothing and mine on"
        assert recommendation_of(plan).startswith("Sign no contract.")

    def test_one(self) -> None:
        plan = made_plan(contract(0))
        assert headline_of(plan) == "Sign 1 contract for 10 MW, $30.0M better than mining on"
        assert recommendation_of(plan).startswith(
            "Sign offer-0 at Site 0 (10 MW of critical IT for Tenant 0, signed 2027-01, live from 2027-09 "
            "and in full from 2027-12)."
        )

    def test_a_contract_that_is_live_at_once_is_not_said_to_be_phased(self) -> None:
        whole = contract(0, full_energize_month=contract(0).energize_month)
        assert "live from 2027-09)." in recommendation_of(made_plan(whole))

    def test_many_are_counted_and_the_largest_named(self) -> None:
        text = recommendation_of(made_plan(*(contract(index) for index in range(6))))
        assert text.startswith("Sign 6 contracts for 75 MW of critical IT at 2 sites, from 2027-01 to 2027-06.")
        named = [index for index in range(6) if f"offer-{index} " in text]
        assert named == [3, 4, 5]

    def test_other_decisions(self) -> None:
        plan = everything()
        expected = "Sign 2 contracts for 21 MW, order 3 GPU blocks, open 1 site and change 1 site, $30.0M better than mining on"
        assert headline_of(plan) == expected
        told = "Order 3 blocks of b200 at Site 0 in 2027-01, and replace the GPUs of 2 at the end of their life."
        assert told in recommendation_of(plan)
        assert "Open Site 1 in 2027-01." in recommendation_of(plan)
        assert "Bring the grid step of 2027-10 at Site 0 forward to 2027-07." in recommendation_of(plan)
        assert "Order 12.5 MW of mining halls for Site 0 in 2027-01." in recommendation_of(plan)
        assert "Build H1 at Site 0 from 2027-01." in recommendation_of(plan)
        ending = "When offer-1 at Site 1 ends, let 4.5 MW of critical IT again and convert the halls of 3.0 MW back."
        assert ending in recommendation_of(plan)


def test_megawatts_and_machines() -> None:
    text = recommendation_of(made_plan(contract(0)))
    assert (
        "Between 2027-01 and 2028-06, mining stays at 80 MW, hosting goes from 0 MW to 48 MW "
        "and idle goes from 80 MW to 32 MW at the meter." in text
    )
    assert "Machines: 250 bought and 100 sold." in text


class TestWorth:
    @pytest.mark.parametrize(
        ("twin", "said"),
        [
            (
                BusinessAsUsual(feasible=True, npv_usd=70e6, difference_usd=30e6),
                "worth $100.0M (net present value): $30.0M more than mining on without contracts ($70.0M).",
            ),
            (
                BusinessAsUsual(feasible=True, npv_usd=120e6, difference_usd=-20e6),
                "worth $100.0M (net present value): $20.0M less than mining on without contracts ($120.0M).",
            ),
            (
                BusinessAsUsual(feasible=True, npv_usd=100e6, difference_usd=1e-3),
                "worth $100.0M (net present value), the same as mining on without contracts ($100.0M).",
            ),
            (
                BusinessAsUsual(feasible=False, detail="too little cash"),
                "worth $100.0M (net present value); there is no plan without contracts to compare it with "
                "(too little cash).",
            ),
            (None, "worth $100.0M (net present value). "),
        ],
    )
    def test_against_mining_on(self, twin: BusinessAsUsual | None, said: str) -> None:
        assert said in recommendation_of(made_plan(contract(0), business_as_usual=twin))

    def test_a_plan_worse_than_mining_on_is_not_called_better(self) -> None:
        twin = BusinessAsUsual(feasible=True, npv_usd=120e6, difference_usd=-20e6)
        assert headline_of(made_plan(contract(0), business_as_usual=twin)).endswith(", $20.0M worse than mining on")

    def test_tail(self) -> None:
        assert "In the worst 5 % of 200 scenarios it is worth $40.0M on average." in recommendation_of(made_plan())
        losing = made_plan(distribution=distribution(cvar_usd=-7e6))
        assert "In the worst 5 % of 200 scenarios it loses $7.0M on average." in recommendation_of(losing)

    def test_lowest_cash(self) -> None:
        assert "Expected cash is lowest in 2027-08, at $72.0M." in recommendation_of(made_plan())


class TestProof:
    def test_optimal(self) -> None:
        assert plain(proof(made_plan())) == (
            "No plan can be worth more than $100.1M: this one is proven to be within 0.05 % of the best possible."
        )

    @pytest.mark.parametrize(
        ("limit", "why"), [(Limit.TIME, "reached its time limit"), (Limit.INTERRUPTED, "was interrupted")]
    )
    def test_a_limit_is_said_with_what_may_be_missed(self, limit: Limit, why: str) -> None:
        end = Termination(
            reason=TerminationReason.FEASIBLE, limit=limit, objective_usd=100e6, bound_usd=128e6, gap_frac=0.28
        )
        text = plain(proof(made_plan(termination=end)))
        assert why in text
        assert "A plan worth up to $28.0M more may exist (bound $128.0M, gap 28 %)." in text

    def test_a_limit_reached_within_the_gap_asked_for_is_a_proof(self) -> None:
        end = Termination(
            reason=TerminationReason.FEASIBLE,
            limit=Limit.TIME,
            objective_usd=100e6,
            bound_usd=100.06e6,
            gap_frac=0.0006,
        )
        assert "proven to be within 0.06 % of the best possible" in plain(proof(made_plan(termination=end)))

    def test_no_bound(self) -> None:
        stated = Termination(reason=TerminationReason.STATED, objective_usd=100e6)
        assert "stated, not searched for" in proof(made_plan(termination=stated))
        end = Termination(reason=TerminationReason.FEASIBLE, limit=Limit.TIME, objective_usd=100e6)
        assert "nothing is proven" in proof(made_plan(termination=end))


class TestAudit:
    def test_passed(self) -> None:
        assert audit_alarm(made_plan()) is None
        assert "confirms it in all 2 checks." in recommendation_of(made_plan())

    def test_failed(self) -> None:
        plan = made_plan(audit=AuditReport(checks=(check(), check("claimed objective", 5e6, unit="USD"))))
        alarm = audit_alarm(plan)
        assert alarm is not None
        assert alarm[0] == "Audit failed: do not act on this plan"
        assert "1 of 2 checks" in plain(alarm[1])
        assert "claimed objective" in alarm[1]
        assert headline_of(plan) == "Audit failed; the plan would sign nothing and mine on"
        assert "THE AUDIT FAILED: 1 of 2 checks did not pass" in recommendation_of(plan)

    def test_missing(self) -> None:
        alarm = audit_alarm(made_plan(audit=None))
        assert alarm is not None
        assert alarm[0] == "This plan was not audited"


class TestNoPlan:
    def test_infeasible(self) -> None:
        plan = without_plan(TerminationReason.INFEASIBLE, detail="presolve found a conflict.")
        assert headline_of(plan) == "No plan is possible"
        assert "It is proven that no plan satisfies everything" in recommendation_of(plan)
        assert "The solver says: presolve found a conflict." in recommendation_of(plan)

    def test_no_plan_found_is_not_called_impossible(self) -> None:
        plan = without_plan(TerminationReason.NO_PLAN_FOUND, limit=Limit.TIME, bound_usd=250e6)
        assert headline_of(plan) == "No plan was found"
        text = plain(no_plan(plan))
        assert "This does not mean that there is none" in text
        assert "The time limit was reached." in text
        assert "Any plan would be worth at most $250.0M." in text

    def test_no_plan_found_and_no_bound(self) -> None:
        assert "No bound" in no_plan(without_plan(TerminationReason.NO_PLAN_FOUND, limit=Limit.INTERRUPTED))

    def test_unbounded(self) -> None:
        plan = without_plan(TerminationReason.UNBOUNDED)
        assert "unlimited profit" in recommendation_of(plan)
        assert "NPV" not in recommendation_of(plan)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (121_844_660.9, "$121.8M"),
        (-5e6, "\u2212$5.0M"),
        (12_300.0, "$12,300"),
        (-0.2, "$0"),
        (0.0, "$0"),
        (1_528_803_647.0, "$1,528.8M"),
        (2.5e10, "$25,000M"),
    ],
)
def test_money(usd: float, text: str) -> None:
    assert formats.money(usd) == text


@pytest.mark.parametrize(
    ("frac", "text"),
    [
        (3.7e-16, "less than 0.0001 %"),
        (0.0, "less than 0.0001 %"),
        (0.000512, "0.051 %"),
        (0.2796, "28 %"),
        (0.0123, "1.2 %"),
    ],
)
def test_gap(frac: float, text: str) -> None:
    assert plain(formats.gap(frac)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.4210854715202004e-14, "1.42e\u221214"),
        (1e-6, "1e\u22126"),
        (121.8446, "122"),
        (1528.8, "1,529"),
        (0.033, "0.033"),
    ],
)
def test_significant(value: float, text: str) -> None:
    assert formats.significant(value) == text


@pytest.mark.parametrize("attack", ["</script>", "<!--", "&lt;", "]]>"])
def test_json_in_a_script_cannot_end_it(attack: str) -> None:
    text = formats.script_json({"name": attack})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": attack}
