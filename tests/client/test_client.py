"""The client: what it repeats, how it goes on, what it tells."""

import grpc
import pytest
import wire_cases

from optimizer.client import OptimizerClient
from optimizer.domain import Portfolio
from optimizer.errors import JobCancelledError, ServiceError


def portfolio_for(target):
    return Portfolio.model_validate(wire_cases.small_data() | {"name": target})


@pytest.fixture(autouse=True)
def resume_at_once(monkeypatch):
    monkeypatch.setattr("optimizer.client.client.RESUME_WAIT_S", 0.01)


@pytest.fixture
def flaky_client(flaky):
    with OptimizerClient(f"127.0.0.1:{flaky.port}", timeout_s=10.0) as connected:
        yield connected


def test_a_stream_that_breaks_is_resumed_where_it_was(flaky, flaky_client):
    seen = [progress.elapsed_s for progress in flaky_client.watch("plans/x")]
    assert seen == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert flaky.resumed == [0, 2, 4, 6]


def test_a_stream_that_stays_away_is_given_up(flaky):
    flaky.last = 10**6
    with (
        OptimizerClient(f"127.0.0.1:{flaky.port}", resume_s=-1.0) as client,
        pytest.raises(ServiceError) as caught,
    ):
        list(client.watch("plans/x"))
    assert caught.value.code == "UNAVAILABLE"


def test_a_stream_that_just_ends_is_an_error(flaky, flaky_client):
    flaky.ends_early = True
    with pytest.raises(ServiceError, match="ended before the plan did"):
        list(flaky_client.watch("plans/x"))


def test_unavailable_is_tried_again(flaky, flaky_client):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 2
    assert flaky_client.get_plan("plans/x").name == "plans/x"
    assert flaky.calls == 3


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED]
)
def test_nothing_else_is_tried_again(flaky, flaky_client, code):
    flaky.refusals = [code] * 5
    with pytest.raises(ServiceError) as caught:
        flaky_client.get_plan("plans/x")
    assert (flaky.calls, caught.value.code) == (1, code.name)


def test_a_state_that_is_not_known_is_told(flaky, flaky_client):
    flaky.state = 99
    with pytest.raises(ServiceError, match="99"):
        flaky_client.get_plan("plans/x")


def test_a_plan_that_is_missing_is_an_error(flaky, flaky_client, monkeypatch):
    monkeypatch.setattr(flaky_client, "create_plan", lambda *_, **__: "plans/x")
    with pytest.raises(ServiceError, match="without a plan"):
        flaky_client.plan("portfolios/x")


def test_a_deadline_is_a_service_error(flaky):
    flaky.delay_s = 0.5
    with OptimizerClient(f"127.0.0.1:{flaky.port}", timeout_s=0.1) as client, pytest.raises(ServiceError) as caught:
        client.get_plan("plans/x")
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_nobody_there_is_a_service_error():
    with OptimizerClient("127.0.0.1:1", timeout_s=0.5) as client, pytest.raises(ServiceError) as caught:
        client.get_plan("plans/x")
    assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


# -------------------------------------------------------------------------------------------------- with a real service


def test_progress_is_told_to_a_function(client):
    seen = []
    plan = client.plan(portfolio_for("quick"), progress=seen.append, allow_reuse=False)
    assert plan.termination.has_plan
    assert [progress.stage for progress in seen] == ["queued", "curves", "build", "solve", "audit", "done"]


def test_progress_can_be_written(client, capsys):
    client.plan(portfolio_for("quick"), progress=True, allow_reuse=False)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert "solve" in lines[3]
    assert "best 1,500,000 USD" in lines[3]


def test_progress_is_silent_unless_asked_for(client, capsys):
    client.plan(portfolio_for("quick"))
    assert capsys.readouterr().err == ""


def test_a_stored_portfolio_can_be_planned_by_name(client):
    stored = client.create_portfolio(portfolio_for("quick"))
    assert client.plan(stored.name).manifest.portfolio_name == "quick"


def test_a_plan_that_somebody_cancels_raises(client):
    def cancel(progress):
        if progress.stage == "solve":
            client.cancel(next(client.list_plans()).name)

    with pytest.raises(JobCancelledError):
        client.plan(portfolio_for("slow"), progress=cancel)
