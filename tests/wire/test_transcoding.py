"""From requests of HTTP to messages, and from messages and statuses to JSON."""

import json

import pytest
import wire_cases
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1.resources_pb2 import PlanState, PlanView
from optimizer.domain import Portfolio
from optimizer.errors import InvalidInputError, Problem
from optimizer.wire.convert import to_message
from optimizer.wire.errors import OverloadedError, to_status
from optimizer.wire.http_rules import rules_at
from optimizer.wire.transcoding import HTTP_CODES, json_text, request_message, retry_after_s, status_data


def read(verb, path, body=b"", query=()):
    rule, variables = rules_at(path)[verb]
    return request_message(rule, variables, query, body)


def test_a_portfolio_survives_its_json():
    spec = to_message(Portfolio.model_validate(wire_cases.small_data()))
    sent = api.CreatePortfolioRequest(validate_only=True, request_id="once")
    sent.portfolio.spec.CopyFrom(spec)
    query = [("validate_only", "true"), ("request_id", "once")]
    assert read("POST", "/v1/portfolios", json_text(sent.portfolio).encode(), query) == sent


def test_fields_are_named_as_in_the_protos_and_read_in_camel_case_too():
    answer = api.ListPlansResponse(next_page_token="t")
    assert json_text(answer) == '{"next_page_token":"t"}'
    for name in ("page_size", "pageSize"):
        assert read("GET", "/v1/plans", query=[(name, "7")]).page_size == 7
    body = b'{"afterSequence": "3", "name": "plans/other"}'
    with pytest.raises(InvalidInputError, match="has no body"):
        read("GET", "/v1/plans/1:watch", body)


def test_the_query_states_what_is_neither_in_path_nor_body():
    states = [("states", "PLAN_STATE_QUEUED"), ("states", "PLAN_STATE_RUNNING")]
    found = read("GET", "/v1/plans", query=states)
    assert list(found.states) == [PlanState.PLAN_STATE_QUEUED, PlanState.PLAN_STATE_RUNNING]
    found = read("GET", "/v1/plans/1", query=[("view", "PLAN_VIEW_BASIC")])
    assert found == api.GetPlanRequest(name="plans/1", view=PlanView.PLAN_VIEW_BASIC)
    assert read("GET", "/v1/plans/1:watch", query=[("after_sequence", "9007199254740993")]).after_sequence == 2**53 + 1


def test_what_the_path_names_is_meant_whatever_the_body_says():
    assert read("POST", "/v1/plans/1:stop", b'{"name": "plans/2"}').name == "plans/1"
    assert read("POST", "/v1/plans/1:stop").name == "plans/1"


@pytest.mark.parametrize(
    ("verb", "path", "body", "query", "told"),
    [
        ("POST", "/v1/plans:compare", b"", [("spec", "1")], "spec: is not a parameter"),
        ("GET", "/v1/plans", b"", [("page_siz", "1")], "did you mean 'page_size'"),
        ("GET", "/v1/plans/1", b"", [("name", "plans/2")], "name: is not a parameter"),
        ("GET", "/v1/plans", b"", [("page_size", "1"), ("pageSize", "2")], "page_size: is stated 2 times"),
        ("GET", "/v1/plans", b"", [("page_size", "many")], "page_size: 'many' is wrong"),
        ("POST", "/v1/portfolios", b"{}", [("validate_only", "1")], "validate_only: '1' is wrong"),
        ("GET", "/v1/plans", b"", [("states", "PLAN_STATE_LOST")], "states: 'PLAN_STATE_LOST' is wrong"),
        ("POST", "/v1/plans:compare", b"[]", (), "not an object"),
        ("POST", "/v1/plans:compare", b"{", (), "the body is wrong"),
        ("POST", "/v1/plans:compare", b"{\xff}", (), "the body is wrong"),
        ("POST", "/v1/plans:compare", b'{"spec": {"plans": 1}}', (), 'no field named "plans"'),
        ("POST", "/v1/plans:compare", b'{"a":' * 50_000, (), "the body is wrong"),
        ("POST", "/v1/plans:compare", b'{"spec": {}, "spec": {}}', (), "duplicate key"),
    ],
)
def test_what_is_wrong_is_told(verb, path, body, query, told):
    with pytest.raises(InvalidInputError) as caught:
        read(verb, path, body, query)
    assert told in str(caught.value)


def test_errors_are_as_the_improvement_proposals_have_them():
    error = InvalidInputError([Problem("sites[0].hall_mw", "is -1", "at least 0")], "portfolio")
    told = status_data(to_status(error))
    assert (told["code"], told["status"]) == (400, "INVALID_ARGUMENT")
    info, bad_request = told["details"]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert info["domain"] == "optimizer.api.v1"
    assert bad_request["field_violations"] == [{"field": "sites[0].hall_mw", "description": "is -1\nat least 0"}]
    assert json.loads(json.dumps(told)) == told


def test_when_to_come_again_is_told():
    assert retry_after_s(to_status(OverloadedError("full", 2.5))) == 2.5
    assert retry_after_s(to_status(ValueError("no"))) is None


def test_every_code_has_one_of_http():
    assert HTTP_CODES.keys() == set(Code.values())
    assert status_data(Status(code=Code.ABORTED))["code"] == 409
