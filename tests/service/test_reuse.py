"""The answer to the same question from before: taken where it is good, told, refused where that is wanted."""

import time

import pytest
import wire_cases
from calls import portfolio_for

from optimizer.client import OptimizerClient, PlanState
from optimizer.domain import Plan, SolveOptions, Termination, TerminationReason
from optimizer.domain.proof import Limit
from optimizer.service import reuse
from optimizer.service.access import Access
from optimizer.service.database import Database
from optimizer.service.leases import Leases
from optimizer.service.limits import Limits
from optimizer.service.records import NO_TERMS, JobState, Request, Terms
from optimizer.service.reuse import is_conclusive, question_sha256
from optimizer.service.server import Server
from optimizer.service.store import NO_LIMITS, Store
from optimizer.wire.convert import to_bytes
from optimizer.wire.errors import OverloadedError

SAME = Terms("s" * 64, allow_reuse=True)


@pytest.fixture(scope="module")
def server():
    with Server("127.0.0.1:0", workers=1, heartbeat_s=0.3, target="fake_targets:by_name") as running:
        yield running


@pytest.fixture
def store(url):
    with_database = Store(Database(url))
    yield with_database
    with_database.database.close()


def portfolio_in(store, tenant="default"):
    return store.add_portfolio(b"content", Request("CreatePortfolio", "", b"", tenant)).id


def asked(store, terms, portfolio_id=None, limits=NO_LIMITS):
    """A job of a portfolio."""
    portfolio_id = portfolio_id or portfolio_in(store)
    return store.add_job(portfolio_id, b"options", Request("CreatePlan", "", b""), limits, terms)


def answered(store, terms=SAME, conclusive=True, state=JobState.SUCCEEDED, portfolio_id=None):
    """A job that was computed."""
    job, leases = asked(store, Terms(terms.question_sha256), portfolio_id), Leases(store)
    leases.end(leases.claim(), [b"\x08\x03"], state, result=b"answer", conclusive=conclusive)
    return store.job(job.id)


# ---------------------------------------------------------------------------------------------------------- in the store


def test_the_same_question_has_the_same_answer_at_once_and_says_whose(store):
    first = answered(store)
    busy = asked(store, NO_TERMS)
    second = asked(store, SAME, limits=Limits(1))
    assert (second.state, second.result, second.reused_from) == (JobState.SUCCEEDED, b"answer", first.id)
    assert (second.progress, first.reused_from) == (first.progress, None)
    assert second.end_time is not None
    assert [event.end for event in store.events_after(second.id, 0)] == [None, None, JobState.SUCCEEDED]
    store.delete_job(first.id)
    third = asked(store, SAME)
    assert (third.result, third.reused_from) == (b"answer", first.id), "the computed one is told, though it is gone"
    assert Leases(store).claim().job_id == busy.id
    assert Leases(store).claim() is None


@pytest.mark.parametrize(
    ("before", "terms"),
    [
        ({}, Terms(SAME.question_sha256)),
        ({}, Terms("t" * 64, allow_reuse=True)),
        ({}, Terms(None, allow_reuse=True)),
        ({"terms": NO_TERMS}, Terms(None, allow_reuse=True)),
        ({"conclusive": False}, SAME),
        ({"conclusive": False, "state": JobState.FAILED}, SAME),
    ],
)
def test_what_is_no_answer_or_must_not_be_one_is_computed(store, before, terms):
    answered(store, **before)
    assert asked(store, terms).state is JobState.QUEUED
    with pytest.raises(OverloadedError):
        asked(store, terms, limits=Limits(1))


def test_an_answer_stays_with_its_tenant(store):
    answered(store, portfolio_id=portfolio_in(store, "east"))
    assert asked(store, SAME).state is JobState.QUEUED
    again = asked(store, SAME, portfolio_in(store, "east"))
    assert store.job(again.id, Access("east")).reused_from is not None


def test_a_question_is_its_portfolio_its_options_and_the_versions(monkeypatch):
    asked_once = question_sha256(b"a", b"b")
    assert question_sha256(b"a", b"b") == asked_once
    others = {question_sha256(b"ab", b""), question_sha256(b"a", b"c"), question_sha256(b"", b"ab")}
    monkeypatch.setattr(reuse, "version", lambda _: "9.9")
    assert len({asked_once, question_sha256(b"a", b"b"), *others}) == 5


@pytest.mark.parametrize(
    ("limit", "gap_frac", "good"),
    [
        (Limit.NONE, 0.01, True),
        (Limit.NONE, None, True),
        (Limit.TIME, 0.01, True),
        (Limit.TIME, 0.02, False),
        (Limit.INTERRUPTED, 0.0, True),
        (Limit.INTERRUPTED, 0.011, False),
        (Limit.TIME, None, False),
    ],
)
def test_a_search_that_was_ended_answers_again_only_with_the_gap_that_was_asked_for(limit, gap_frac, good):
    reason = TerminationReason.INFEASIBLE if gap_frac is None else TerminationReason.FEASIBLE
    plan = Plan(
        termination=Termination(reason=reason, limit=limit, gap_frac=gap_frac), manifest=wire_cases.rich_plan().manifest
    )
    assert is_conclusive(to_bytes(plan), to_bytes(SolveOptions(gap_frac=0.01))) is good


# ----------------------------------------------------------------------------------------------------- over a connection


def test_a_plan_is_taken_from_before_unless_that_is_refused(client):
    portfolio = client.create_portfolio(portfolio_for("quick")).name
    first = client.wait(client.create_plan(portfolio))
    assert (first.reused_from, first.plan.manifest.reused_from) == ("", "")
    again = client.get_plan(client.create_plan(client.create_portfolio(portfolio_for("quick")).name))
    assert (again.state, again.reused_from) == (PlanState.SUCCEEDED, first.name)
    assert again.plan.manifest.reused_from == first.name
    assert again.plan.termination == first.plan.termination
    told = []
    assert client.plan(portfolio, progress=told.append).manifest.reused_from == first.name
    assert [event.stage for event in told] == ["queued", "done"]
    assert client.plan(portfolio, allow_reuse=False).manifest.reused_from == ""
    assert client.plan(portfolio, SolveOptions(seed=1)).manifest.reused_from == ""


def test_a_plan_that_was_stopped_is_computed_again(client):
    portfolio = client.create_portfolio(portfolio_for("slow")).name
    first = client.create_plan(portfolio, SolveOptions(time_limit_s=20.0, gap_frac=0.05))
    while client.get_plan(first).state is PlanState.QUEUED:
        time.sleep(0.02)
    client.stop(first)
    assert client.wait(first).plan.termination.limit is Limit.INTERRUPTED
    second = client.create_plan(portfolio, SolveOptions(time_limit_s=20.0, gap_frac=0.05))
    assert client.get_plan(second).reused_from == ""
    client.cancel(second)


def test_an_answer_outlives_its_server(tmp_path):
    url, names = f"sqlite:///{tmp_path / 'store.db'}", []
    for workers in (1, 0):
        with (
            Server("127.0.0.1:0", workers=workers, target="fake_targets:by_name", store=url) as server,
            OptimizerClient(f"127.0.0.1:{server.port}") as client,
        ):
            names.append(client.create_plan(client.create_portfolio(portfolio_for("quick")).name))
            client.wait(names[-1])
            assert client.get_plan(names[-1]).reused_from == ("" if workers else names[0])
