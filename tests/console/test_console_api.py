"""What the page calls: what it answers, what it refuses, and that it shows the service whoever calls."""

import json

import pytest
import wire_cases
from console_calls import ask

from optimizer.client import OptimizerClient
from optimizer.console import ConsoleServer
from optimizer.console.routes import API
from optimizer.errors import ServiceError
from optimizer.gateway.guard import SECURITY_HEADERS
from optimizer.io import load_portfolio, parse_portfolio, save_portfolio
from optimizer.service.database import Database
from optimizer.service.security import Security
from optimizer.service.server import Server
from optimizer.service.tokens import Scope, Tokens


def told(console, path, body=None, **headers):
    status, _, content = ask(console, path, body, **headers)
    return status, json.loads(content)


def planned(console, target):
    """The plan of a portfolio that is named after what the planner shall do."""
    data = {**wire_cases.small_data(), "name": target}
    stored = told(console, "/console/portfolios", {"portfolio": data})[1]["name"]
    status, made = told(console, "/console/plans", {"portfolio": stored, "options": {"time_limit_s": 20}})
    assert status == 200
    return made["name"]


def heard(console, name):
    """What is told of a plan while it is searched for: the events of its stream."""
    status, headers, content = ask(console, f"/v1/{name}:watch")
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line)["result"] for line in content.splitlines()]


def problems(answer):
    """Path, message and fix of everything that is wrong."""
    found = [item for detail in answer["error"]["details"] for item in detail.get("field_violations", ())]
    return [(item.get("field", ""), *item["description"].partition("\n")[::2]) for item in found]


def test_a_plan_from_example_to_answer(faked):
    assert "tiny" in told(faked, "/console/examples")[1]["examples"]
    example = told(faked, "/console/examples/tiny")[1]["portfolio"]
    assert parse_portfolio(example, None, "example") == load_portfolio("tiny")
    name = planned(faked, "quick")
    events = heard(faked, name)
    stages = [event["progress"]["stage"] for event in events if "progress" in event]
    assert stages[-5:] == ["STAGE_CURVES", "STAGE_BUILD", "STAGE_SOLVE", "STAGE_AUDIT", "STAGE_DONE"]
    assert events[-1]["end"] == {"state": "PLAN_STATE_SUCCEEDED"}
    status, record = told(faked, f"/console/{name}")
    assert (status, record["state"], record["ended"], record["error"]) == (200, "succeeded", True, None)
    assert record["plan"]["termination"]["objective_usd"] == 1.5e6
    assert record["options"]["time_limit_s"] == 20
    assert told(faked, f"/console/{record['portfolio']}")[1]["portfolio"]["name"] == "quick"
    listed = told(faked, "/console/plans")[1]["plans"]
    assert [item["plan"] for item in listed if item["name"] == name] == [None]


def test_a_search_is_stopped_with_its_best_plan_and_another_discarded(faked):
    name = planned(faked, "slow")
    assert told(faked, f"/v1/{name}:stop", {})[0] == 200
    assert heard(faked, name)[-1]["end"] == {"state": "PLAN_STATE_SUCCEEDED"}
    assert told(faked, f"/console/{name}")[1]["plan"]["termination"]["limit"] == "interrupted"
    name = planned(faked, "slow")
    assert told(faked, f"/v1/{name}:cancel", {})[0] == 200
    assert heard(faked, name)[-1]["end"] == {"state": "PLAN_STATE_CANCELLED"}
    status, answer = told(faked, f"/console/{name}/sections")
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_a_variant_has_other_numbers_and_the_portfolio_keeps_its_own(faked):
    data = wire_cases.small_data()
    name = told(faked, "/console/portfolios", {"portfolio": data})[1]["name"]
    status, variant = told(faked, f"/console/{name}/variants", {"scale": {"sites[*].hall_mw": 0.5}})
    assert status == 200
    for was, became in zip(data["sites"], variant["portfolio"]["sites"], strict=True):
        assert became["hall_mw"] == 0.5 * was["hall_mw"]
    assert told(faked, f"/console/{variant['name']}")[1]["portfolio"] == variant["portfolio"]
    assert told(faked, f"/console/{name}")[1]["portfolio"]["sites"][0]["hall_mw"] == data["sites"][0]["hall_mw"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "scale"),
        ({"scale": 2}, "scale"),
        ({"scale": {"sites[*].hall_mw": "2"}}, "scale.sites[*].hall_mw"),
        ({"scale": {"sites[*].hall_mw": True}}, "scale.sites[*].hall_mw"),
        ({"scale": {"sites[*].hall": 2}}, "sites[*].hall"),
    ],
)
def test_a_variant_of_nothing_is_refused(faked, body, path):
    name = told(faked, "/console/portfolios", {"portfolio": wire_cases.small_data()})[1]["name"]
    status, answer = told(faked, f"/console/{name}/variants", body)
    assert (status, problems(answer)[0][0]) == (400, path)


def test_a_plan_is_compared_with_itself_or_the_question_is_refused(faked):
    name = planned(faked, "quick")
    heard(faked, name)
    status, answer = told(faked, "/console/comparisons", {"plan": name, "other": name})
    assert (status, answer["difference_usd"], answer["changes"], answer["assumptions"]) == (200, 0.0, [], [])
    assert told(faked, "/console/comparisons", {"plan": name})[0] == 400
    assert told(faked, "/console/comparisons", {"plan": name, "other": "plans/none"})[0] == 404
    asked = {"plan": name, "placement": {"offer": "none"}}
    status, answer = told(faked, "/console/explanations", asked)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_what_is_wrong_is_told_by_path_and_fix(faked):
    data = {**wire_cases.small_data(), "horizn": 1}
    status, answer = told(faked, "/console/portfolios", {"portfolio": data, "validate_only": True})
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ("horizn", "unknown key 'horizn'", "did you mean 'horizon'?") in problems(answer)
    for body, path in (({"portfolo": {}}, "portfolo"), ({}, "portfolio"), ([], "")):
        status, answer = told(faked, "/console/portfolios", body)
        assert (status, problems(answer)[0][0]) == (400, path)


def test_a_file_of_the_server_is_not_read(faked, tmp_path, monkeypatch):
    (tmp_path / "hours.csv").write_text("hour,usd_per_mwh\n")
    data = wire_cases.small_data()
    data["series"] = [{"name": "here", "file": {"path": str(tmp_path / "hours.csv")}}]
    status, answer = told(faked, "/console/portfolios", {"portfolio": data})
    assert status == 400
    assert "no folder to find it in" in problems(answer)[0][1]
    save_portfolio(load_portfolio("tiny"), tmp_path / "mine.yaml")
    monkeypatch.chdir(tmp_path)
    for name in ("mine.yaml", "..%2fmine.yaml", "nothing"):
        status, answer = told(faked, f"/console/examples/{name}")
        assert (status, answer["error"]["status"]) == (404, "NOT_FOUND")


def test_a_portfolio_is_only_checked_where_that_is_asked_for(faked):
    body = {"portfolio": wire_cases.small_data(), "validate_only": True}
    assert told(faked, "/console/portfolios", body)[1]["name"] == ""


def test_what_may_not_call_is_not_answered(faked):
    for headers in ({"Host": "planner.example"}, {"Origin": "http://planner.example"}):
        status, answer = told(faked, "/console/plans", **headers)
        assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert ask(faked, "/", **headers)[0] == 403


@pytest.mark.parametrize("path", ["/", "/app.js", "/console/plans", "/console/nothing", "/v1/plans", "/plotly.min.js"])
def test_every_answer_carries_what_guards_it(faked, path):
    headers = ask(faked, path)[1]
    sent = {name.lower(): value for name, value in headers.items()}
    assert {name.lower(): value for name, value in SECURITY_HEADERS.items()}.items() <= sent.items()
    assert "'unsafe-inline'" not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0]


def test_a_body_that_a_form_of_another_page_could_send_is_refused(faked):
    body = {"portfolio": wire_cases.small_data()}
    status, answer = told(faked, "/console/portfolios", body, Content_Type="text/plain")
    assert (status, problems(answer)[0][1]) == (400, "the body is not JSON")


def test_the_token_of_the_call_is_what_the_service_judges(tmp_path, monkeypatch):
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with Server("127.0.0.1:0", workers=0, security=Security(tokens=True), store=store) as service:
        with Database(store, exclusive=False) as database:
            reader = Tokens(database).create("reader", Scope.READ, None)[1]
            planner = Tokens(database).create("planner", Scope.PLAN, None)[1]
        monkeypatch.setenv("OPTIMIZER_TOKEN", planner)  # the console's own is nobody else's
        with ConsoleServer(f"127.0.0.1:{service.port}") as console:
            body = {"portfolio": wire_cases.small_data()}
            assert told(console, "/console/plans")[0] == 401
            assert told(console, "/v1/plans/x:watch")[0] == 401
            assert told(console, "/console/plans", Authorization="Bearer t\xe9st")[0] == 401
            assert told(console, "/console/plans", Authorization=f"Bearer {reader}")[0] == 200
            assert told(console, "/console/portfolios", body, Authorization=f"Bearer {reader}")[0] == 403
            assert told(console, "/console/portfolios", body, Authorization=f"Bearer {planner}")[0] == 200


def test_a_service_that_is_gone_is_unavailable():
    with ConsoleServer("127.0.0.1:1") as console:
        status, answer = told(console, "/console/plans")
    assert (status, answer["error"]["status"]) == (503, "UNAVAILABLE")


def test_a_port_that_is_taken_is_told(faked):
    with pytest.raises(ServiceError, match=rf"127.0.0.1:{faked.port}.*in use"):
        ConsoleServer("127.0.0.1:1", faked.port)


def test_every_route_is_in_the_how_to():
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs/how-to/console.md").read_text()
    for item in API:
        end = item.path.rpartition("}")[2] or item.path.rpartition("/")[2]
        assert end in page or end.startswith("{"), item.path


def test_the_client_shows_the_token_that_it_is_given_or_none(monkeypatch):
    monkeypatch.setenv("OPTIMIZER_TOKEN", "named")
    seen = []
    monkeypatch.setattr("optimizer.client.client.with_token", lambda credentials, token: seen.append(token))
    for given in ({}, {"token": "shown"}, {"token": ""}):
        OptimizerClient.from_environment("127.0.0.1:1", **given).close()
    assert seen == ["named", "shown"]
