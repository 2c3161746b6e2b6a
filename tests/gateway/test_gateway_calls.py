"""Calls over HTTP: that they are those of the service, and what is told where they cannot be."""

import http.client
import json
import re
import shlex
import socket
import time
from pathlib import Path

import pytest
import wire_cases
from console_calls import ask
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from optimizer.api.v1.portfolio_pb2 import PortfolioSpec
from optimizer.client import OptimizerClient
from optimizer.domain import Portfolio
from optimizer.gateway import GatewayServer, requests
from optimizer.gateway.calls import _NO_MESSAGE
from optimizer.gateway.failures import error_response
from optimizer.service.database import Database
from optimizer.service.security import Security
from optimizer.service.server import Server
from optimizer.service.tokens import Scope, Tokens
from optimizer.wire.convert import to_message
from optimizer.wire.errors import OverloadedError
from optimizer.wire.http_rules import http_rules
from optimizer.wire.transcoding import json_data


def told(gateway, path, body=None, **given):
    status, _, content = ask(gateway, path, body, **given)
    return status, json.loads(content)


def stored(gateway, target):
    """A portfolio named after what the planner shall do."""
    portfolio = Portfolio.model_validate({**wire_cases.small_data(), "name": target})
    status, answer = told(gateway, "/v1/portfolios", {"spec": json_data(to_message(portfolio))})
    assert status == 200
    return answer["portfolio"]["name"]


def planned(gateway, target):
    status, operation = told(
        gateway, "/v1/plans", {"portfolio": stored(gateway, target), "options": {"time_limit_s": 20}}
    )
    assert (status, operation["metadata"]["@type"]) == (200, "type.googleapis.com/optimizer.api.v1.CreatePlanMetadata")
    return operation["metadata"]["plan"]


def events(content):
    """What a stream told, without its heartbeats."""
    told = [json.loads(line)["result"] for line in content.splitlines()]
    return [event for event in told if "heartbeat" not in event]


def test_a_plan_from_portfolio_to_answer(gateway, service):
    name = planned(gateway, "quick")
    status, headers, content = ask(gateway, f"/v1/{name}:watch")
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    *moments, end = events(content)
    assert end["end"] == {"state": "PLAN_STATE_SUCCEEDED"}
    resumed = events(ask(gateway, f"/v1/{name}:watch?after_sequence={moments[1]['sequence']}")[2])
    assert resumed == [*moments[2:], end]
    plan = told(gateway, f"/v1/{name}")[1]["plan"]
    assert plan["state"] == "PLAN_STATE_SUCCEEDED"
    assert plan["result"]["termination"]["objective_usd"] == 1.5e6
    assert "result" not in told(gateway, f"/v1/{name}?view=PLAN_VIEW_BASIC")[1]["plan"]
    listed = told(gateway, f"/v1/plans?portfolio={plan['portfolio']}")[1]["plans"]
    assert [item["name"] for item in listed] == [name]
    operation = told(gateway, f"/v1/{name.replace('plans', 'operations')}")[1]
    assert operation["done"] is True
    assert operation["response"]["result"] == plan["result"]
    with OptimizerClient(f"127.0.0.1:{service.port}") as client:
        assert client.get_plan(name).plan.termination.objective_usd == 1.5e6


def test_a_question_is_answered_as_by_the_client(gateway, service):
    spec = wire_cases.throughput_spec()
    status, answer = told(gateway, "/v1:computeThroughputCurve", {"spec": json_data(to_message(spec))})
    with OptimizerClient(f"127.0.0.1:{service.port}") as client:
        assert (status, answer["curve"]) == (200, json_data(to_message(client.throughput_curve(spec))))


def test_a_search_is_stopped_and_a_stored_portfolio_deleted(gateway):
    name = planned(gateway, "slow")
    assert told(gateway, f"/v1/{name}:stop", {})[0] == 200
    assert events(ask(gateway, f"/v1/{name}:watch")[2])[-1]["end"] == {"state": "PLAN_STATE_SUCCEEDED"}
    name = stored(gateway, "quick")
    assert told(gateway, f"/v1/{name}", verb="DELETE") == (200, {})
    assert told(gateway, f"/v1/{name}", verb="DELETE")[0] == 404


def test_a_request_id_names_the_same_portfolio(gateway):
    body = {"spec": json_data(to_message(Portfolio.model_validate(wire_cases.small_data())))}
    names = {told(gateway, "/v1/portfolios?request_id=same", body)[1]["portfolio"]["name"] for _ in range(2)}
    assert len(names) == 1
    assert told(gateway, "/v1/portfolios?validate_only=true", body)[1]["portfolio"].get("name", "") == ""


@pytest.mark.parametrize(
    ("path", "body", "expected", "word"),
    [
        ("/v1/plans/none", None, (404, "NOT_FOUND"), "none"),
        ("/v1/plans/none:watch", None, (404, "NOT_FOUND"), "none"),
        ("/v1/plan", None, (404, "NOT_FOUND"), "GET /v1/plan"),
        ("/v1/plans/x:stop", None, (405, "NOT_FOUND"), "POST"),
        ("/elsewhere", None, (404, "NOT_FOUND"), "/elsewhere"),
        ("/v1/plans", {"portfolio": "portfolios/none"}, (404, "NOT_FOUND"), "none"),
        ("/v1/plans", {"portfolio": 1}, (400, "INVALID_ARGUMENT"), "portfolio"),
        ("/v1/portfolios", {"spec": {"name": "x"}}, (400, "INVALID_ARGUMENT"), "problems"),
        ("/v1/plans?page_size=-1", None, (400, "INVALID_ARGUMENT"), "page_size"),
        ("/v1/operations", None, (501, "UNIMPLEMENTED"), "not offered"),  # in the protos, not in the service
    ],
)
def test_errors_have_their_code_and_their_status(gateway, path, body, expected, word):
    status, answer = told(gateway, path, body)
    assert (status, answer["error"]["status"]) == expected
    assert word in answer["error"]["message"]


def test_who_came_too_soon_is_told_when_to_come_again():
    answer = error_response(OverloadedError("full", 2.5))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


def test_another_verb_is_told_which_there_are(gateway):
    status, headers, _ = ask(gateway, "/v1/plans/x", {})
    assert (status, headers["allow"]) == (405, "DELETE, GET")


def test_a_body_is_json_within_bounds(gateway, monkeypatch):
    status, answer = told(gateway, "/v1/plans", {}, Content_Type="text/plain")
    assert (status, "Content-Type" in json.dumps(answer)) == (400, True)
    monkeypatch.setattr(requests, "MOST_BODY_BYTES", 10)
    status, answer = told(gateway, "/v1/plans", {"portfolio": "portfolios/none"})
    assert (status, answer["error"]["status"]) == (413, "INVALID_ARGUMENT")


def test_the_token_of_the_call_is_what_the_service_judges(tmp_path, monkeypatch):
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with Server("127.0.0.1:0", workers=0, security=Security(tokens=True), store=store) as service:
        with Database(store, exclusive=False) as database:
            reader = Tokens(database).create("reader", Scope.READ, None)[1]
            planner = Tokens(database).create("planner", Scope.PLAN, None)[1]
        monkeypatch.setenv("OPTIMIZER_TOKEN", planner)  # the gateway's own is nobody else's
        with GatewayServer(f"127.0.0.1:{service.port}") as gateway:
            status, headers, _ = ask(gateway, "/v1/plans")
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
            assert told(gateway, "/v1/plans/x:watch")[0] == 401
            assert told(gateway, "/v1/plans", Authorization="Bearer t\xe9st")[0] == 401
            assert told(gateway, "/v1/plans", Authorization=f"Bearer {reader}")[0] == 200
            assert told(gateway, "/v1/plans", {}, Authorization=f"Bearer {reader}")[0] == 403
            assert told(gateway, "/v1/plans", {}, Authorization=f"Bearer {planner}")[0] == 400
            wrong = {"no": "field"}  # who may not call is not told what is wrong with his call
            assert told(gateway, "/v1/plans", wrong)[0] == 401
            assert told(gateway, "/v1/plans/x:watch?no=field")[0] == 401
            assert told(gateway, "/v1/plans", wrong, Authorization=f"Bearer {reader}")[0] == 403
            assert told(gateway, "/v1/plans", wrong, Authorization=f"Bearer {planner}")[0] == 400
            assert told(gateway, "/v1/plans/x:watch?no=field", Authorization=f"Bearer {reader}")[0] == 400


def test_small_answers_are_sent_without_delay(gateway):
    """Without it each would wait for the other side's acknowledgement, some 40 ms."""
    assert gateway._socket.proto == socket.IPPROTO_TCP


def test_what_is_sent_to_learn_who_may_call_is_a_message_of_no_call():
    for rule in http_rules():
        with pytest.raises(DecodeError):
            GetMessageClass(rule.method.input_type).FromString(_NO_MESSAGE)


def test_a_service_that_is_gone_is_unavailable():
    with GatewayServer("127.0.0.1:1") as gateway:
        for path in ("/v1/plans", "/v1/plans/x:watch"):
            status, answer = told(gateway, path)
            assert (status, answer["error"]["status"]) == (503, "UNAVAILABLE")


def test_a_stream_that_breaks_says_why():
    with (
        Server("127.0.0.1:0", workers=1, heartbeat_s=0.2, target="fake_targets:by_name") as service,
        GatewayServer(f"127.0.0.1:{service.port}") as gateway,
    ):
        connection, answer = opened(gateway, f"/v1/{planned(gateway, 'slow')}:watch")
        assert "result" in json.loads(answer.readline())
        service.stop(grace_s=0.1)
        last = json.loads(answer.read().splitlines()[-1])
        connection.close()
    assert last["error"]["status"] in {"CANCELLED", "UNAVAILABLE"}


def opened(gateway, path):
    """A connection, and the answer that is read from it as it comes."""
    connection = http.client.HTTPConnection(gateway.address.removeprefix("http://"), timeout=20)
    connection.request("GET", path)
    return connection, connection.getresponse()


def test_who_goes_away_ends_his_call(gateway, service):
    """A watcher holds a call of the service until he goes; the service then has room again."""
    name = planned(gateway, "slow")
    before = room(service)
    connection, answer = opened(gateway, f"/v1/{name}:watch")
    answer.readline()
    assert room(service) == before - 1
    answer.close()
    connection.close()
    deadline = time.monotonic() + 10
    while room(service) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert room(service) == before
    told(gateway, f"/v1/{name}:cancel", {})


def room(service):
    """How many more calls may wait."""
    return service._planner._waiting._value


def test_every_call_is_answered_by_the_service(gateway):
    """With an empty request each call comes back from the service, as an answer or as an error with its domain."""
    for rule in http_rules():
        path = rule.template
        for variable, pattern in rule.variables:
            path = path.replace(f"{{{variable}={pattern}}}", pattern.replace("**", "none").replace("*", "none"))
        status, _, content = ask(gateway, path, {} if rule.body else None, verb=rule.verb)
        if status != 200:
            error = json.loads(content)["error"]
            assert error["details"] or status == 501, (path, error)
            assert status in {400, 404, 501}, (path, error)


def test_a_portfolio_comes_back_as_it_was_sent(gateway):
    portfolio = Portfolio.model_validate({**wire_cases.small_data(), "name": "kept"})
    spec = told(gateway, f"/v1/{stored(gateway, 'kept')}")[1]["portfolio"]["spec"]
    assert ParseDict(spec, PortfolioSpec()) == to_message(portfolio)


def test_the_how_to_shows_what_happens(gateway):
    """Each ``curl`` of the page that is followed by an answer."""
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/json-over-http.md").read_text()
    shown = re.findall(r"^\$ curl -s (.*?)\n(\{[^\n]*\})$", page, re.M | re.S)
    assert len(shown) == 2
    for command, answer in shown:
        address, *options = shlex.split(command)
        body = json.loads(options[options.index("-d") + 1]) if "-d" in options else None
        path = address.removeprefix("http://127.0.0.1:8081")
        assert told(gateway, path, body)[1] == json.loads(answer)
